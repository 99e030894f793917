"""Webhook calls by aiohttp: bounded in time and size, to where the guard lets us, following nothing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Self

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver
from typing_extensions import override
from yarl import URL

from adapters.answers import AnswerTooLong, whole
from adapters.outbound.webhook_receivers.guard import Forbidden, Guard, GuardedResolver
from application.ports.webhook_receivers import WebhookCall, WebhookReceivers, WebhookUrlRefused
from domain.webhook_deliveries import WebhookAnswer
from domain.webhook_endpoints import InvalidWebhookUrl, WebhookUrl

SECONDS, LOOKING_UP = 10.0, 5.0
LARGEST_ANSWER = 64 << 10
"""Bytes that are read, and dropped, so that an honest server is not cut off in the middle of a word."""
AGENT = "Pico-Webhooks/1"


class GuardedReceivers(WebhookReceivers):
    """`WebhookReceivers` by HTTP/1.1. Each call has a connection of its own, which is closed behind it."""

    def __init__(
        self, session: ClientSession, resolver: AbstractResolver, guard: Guard, seconds: float
    ) -> None:
        self._session, self._resolver, self._guard, self._seconds = session, resolver, guard, seconds

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        guard: Guard,
        *,
        resolver: AbstractResolver | None = None,
        tls: SSLContext | bool = True,
        seconds: float = SECONDS,
    ) -> AsyncIterator[Self]:
        """Open what calls are made with. `resolver` and `tls` are the system's unless they are given."""
        guarded = GuardedResolver(guard, resolver)
        connector = TCPConnector(
            resolver=guarded,
            use_dns_cache=False,
            force_close=True,
            socket_factory=guard.socket_for,
            ssl=tls,
            limit=0,
        )
        async with ClientSession(
            connector=connector, cookie_jar=DummyCookieJar(), trust_env=False, auto_decompress=False,
            headers={"User-Agent": AGENT},
        ) as session:  # fmt: skip
            try:
                yield cls(session, guarded, guard, seconds)
            finally:
                await guarded.close()

    @override
    async def must_be_callable(self, url: WebhookUrl) -> None:
        try:
            target = self._target(url)
            async with asyncio.timeout(LOOKING_UP):
                if not url.is_loopback:
                    await self._resolver.resolve(target.host or "", target.port or 443, socket.AF_UNSPEC)
        except (OSError, TimeoutError, UnicodeError):
            raise WebhookUrlRefused from None

    @override
    async def call(self, url: WebhookUrl, call: WebhookCall) -> WebhookAnswer:
        try:
            async with asyncio.timeout(self._seconds):
                return _answer_of(await self._status(self._target(url), call))
        except Forbidden:
            return WebhookAnswer.FORBIDDEN
        except TimeoutError:
            return WebhookAnswer.TIMEOUT
        except (OSError, ClientError, UnicodeError, ValueError) as error:
            return WebhookAnswer.FORBIDDEN if _is_of(error, Forbidden) else WebhookAnswer.UNREACHABLE

    async def _status(self, target: URL, call: WebhookCall) -> int:
        headers = {
            "Content-Type": "application/json",
            "webhook-id": str(call.id),
            "webhook-timestamp": str(int(call.at.timestamp())),
            "webhook-signature": call.signatures,
        }
        request = self._session.post(
            target, data=call.body, headers=headers, allow_redirects=False,
            timeout=ClientTimeout(total=None), max_line_size=4096, max_field_size=4096,
        )  # fmt: skip
        async with request as answer:
            try:
                await whole(answer, LARGEST_ANSWER)
            except (AnswerTooLong, ClientError):
                answer.close()  # its status is all that counts
            return answer.status

    def _target(self, url: WebhookUrl) -> URL:
        """Return where to go, as it was given: nothing is decoded or put right. Raises Forbidden."""
        try:
            checked = WebhookUrl.parse(url)
        except InvalidWebhookUrl:
            raise Forbidden from None
        if checked.is_loopback and not self._guard.loopback:
            raise Forbidden
        return URL(checked, encoded=True)


def _answer_of(status: int) -> WebhookAnswer:
    if status == 410:  # noqa: PLR2004
        return WebhookAnswer.GONE
    classes: dict[int, WebhookAnswer] = {
        2: WebhookAnswer.SUCCESS,
        3: WebhookAnswer.REDIRECT,
        4: WebhookAnswer.REFUSAL,
    }
    return classes.get(status // 100, WebhookAnswer.ERROR)


def _is_of(error: BaseException | None, kind: type[BaseException]) -> bool:
    """Tell whether an error comes of one of a kind, however often it was wrapped."""
    while error is not None:
        if isinstance(error, kind) or isinstance(getattr(error, "os_error", None), kind):
            return True
        error = error.__cause__ or error.__context__
    return False
