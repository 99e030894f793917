"""A SendGrid of our own on loopback: it takes mails, keeps them for whoever looks, and forgets addresses."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from adapters.outbound.sendgrid.simulator.console import Console
from adapters.outbound.sendgrid.simulator.faults import Faults
from adapters.outbound.sendgrid.simulator.reading import ReadMail, as_read
from adapters.outbound.sendgrid.simulator.state import SentMail, State
from adapters.outbound.sendgrid.simulator.webhooks import Webhooks

__all__ = ["Faults", "ReadMail", "SendGridSimulator", "SentMail", "as_read"]

LISTS = frozenset({"bounces", "blocks", "invalid_emails", "spam_reports"})
NOT_TRACKED = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
    "ganalytics": {"enable": False},
}


class SendGridSimulator:
    """One SendGrid account. With a `state_file` every change is on disk before it is answered."""

    def __init__(
        self,
        *,
        api_key: str,
        sender: str,
        now: Callable[[], datetime],
        webhook_url: str = "",
        signing_key: EllipticCurvePrivateKey | None = None,
        state_file: Path | None = None,
    ) -> None:
        """Take the account's key, the one verified sender, the clock, and whom to tell, signed by which key."""
        self.faults, self.console = Faults(), Console()
        self._webhook_url, self._signing_key = webhook_url, signing_key
        self._webhooks: Webhooks | None = None
        self._key, self._sender, self._now, self._state = api_key, sender, now, State(state_file)

    @asynccontextmanager
    async def running(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Listen, and yield the address that stands for `https://api.sendgrid.com`. Port 0: any free one."""
        app = web.Application(middlewares=[self._signed_in])
        app.router.add_post("/v3/mail/send", self._send)
        app.router.add_post("/v3/recipients/erasejob", self._erase)
        self.console.add_routes(app.router)
        entry = app.router.add_resource("/v3/suppression/{list}/{email}")
        entry.add_route("GET", self._suppressed)
        entry.add_route("DELETE", self._release)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        async with ClientSession() as session:
            told = Webhooks(session, self._webhook_url, self._signing_key, self.faults, self._now)
            self._webhooks = told
            try:
                await web.TCPSite(runner, host, port).start()
                yield f"http://{host}:{runner.addresses[0][1]}"
            finally:
                for task in list(told.under_way):
                    task.cancel()
                await runner.cleanup()
                self._webhooks = None

    @property
    def mails(self) -> list[SentMail]:
        """Every mail held, oldest first."""
        return self._state.mails

    def bounce(self, address: str, listed: str = "bounces") -> None:
        """Put an address on a suppression list, as after a mail that came back."""
        self._state.suppress(listed, address)

    def holdings(self) -> dict[str, Any]:
        """Everything still held, as JSON."""
        return {"mails": self._state.mails, "suppressed": self._state.suppressed}

    @web.middleware
    async def _signed_in(self, request: web.Request, handler: Any) -> web.StreamResponse:  # noqa: ANN401 - aiohttp's
        if self.faults.outage:
            return _error(HTTPStatus.SERVICE_UNAVAILABLE, "try again later")
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self._key}".encode()):
            return _error(HTTPStatus.UNAUTHORIZED, "authorization required")
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _send(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        try:
            [personalization] = body["personalizations"]
            [to] = personalization["to"]
            texts = {part["type"]: part["value"] for part in body["content"]}
            mail = SentMail(
                to=to["email"],
                sender=body["from"]["email"],
                subject=body["subject"],
                text=texts["text/plain"],
                html=texts["text/html"],
                language=body["headers"]["Content-Language"],
                categories=body["categories"],
                at=self._now().isoformat().replace("+00:00", "Z"),
            )
        except (KeyError, TypeError, ValueError):
            return _error(HTTPStatus.BAD_REQUEST, "the mail is incomplete")
        if mail["sender"] != self._sender:
            return _error(HTTPStatus.FORBIDDEN, "the from address does not match a verified Sender Identity")
        if body.get("tracking_settings") != NOT_TRACKED:
            return _error(HTTPStatus.BAD_REQUEST, "this account's mails are not tracked")
        self._deliver(mail, even_after_bounces=_is_on(body, "bypass_bounce_management"))
        if self.faults.silence and request.transport is not None:
            request.transport.close()
        return web.Response(status=HTTPStatus.ACCEPTED, headers={"X-Message-Id": secrets.token_urlsafe(16)})

    def _deliver(self, mail: SentMail, *, even_after_bounces: bool) -> None:
        """Deliver a mail that was taken, or not, and tell what became of it."""
        to, tell = mail["to"], self._tell
        if self._state.is_suppressed("invalid_emails", to):
            tell(mail, {"event": "dropped", "reason": "Invalid"})
        elif self._state.is_suppressed("bounces", to) and not even_after_bounces:
            tell(mail, {"event": "dropped", "reason": "Bounced Address"})
        elif self.faults.spend("returns"):
            self._state.suppress("bounces", to)
            tell(mail, {"event": "processed"}, {"event": "bounce", "type": "bounce", "status": "5.1.1"})
        else:
            self._state.add(mail)
            complaint = [{"event": "spamreport"}] if self.faults.spend("complaints") else []
            tell(mail, {"event": "processed"}, {"event": "delivered", "response": "250 OK"}, *complaint)

    def _tell(self, mail: SentMail, *happened: dict[str, str]) -> None:
        if self._webhooks is not None:
            self._webhooks.tell(mail["to"], mail["categories"][0], *happened)

    async def _erase(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if not self.faults.forgetful:
            self._state.erase(body["email_addresses"])
        return web.json_response({"job_id": secrets.token_hex(8)}, status=HTTPStatus.ACCEPTED)

    async def _suppressed(self, request: web.Request) -> web.StreamResponse:
        listed, address = self._entry(request)
        found = self._state.is_suppressed(listed, address)
        return web.json_response([{"created": 0, "email": address, "reason": ""}] if found else [])

    async def _release(self, request: web.Request) -> web.StreamResponse:
        listed, address = self._entry(request)
        if not self._state.is_suppressed(listed, address):
            return _error(HTTPStatus.NOT_FOUND, "not found")
        if not self.faults.forgetful:
            self._state.release(listed, address)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    def _entry(self, request: web.Request) -> tuple[str, str]:
        if request.match_info["list"] not in LISTS:
            raise web.HTTPNotFound
        return request.match_info["list"], request.match_info["email"]


def _is_on(body: Any, setting: str) -> bool:  # noqa: ANN401 - JSON
    return bool(body.get("mail_settings", {}).get(setting, {}).get("enable"))


def _error(status: HTTPStatus, message: str) -> web.Response:
    return web.json_response({"errors": [{"message": message, "field": None}]}, status=status)
