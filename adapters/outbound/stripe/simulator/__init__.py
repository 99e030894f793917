"""A Stripe of our own on loopback: it sells, bills by the clock it is given, and tells of it by signed webhooks."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web

from adapters.outbound.stripe.simulator.api import Api, Refused
from adapters.outbound.stripe.simulator.billing import OVER, Billing
from adapters.outbound.stripe.simulator.console import Console
from adapters.outbound.stripe.simulator.faults import Faults
from adapters.outbound.stripe.simulator.forms import nested
from adapters.outbound.stripe.simulator.shapes import Object
from adapters.outbound.stripe.simulator.state import State
from adapters.outbound.stripe.simulator.webhooks import Webhooks, signed

__all__ = ["Faults", "StripeSimulator", "signed"]

KEY_LIVES = 86_400
"""Seconds for which a first answer is given again under its idempotency key."""


class StripeSimulator:
    """One Stripe account. With a `state_file` every change is on disk before it is answered."""

    def __init__(
        self,
        *,
        api_key: str,
        webhook_secret: str,
        prices: Mapping[str, int],
        now: Callable[[], datetime],
        webhook_url: str = "",
        state_file: Path | None = None,
    ) -> None:
        """Take the account's key, its prices in cents, the endpoint to tell and by which secret, and the clock."""
        self.faults, self._key, self._prices = Faults(), api_key, dict(prices)
        self._secret, self.webhook_url, self._clock = webhook_secret, webhook_url, now
        self.state = State(state_file)
        self.billing = Billing(self.state, self.faults, self._prices, self._now)
        self.console = Console()
        self._url = ""
        self.api = Api(self.state, self.billing, self.faults, self._now, lambda ref: f"{self._url}/pay/{ref}")
        self.requests: list[tuple[str, str, Object]] = []
        """Method, path and form of each request: what Stripe got to see."""

    def _now(self) -> int:
        return int(self._clock().timestamp())

    @asynccontextmanager
    async def running(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Listen, and yield the address that stands for `https://api.stripe.com`. Port 0: any free one."""
        app = web.Application(middlewares=[self._guarded])
        app.router.add_route("*", "/v1/{path:.+}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        async with ClientSession() as session:
            webhooks = Webhooks(session, self.webhook_url, self._secret, self.faults, self._now)
            self.state.told = webhooks.tell
            try:
                await web.TCPSite(runner, host, port).start()
                self._url = f"http://{host}:{runner.addresses[0][1]}"
                yield self._url
            finally:
                for task in list(webhooks.under_way):
                    task.cancel()
                await runner.cleanup()
                self.state.told = _nobody

    def complete(self, ref: str) -> None:
        """Have somebody pay on a page. Raises LookupError for one that is not open."""
        self.billing.run()
        checkout = self.state.checkouts[ref]
        if checkout["status"] != "open" or checkout["expires_at"] <= self._now() or self.faults.outage:
            raise LookupError(ref)
        self.billing.buy(checkout)
        self.state.save()

    def opened_with(self, key: str) -> str:
        """Return the page that was opened last with an idempotency key that begins so. Raises LookupError."""
        return str(
            [each["body"]["id"] for name, each in self.state.answers.items() if name.startswith(key)][-1]
        )

    def hold(self, thing: Object) -> None:
        """Hold an object as it is: a customer, a subscription or an invoice."""
        name = {"customer": "customers", "subscription": "subscriptions", "invoice": "invoices"}[
            thing["object"]
        ]
        getattr(self.state, name)[thing["id"]] = thing

    def holdings(self) -> dict[str, Any]:
        """How much is still held, and of what: what can be charged, and what is kept because the law demands it."""
        self.billing.run()
        living = [each for each in self.state.customers.values() if not each.get("deleted")]
        open_ones = [each for each in self.state.checkouts.values() if each["status"] == "open"]
        return {
            "customers": len(living),
            "subscriptions": sum(each["status"] not in OVER for each in self.state.subscriptions.values()),
            "checkouts": [each["id"] for each in open_ones],
            "invoices": len(self.state.invoices),
        }  # fmt: skip

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Any) -> web.StreamResponse:  # noqa: ANN401 - aiohttp's
        if self.faults.outage:
            return web.json_response({"error": {"type": "api_error"}}, status=503)
        if self.faults.spend("limit"):
            return web.json_response(
                {"error": {"type": "invalid_request_error", "code": "rate_limit"}}, status=429
            )
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self._key}".encode()):
            return web.json_response({"error": {"type": "invalid_request_error"}}, status=401)
        self.billing.run()
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        form = nested(await request.text() if request.method == "POST" else request.query_string)
        self.requests.append((request.method, request.path, form))
        status, body = self._once(request, form)
        self.state.save()
        if request.method != "GET" and self.faults.spend("silence") and request.transport is not None:
            request.transport.close()
        return web.json_response(body, status=status, headers={"Request-Id": "req_pico"})

    def _once(self, request: web.Request, form: Object) -> tuple[int, Object]:
        """Do what is asked; under a key that was used before, answer as the first time."""
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        asked = [request.path, form]
        earlier = self.state.answers.get(key or "")
        if earlier is not None and self._now() < earlier["at"] + KEY_LIVES:
            if earlier["asked"] != asked:
                return 400, {"error": {"type": "idempotency_error"}}
            return earlier["status"], earlier["body"]
        try:
            status, body = 200, self._do(request.method, request.path.removeprefix("/v1/").split("/"), form)
        except Refused as no:
            status, body = no.status, no.error
        if key is not None and status != 400:  # noqa: PLR2004 - what is not valid is not remembered
            self.state.answers[key] = {"asked": asked, "status": status, "body": body, "at": self._now()}
        return status, body

    def _do(self, method: str, path: list[str], form: Object) -> Object:
        """Find what was asked for among the three shapes of requests: of all, of one, and of one to do something."""
        match path:
            case ["customers" | "subscriptions" | "invoices" | "events" as name]:
                made = self.api.make_customer if name == "customers" else _unknown
                return made(form) if method == "POST" else self.api.list(name, form)
            case ["webhook_endpoints"] | ["billing_portal", "configurations"] if method == "GET":
                return self.console.listed(path[-1])
            case ["checkout" | "billing_portal" as name, "sessions"]:
                opened = self.api.open_checkout if name == "checkout" else self.api.open_portal
                return opened(form) if method == "POST" else self.api.list("checkouts", form)
            case ["checkout", "sessions", ref, "expire"]:
                return self.api.expire_checkout(ref)
            case [name, ref]:
                return self._of_one(method, name, ref, form)
        return _unknown(form)

    def _of_one(self, method: str, name: str, ref: str, form: Object) -> Object:
        known: dict[tuple[str, str], Callable[[], Object]] = {
            ("GET", "customers"): lambda: self.api.customer(ref),
            ("DELETE", "customers"): lambda: self.api.delete_customer(ref),
            ("POST", "subscriptions"): lambda: self.api.change_subscription(ref, form),
            ("DELETE", "subscriptions"): lambda: self.api.cancel_subscription(ref),
            ("POST", "invoices"): lambda: self.api.change_invoice(ref, form),
        }
        return known.get((method, name), lambda: _unknown(form))()


def _unknown(_form: Object) -> Object:
    raise Refused(404, "unknown_url")


def _nobody(_event: Object) -> None:
    """Tell nobody."""
