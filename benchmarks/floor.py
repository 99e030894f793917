"""The floor: four of Pico's answers written by hand over aiohttp and asyncpg, as fast as their public interfaces allow.

No layers, no models, no aggregates: a function an answer, a statement a request (floor_database.py), JSON by f-string,
sealing by offsets (floor_sealing.py). It promises what Pico promises, and benchmarks/check.py compares the answers and
every row they leave:

* the carrier's signature, the bearer token through its keyed index, JSON and query read as strictly;
* the same ciphertexts, associated data and blind indexes, under keys kept for 300 seconds at most;
* text, conversation, once-record and job in one durable commit, or none of them; nothing on a line that is not active,
  to whoever opted out, or twice for one act; a session revoked a moment ago opens nothing.

What it remembers (number -> line, index of a token -> account) is a guess that the request's own statement verifies.
"""

from __future__ import annotations

import hmac
import json
import re
import time
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote
from uuid import UUID

from aiohttp import web
from multidict import CIMultiDict

from benchmarks.floor_database import UNDONE, Lanes
from benchmarks.floor_sealing import (
    NUMBER,
    ONCE_KEY,
    ONCE_REQUEST,
    PEER,
    TOKEN,
    NewIds,
    Vault,
    fingerprint,
    well_formed,
)

BODY_LIMIT = 64 * 1024
REMEMBERED, KEPT_KEYS, TRIES = 10_000, 1024, 10
IDEMPOTENCY, REDELIVERY = timedelta(hours=24), timedelta(days=60)
EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)

