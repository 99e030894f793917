"""The floor's edge: dispatch, who is asking, and what is remembered."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from secrets import token_hex
from typing import NamedTuple
from uuid import UUID

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler
from multidict import CIMultiDict

from adapters.inbound.http.well_formed import must_be_well_formed
from adapters.inbound.http_io import BadRequest
from benchmarks.floor import calling, pages, receiving, sending
from benchmarks.floor.binding import session_data
from benchmarks.floor.database import Lanes
from benchmarks.floor.reading import COMMON, No
from benchmarks.floor.sealing import NUMBER, TOKEN, Broken, Vault, blind_index, well_formed
from domain.limits import Limit

BODY_LIMIT = 64 * 1024
REMEMBERED, KEPT_KEYS = 10_000, 20_000
SECONDS = 30.0
"""How long the floor remembers whose number or token it was, without asking again."""
DAY, IDLE, LONGEST = timedelta(days=1), timedelta(days=30), timedelta(days=180)
"""A session ends so long after the day on which it was last used, and so long after it began in any case."""

PROBLEM = CIMultiDict({**COMMON, "Content-Type": "application/problem+json"})

MESSAGES = re.compile(r"/v1/conversations/([0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})/messages\Z")
SEND = re.compile(r"/v1/lines/([0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})/messages\Z")
BEARER = re.compile(r"bearer +([!-~]+)\Z", re.IGNORECASE)

LoadKey = Callable[[UUID], Awaitable[tuple[int, bytes] | None]]
"""Returns version and material of an account's key from the keyring, or None when it has none."""


class Caller(NamedTuple):
    """Whose session a token opens: the row that vouches for it, and until when that need not be looked into again."""

    token: str
    account: UUID
    id: UUID
    row: tuple
    until: float


class Floor:
    """The handler. `url` is where the carrier calls (https, no port), `token` what it signs with.

    `limit` is what an account may spend.
    """

    def __init__(
        self, lanes: Lanes, load_key: LoadKey, system_key: bytes, limits_key: bytes, *,
        limit: Limit, environment: str, token: str, url: str,
    ) -> None:  # fmt: skip
        self.fetch = lanes.fetch
        self.token, self.addresses = token.encode(), (url + receiving.SMS, f"{url}:443{receiving.SMS}")
        self.voice_addresses = (url + calling.VOICE, f"{url}:443{calling.VOICE}")
        self.limits_key, self.limit = limits_key, limit
        self._load_key, self._system_key, self._environment = load_key, system_key, environment
        self._vaults: dict[UUID, Vault] = {}
        self._leases: dict[str, tuple[UUID, UUID, float]] = {}
        self._callers: dict[bytes, Caller] = {}

    async def __call__(self, request: web.BaseRequest) -> web.Response:
        name = token_hex(16)
        try:
            must_be_well_formed(request)
            response = await self._answer(request)
        except No as refused:
            no = refused
        except Broken:
            no = No(409, "seal_broken")
        except BadRequest:
            no = No(400, "bad_request")
        except (OSError, TimeoutError):
            no = No(503, "store_unavailable")
        else:
            response.headers["Request-Id"] = name
            return response
        said = json.dumps(no.problem | {"request_id": name}).encode()
        response = web.Response(status=no.status, body=said, headers=PROBLEM)
        response.headers["Request-Id"] = name
        if no.problem["code"] == "bad_request":
            response.force_close()
        return response

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        path, _, query = request.raw_path.partition("?")
        method = request.method
        if path == receiving.SMS and method == "POST":
            return await receiving.receive(self, request, query)
        if path == calling.VOICE and method == "POST":
            return await calling.answer(self, request, query)
        if path == "/v1/conversations" and method == "GET":
            return await pages.conversations(self, request, query)
        if (found := MESSAGES.match(path)) and method == "GET":
            return await pages.messages(self, request, query, found[1])
        if (found := SEND.match(path)) and method == "POST":
            return await sending.send(self, request, found[1].lower())
        raise No(404, "not_found")

    async def caller(self, request: web.BaseRequest) -> Caller:
        """Return who was signed in when last looked: every request sees for itself whether they still are."""
        given = request.headers.getall("Authorization", ())
        match = BEARER.match(given[0]) if len(given) == 1 else None
        if match is None:
            raise No(401, "unauthenticated")
        known = self._callers.get(index := blind_index(self._system_key, TOKEN, match[1]))
        if known is None or known.until < time.time():
            known = await self._signed_in(match[1], index)
        return known

    async def again(self, caller: Caller) -> Caller:
        """Ask once more, where a request's own statement has not, or could not tell."""
        return await self._signed_in(caller.token, blind_index(self._system_key, TOKEN, caller.token))

    async def _signed_in(self, token: str, index: bytes) -> Caller:
        self._callers.pop(index, None)
        rows = await self.fetch("session", index) if well_formed(token) else ()
        if not rows:
            raise No(401, "unauthenticated")
        account, session, sealed, created_at, ends_at, version = rows[0]
        try:
            vault, bound = await self.vault(account), session_data(created_at, ends_at, version)
            fingerprint = vault.open(vault.fingerprint, session.bytes, sealed, bound)
        except (Broken, No):
            raise No(401, "unauthenticated") from None
        now, digest = datetime.now(UTC), sha256(token.encode()).digest()
        if not compare_digest(fingerprint, digest) or now >= ends_at:
            raise No(401, "unauthenticated")
        tomorrow = now.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
        used_until = min(tomorrow + IDLE, created_at + LONGEST)
        if used_until > ends_at:  # once a day
            bound = session_data(created_at, used_until, version + 1)
            resealed = vault.seal(vault.fingerprint, session.bytes, digest, bound)
            if await self.fetch("use session", account, session, version, used_until, resealed):
                sealed, ends_at, version = resealed, used_until, version + 1
        until = min(time.time() + SECONDS, tomorrow.timestamp(), ends_at.timestamp())
        caller = Caller(token, account, session, (sealed, created_at, ends_at, version), until)
        _make_room(self._callers, REMEMBERED)
        self._callers[index] = caller
        return caller

    async def lease(self, number: str, *, fresh: bool) -> tuple[UUID, UUID] | None:
        """Return account and line that have this number, or had it when last looked."""
        known = None if fresh else self._leases.get(number)
        if known is None or known[2] < time.monotonic():
            self._leases.pop(number, None)
            rows = await self.fetch("lease", blind_index(self._system_key, NUMBER, number))
            if not rows:
                return None
            _make_room(self._leases, REMEMBERED)
            known = self._leases[number] = rows[0][0], rows[0][1], time.monotonic() + SECONDS
        return known[0], known[1]

    async def vault(self, account: UUID) -> Vault:
        """Return the account's working keys, 300 seconds old at most."""
        vault = self._vaults.get(account)
        if vault is None or vault.expires < time.monotonic():
            self._vaults.pop(account, None)
            key = await self._load_key(account)
            if key is None:
                raise No(404, "key_gone")
            _make_room(self._vaults, KEPT_KEYS)
            vault = self._vaults[account] = Vault(self._environment, account.bytes, *key)
        return vault


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
