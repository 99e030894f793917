"""The floor's edge: dispatch, who is asking, and what is remembered."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler
from multidict import CIMultiDict

from benchmarks.floor import pages, texts
from benchmarks.floor.database import Lanes
from benchmarks.floor.reading import No
from benchmarks.floor.sealing import NUMBER, TOKEN, Vault, blind_index, well_formed

BODY_LIMIT = 64 * 1024
REMEMBERED, KEPT_KEYS = 10_000, 1024

COMMON = {"Server": "Pico", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
PROBLEM = CIMultiDict({**COMMON, "Content-Type": "application/problem+json"})

MESSAGES = re.compile(r"/v1/conversations/([0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})/messages\Z")
SEND = re.compile(r"/v1/lines/([0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})/messages\Z")
BEARER = re.compile(r"[Bb]earer ([!-~]+)\Z")

LoadKey = Callable[[UUID], Awaitable[tuple[int, bytes] | None]]
"""Returns version and material of an account's key from the keyring, or None when it has none."""


class Floor:
    """The handler. `url` is where the carrier calls (https, no port), `token` what it signs with."""

    def __init__(
        self, lanes: Lanes, load_key: LoadKey, system_key: bytes, *, environment: str, token: str, url: str
    ) -> None:
        self.fetch = lanes.fetch
        self.token, self.addresses = token.encode(), (url + texts.SMS, f"{url}:443{texts.SMS}")
        self._load_key, self._system_key, self._environment = load_key, system_key, environment
        self._ciphers: dict[UUID, Vault] = {}
        self._lines: dict[str, tuple[UUID, UUID]] = {}
        self._accounts: dict[bytes, UUID] = {}

    async def __call__(self, request: web.BaseRequest) -> web.Response:
        path, _, query = request.raw_path.partition("?")
        method = request.method
        try:
            if path == texts.SMS and method == "POST":
                return await texts.receive(self, request, query)
            if path == "/v1/conversations" and method == "GET":
                return await pages.conversations(self, request, query)
            if (found := MESSAGES.match(path)) and method == "GET":
                return await pages.messages(self, request, query, found[1])
            if (found := SEND.match(path)) and method == "POST":
                return await texts.send(self, request, found[1].lower())
            no = No(404, "not_found")
        except No as refused:
            no = refused
        except (OSError, TimeoutError):
            no = No(503, "store_unavailable")
        return web.Response(status=no.status, body=no.body, headers=PROBLEM)

    async def caller(self, request: web.BaseRequest) -> tuple[bytes, UUID]:
        """Return the token's index, and whose it was when first seen: every statement sees whether it still is."""
        match = BEARER.match(request.headers.get("Authorization", ""))
        if match is None:
            raise No(401, "unauthenticated")
        token = blind_index(self._system_key, TOKEN, match[1])
        account = self._accounts.get(token)
        if account is None:
            rows = await self.fetch("session", token) if well_formed(match[1]) else ()
            if not rows:
                raise No(401, "unauthenticated")
            account = rows[0][0]
            _make_room(self._accounts, REMEMBERED)
            self._accounts[token] = account
        return token, account

    async def must_be_signed_in(self, token: bytes) -> None:
        """Ask once more, where a request's own statement has not, or could not tell."""
        if not await self.fetch("session", token):
            raise No(401, "unauthenticated")

    async def line(self, number: str) -> tuple[UUID, UUID] | None:
        """Return account and line that had this number when it was first seen."""
        found = self._lines.get(number)
        if found is None:
            rows = await self.fetch("line", blind_index(self._system_key, NUMBER, number))
            if not rows:
                return None
            _make_room(self._lines, REMEMBERED)
            found = self._lines[number] = rows[0][0], rows[0][1]
        return found

    def forget_line(self, number: str) -> None:
        self._lines.pop(number, None)

    async def cipher(self, account: UUID) -> Vault:
        """Return the account's working keys, 300 seconds old at most."""
        cipher = self._ciphers.get(account)
        if cipher is None or cipher.expires < time.monotonic():
            self._ciphers.pop(account, None)
            key = await self._load_key(account)
            if key is None:
                raise No(404, "key_gone")
            _make_room(self._ciphers, KEPT_KEYS)
            cipher = self._ciphers[account] = Vault(self._environment, account.bytes, *key)
        return cipher


def serve(handler: Floor) -> web.Server:
    """Return aiohttp's own low-level server: no router, no middleware, no access log."""

    def request(
        message: RawRequestMessage, payload: StreamReader, protocol: RequestHandler, writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> web.BaseRequest:  # fmt: skip
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=BODY_LIMIT)

    loop = asyncio.get_running_loop()
    return web.Server(handler, request_factory=request, access_log=None, auto_decompress=False)


def _make_room(where: dict, limit: int) -> None:
    if len(where) >= limit:
        del where[next(iter(where))]