COMMON = {"Server": "Pico", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
JSON = CIMultiDict({**COMMON, "Content-Type": "application/json"})
XML = CIMultiDict({**COMMON, "Content-Type": "text/xml; charset=utf-8"})
PLAIN = CIMultiDict({**COMMON, "Content-Type": "text/plain; charset=utf-8"})

SMS = "/webhooks/twilio/sms"
MESSAGES_OF_LINE = re.compile(r"/v1/lines/([0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})/messages\Z")
MESSAGES = re.compile(r"/v1/conversations/([0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})/messages\Z")
ID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\Z")
BEARER = re.compile(r"[Bb]earer ([!-~]+)\Z")
KEY = re.compile(r"[!-~]{1,255}\Z")
JSON_TYPE = re.compile(r'application/json\s*(;\s*charset="?utf-8"?\s*)?\Z', re.IGNORECASE)
REACHABLE = re.compile(r"(\+[1-9][0-9]{6,14}|[0-9]{3,8})\Z")
E164 = re.compile(r"\+[1-9][0-9]{6,14}\Z")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
LIMIT = re.compile(r"([1-9][0-9]?|100)\Z")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
KEYWORDS = dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"), 1)
KEYWORDS |= dict.fromkeys(("START", "YES", "UNSTOP"), -1)

quoted: Callable[[str], str] = json.encoder.encode_basestring  # type: ignore[attr-defined]
LoadKey = Callable[[UUID], Awaitable[tuple[int, bytes] | None]]
"""Returns version and material of an account's key from the keyring, or None when it has none."""


class No(Exception):
    """A refusal, by its status and its code."""

    def __init__(self, status: int, code: str, *flaws: tuple[str, str]) -> None:
        super().__init__(code)
        problem: dict[str, Any] = {"type": f"tag:callpico.io,2026:problem/{code}", "status": status, "code": code}
        if flaws:
            problem["errors"] = [{"pointer": pointer, "code": flaw} for pointer, flaw in flaws]
        self.status, self.body = status, json.dumps(problem).encode()


class Floor:
    """The handler. `url` is where the carrier calls, `token` what it signs with."""

    def __init__(
        self, lanes: Lanes, load_key: LoadKey, system_key: bytes, *, environment: str, token: str, url: str
    ) -> None:
        self.lanes, self.load_key, self.system_key = lanes, load_key, system_key
        self.environment, self.token, self.url = environment, token.encode(), url + SMS
        self.new_id = NewIds()
        self.vaults: dict[UUID, Vault] = {}
        self.lines: dict[str, tuple[UUID, UUID]] = {}
        self.accounts: dict[bytes, UUID] = {}

    async def __call__(self, request: web.BaseRequest) -> web.Response:
        path, _, query = request.raw_path.partition("?")
        method = request.method
        try:
            if path == SMS and method == "POST":
                return await self.receive(request, query)
            if path == "/v1/conversations" and method == "GET":
                return await self.conversations(request, query)
            if (found := MESSAGES.match(path)) and method == "GET":
                return await self.messages(request, query, found[1])
            if (found := MESSAGES_OF_LINE.match(path)) and method == "POST":
                return await self.send(request, found[1].lower())
            raise No(404, "not_found")
        except No as no:
            return web.Response(
                status=no.status, body=no.body, headers={**COMMON, "Content-Type": "application/problem+json"}
            )
        except (OSError, TimeoutError):
            return web.Response(status=503, headers=PLAIN)

    # -------------------------------------------------------------------------------------- inbound text

    async def receive(self, request: web.BaseRequest, query: str) -> web.Response:
        headers = request.headers
        signature = headers.get("X-Twilio-Signature")
        form = signature and self._form(await request.read())
        if not form or not signature or "X-Twilio-Webhooks-Signature-Settings" in headers:
            return web.Response(status=403, headers=PLAIN, body=b"forbidden\n")
        url = f"{self.url}?{query}" if query else self.url
        signed = "".join([url, *[name + value for name, value in sorted(set(form))]])
        mac = b64encode(hmac.digest(self.token, signed.encode("utf-8", "surrogatepass"), "sha1"))
        if not hmac.compare_digest(mac, signature.encode("utf-8", "replace")):
            return web.Response(status=403, headers=PLAIN, body=b"forbidden\n")
        fields = dict(form)
        ref, sender, to = fields.get("MessageSid"), fields.get("From"), fields.get("To")
        if not ref or not sender or not to:
            return web.Response(status=400, headers=PLAIN, body=b"malformed\n")
        if E164.match(to) and len(sender) <= 64 and sender.strip() == sender and not CONTROL.search(sender):
            body = fields.get("Body", "")
            opted = {"STOP": 1, "START": -1}.get(fields.get("OptOutType", ""))
            await self._take_in(
                ref, sender, to, body, KEYWORDS.get(body.strip().upper(), 0) if opted is None else opted
            )
        return web.Response(headers=XML, body=b"<Response/>")

    @staticmethod
    def _form(raw: bytes) -> list[tuple[str, str]] | None:
        pairs = []
        try:
            for part in raw.decode().replace("+", " ").split("&"):
                name, _, value = part.partition("=")
                if "%" in name:
                    name = unquote(name, errors="strict")
                pairs.append((name, unquote(value, errors="strict") if "%" in value else value))
        except ValueError:
            return None
        return pairs if len(pairs) <= 200 else None

    async def _take_in(self, ref: str, sender: str, to: str, body: str, opted: int) -> None:
        for _ in range(2):
            owner = self.lines.get(to)
            if owner is None:
                rows = await self.lanes.fetch("line", fingerprint(self.system_key, NUMBER, to))
                if not rows:
                    return
                owner = _remember(self.lines, to, (rows[0][0], rows[0][1]))
            if await self._keep(*owner, ref, sender, body, opted):
                return
            del self.lines[to]  # the number has moved on: ask afresh, once

    async def _keep(self, account: UUID, line: UUID, ref: str, sender: str, body: str, opted: int) -> bool:
        vault = self.vaults.get(account)
        if (vault is None or vault.expires < time.monotonic()) and not (vault := await self._open(account)):
            return False
        now, (row, message), index = datetime.now(UTC), self.new_id(), vault.index
        peer = fingerprint(index, PEER, sender)
        act = fingerprint(index, ONCE_KEY, f"receive:{ref}")
        values = (
            account, line, peer, message, vault.seal(vault.body, row, body), now,
            self.new_id()[1], act, fingerprint(index, ONCE_REQUEST, ""), now + REDELIVERY, ref, opted,
        )  # fmt: skip
        for _ in range(TRIES):
            try:
                await self.lanes.fetch("receive", *values)
            except UNDONE:
                pass
            else:
                return True
            why = await self.lanes.fetch("why", account, line, peer, act)
            if not why or why[0][0] == "released":
                return False
            if why[0][0] != "active" or why[0][3] is not None:
                return True
            if why[0][1] is None:
                raw, conversation = self.new_id()
                try:
                    await self.lanes.fetch(
                        "receive first", *values, conversation, vault.seal(vault.peer, raw, sender)
                    )
                except UNDONE:
                    continue
                return True
        raise No(409, "stale")

    # ------------------------------------------------------------------------------------- outbound text

    async def send(self, request: web.BaseRequest, line: str) -> web.Response:
        token, account = await self._caller(request)
        try:
            key = self._idempotency_key(request)
            to, body = await self._text(request)
        except No:
            await self._must_be_signed_in(token)
            raise
        vault = self.vaults.get(account)
        if (vault is None or vault.expires < time.monotonic()) and not (vault := await self._open(account)):
            raise No(404, "key_gone")
        now, (row, message), index = datetime.now(UTC), self.new_id(), vault.index
        peer = fingerprint(index, PEER, to)
        act = fingerprint(index, ONCE_KEY, f"send:{key}")
        same = fingerprint(index, ONCE_REQUEST, f"{line}\x1f{to}\x1f{body}")
        values = (
            account, line, peer, message, vault.seal(vault.body, row, body), now,
            self.new_id()[1], act, same, now + IDEMPOTENCY, token,
        )  # fmt: skip
        for _ in range(TRIES):
            try:
                rows = await self.lanes.fetch("send", *values)
            except UNDONE:
                pass
            else:
                return _accepted(message, rows[0][0], line, body, now)
            await self._must_be_signed_in(token)
            why = await self.lanes.fetch("why", account, line, peer, act)
            if not why:
                raise No(404, "not_found")
            state, conversation, opted_out_at, prior, request_then = why[0]
            if prior is not None:
                if request_then != same:
                    raise No(422, "idempotency_mismatch")
                found = await self.lanes.fetch("message", account, prior)
                if not found:
                    raise No(404, "not_found")
                return _accepted(found[0][0], found[0][1], line, body, found[0][2])
            if state != "active":
                raise No(409, "line_not_active")
            if opted_out_at is not None:
                raise No(409, "opted_out")
            if conversation is None:
                raw, conversation = self.new_id()
                try:
                    await self.lanes.fetch("send first", *values, conversation, vault.seal(vault.peer, raw, to))
                except UNDONE:
                    continue
                return _accepted(message, conversation, line, body, now)
        raise No(409, "stale")

    @staticmethod
    def _idempotency_key(request: web.BaseRequest) -> str:
        keys = request.headers.getall("Idempotency-Key", ())
        if not keys:
            raise No(400, "idempotency_key_missing")
        if len(keys) > 1 or not KEY.match(keys[0]):
            raise No(400, "idempotency_key_malformed")
        return keys[0]

    @staticmethod
    async def _text(request: web.BaseRequest) -> tuple[str, str]:
        headers = request.headers
        if not JSON_TYPE.match(headers.get("Content-Type", "")) or "Content-Encoding" in headers:
            raise No(415, "unsupported_media_type")
        try:
            raw = await request.read()
            given = decoder.decode(raw.decode())
        except web.HTTPRequestEntityTooLarge:
            raise No(413, "body_too_large") from None
        except (ValueError, RecursionError):
            raise No(400, "malformed_json") from None
        if type(given) is not dict:
            raise No(422, "invalid_input", ("", "wrong_type"))
        if b"\\u" in raw and any(type(said) is str and UNSTORABLE.search(said) for said in (*given, *given.values())):
            raise No(400, "malformed_json")
        flaws = []
        to, body = given.get("to"), given.get("body")
        if type(to) is not str:
            flaws.append(("/to", "wrong_type" if "to" in given else "missing"))
        elif not REACHABLE.match(to):
            flaws.append(("/to", "not_e164"))
        if type(body) is not str:
            flaws.append(("/body", "wrong_type" if "body" in given else "missing"))
        elif not 1 <= len(body) <= 1600 or "\x00" in body:
            flaws.append(("/body", "not_a_body"))
        if len(given) > ("to" in given) + ("body" in given):
            flaws.append(("", "unknown_field"))
        if flaws:
            raise No(422, "invalid_input", *flaws)
        return to, body  # type: ignore[return-value]

    # ---------------------------------------------------------------------------------------------- pages

    async def conversations(self, request: web.BaseRequest, query: str) -> web.Response:
        token, account = await self._caller(request)
        try:
            asked = _query(query, "limit", "cursor", "line")
            limit = _limit(asked)
            line, place, name = asked.get("line"), (), "conversations"
            if line is not None:
                if not ID.match(line):
                    raise No(422, "invalid_input", ("/line", "malformed"))
                name, place = "conversations of line", (line,)
            if (cursor := asked.get("cursor")) is not None:
                name, place = name + " from", (*place, *_time_place(cursor))
        except No:
            await self._must_be_signed_in(token)
            raise
        vault = self.vaults.get(account)
        if (vault is None or vault.expires < time.monotonic()) and not (vault := await self._open(account)):
            raise No(404, "key_gone")
        rows = await self.lanes.fetch(name, account, token, limit + 1, *place)
        if not rows:
            await self._must_be_signed_in(token)
        more = None
        if len(rows) > limit:
            del rows[limit:]
            at = (rows[-1][3] - EPOCH) // MICROSECOND
            more = urlsafe_b64encode(at.to_bytes(8) + rows[-1][0].bytes).decode()
        opened, peer = vault.open, vault.peer
        items = [
            f'{{"id":"{row}","line_id":"{line}","peer":{quoted(opened(peer, row.bytes, sealed))},'
            f'"last_at":"{last_at.isoformat()[:-6]}Z","unread":{unread},'
            f'"opted_out_at":{opted_out_at and _time(opted_out_at) or "null"},'
            f'"created_at":"{created_at.isoformat()[:-6]}Z"}}'
            for row, line, sealed, last_at, unread, opted_out_at, created_at in rows
        ]
        return _page(items, more)

    async def messages(self, request: web.BaseRequest, query: str, conversation: str) -> web.Response:
        token, account = await self._caller(request)
        try:
            asked = _query(query, "limit", "cursor")
            limit = _limit(asked)
            place: tuple = (conversation,)
            if (cursor := asked.get("cursor")) is not None:
                place = (conversation, _id_place(cursor))
        except No:
            await self._must_be_signed_in(token)
            raise
        vault = self.vaults.get(account)
        if (vault is None or vault.expires < time.monotonic()) and not (vault := await self._open(account)):
            raise No(404, "key_gone")
        name = "messages" if len(place) == 1 else "messages from"
        rows = await self.lanes.fetch(name, account, token, limit + 1, *place)
        more = None
        if not rows:
            await self._must_be_signed_in(token)
            if not await self.lanes.fetch("conversation", account, conversation):
                raise No(404, "not_found")
        elif len(rows) > limit:
            del rows[limit:]
            more = urlsafe_b64encode(rows[-1][0].bytes).decode().rstrip("=")
        opened, body = vault.open, vault.body
        # All texts of a conversation are of its line.
        of = f'"conversation_id":"{conversation.lower()}","line_id":"{rows[0][1]}"' if rows else ""
        items = [
            f'{{"id":"{row}",{of},"direction":"{direction}","status":"{status}",'
            f'"body":{quoted(opened(body, row.bytes, sealed))},"created_at":"{created_at.isoformat()[:-6]}Z",'
            f'"error":{"null" if error is None else error}}}'
            for row, _, direction, status, sealed, created_at, error in rows
        ]
        return _page(items, more)

    # --------------------------------------------------------------------------------------- who and keys

    async def _caller(self, request: web.BaseRequest) -> tuple[bytes, UUID]:
        """Return the token's index, and whose it was when last seen: the request's statement sees whether it still is."""
        match = BEARER.match(request.headers.get("Authorization", ""))
        if match is None:
            raise No(401, "unauthenticated")
        token = fingerprint(self.system_key, TOKEN, match[1])
        account = self.accounts.get(token)
        if account is None:
            rows = well_formed(match[1]) and await self.lanes.fetch("session", token)
            if not rows:
                raise No(401, "unauthenticated")
            account = _remember(self.accounts, token, rows[0][0])
        return token, account

    async def _must_be_signed_in(self, token: bytes) -> None:
        if not await self.lanes.fetch("session", token):
            raise No(401, "unauthenticated")

    async def _open(self, account: UUID) -> Vault | None:
        self.vaults.pop(account, None)
        key = await self.load_key(account)
        return key and _remember(self.vaults, account, Vault(self.environment, account.bytes, *key), KEPT_KEYS)


def _remember(where: dict, name: Any, value: Any, limit: int = REMEMBERED) -> Any:
    if len(where) >= limit:
        del where[next(iter(where))]
    where[name] = value
    return value


def _accepted(message: object, conversation: object, line: str, body: str, at: datetime) -> web.Response:
    return web.Response(
        status=202, headers=JSON,
        body=(
            f'{{"id":"{message}","conversation_id":"{conversation}","line_id":"{line}","direction":"outbound",'
            f'"status":"queued","body":{quoted(body)},"created_at":{_time(at)},"error":null}}'
        ).encode(),
    )  # fmt: skip


def _page(items: list[str], more: str | None) -> web.Response:
    end = f'"{more}"' if more else "null"
    return web.Response(headers=JSON, body=f'{{"items":[{",".join(items)}],"next_cursor":{end}}}'.encode())


def _time(at: datetime) -> str:
    return f'"{at.isoformat()[:-6]}Z"'


def _query(query: str, *known: str) -> dict[str, str]:
    if not query:
        return {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=20)
    except ValueError:
        raise No(400, "malformed_query") from None
    asked = dict(pairs)
    if len(asked) != len(pairs):
        raise No(400, "malformed_query")
    if not asked.keys() <= set(known):
        raise No(422, "invalid_input", ("", "unknown_field"))
    return asked


def _limit(asked: dict[str, str]) -> int:
    limit = asked.get("limit", "50")
    if not LIMIT.match(limit):
        raise No(422, "invalid_input", ("/limit", "malformed"))
    return int(limit)


def _id_place(cursor: str) -> UUID:
    try:
        place = UUID(bytes=urlsafe_b64decode(cursor + "=="))
    except ValueError:
        place = None
    if place is None or urlsafe_b64encode(place.bytes).decode().rstrip("=") != cursor:
        raise No(422, "invalid_input", ("/cursor", "malformed"))
    return place


def _time_place(cursor: str) -> tuple[datetime, UUID]:
    try:
        raw = urlsafe_b64decode(cursor)
        place = EPOCH + int.from_bytes(raw[:8]) * MICROSECOND, UUID(bytes=raw[8:])
    except (ValueError, OverflowError):
        raw, place = b"", None
    if place is None or urlsafe_b64encode(raw).decode() != cursor:
        raise No(422, "invalid_input", ("/cursor", "malformed"))
    return place


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError
    return value


def _finite(_constant: str) -> float:
    raise ValueError


decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_finite)
