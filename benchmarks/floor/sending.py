"""The floor queues a message."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from aiohttp import web
from multidict import CIMultiDict

from benchmarks.floor import reading as read
from benchmarks.floor.binding import ONE, QUEUED, identity, record_data
from benchmarks.floor.cutting import cut
from benchmarks.floor.database import UNDONE
from benchmarks.floor.looking import Looked
from benchmarks.floor.pages import message_data
from benchmarks.floor.reading import COMMON, No
from benchmarks.floor.sealing import ACT, ASKED, BLOCKED, PEER, SPENT, STOPPED, Vault, blind_index, new_id

if TYPE_CHECKING:
    from benchmarks.floor.server import Floor

TRIES = 10
IDEMPOTENCY = timedelta(hours=24)
JSON = CIMultiDict({**COMMON, "Content-Type": "application/json"})

quoted: Callable[[str], str] = json.encoder.encode_basestring


async def send(floor: Floor, request: web.BaseRequest, line: str) -> web.Response:
    caller = await floor.caller(request)
    try:
        key = read.idempotency_key(request)
        to, said = await read.message(request)
    except No:
        await floor.again(caller)
        raise
    account = caller.account
    vault = await floor.vault(account)
    index, line_id = vault.index, bytes.fromhex(line.replace("-", ""))
    peer, stop = blind_index(index, PEER, to), blind_index(index, STOPPED, to)
    act, blocked = blind_index(index, ACT, f"send:{key}"), blind_index(index, BLOCKED, to)
    asked = blind_index(index, ASKED, f"{line}\x1f{to}\x1f{said}")
    for _ in range(TRIES):
        rows = await floor.fetch("look before sending", account, line, peer, stop, blocked, caller.id)
        if not rows or rows[0][:4] != caller.row:
            caller = await floor.again(caller)
            continue
        if rows[0]["state"] is None:
            raise No(404, "not_found")
        looked = Looked.at(vault, line_id, rows[0][4:], to)
        no = _why_not(looked, to)
        if no is None:
            now = datetime.now(UTC)
            taking = _taking(floor, vault, account, looked.line.country, to, said, now)
            talk, message, name, values = _written(vault, looked, to, said, now, (act, asked, peer))
            try:
                await floor.fetch(name, account, line, looked.line.version, *values, *taking)
            except UNDONE:
                no = await _too_much(floor, taking, now)
            else:
                return _accepted(message, talk, line, (looked.line.number, to), said, now, repeated=False)
        if done := await floor.fetch("done", account, act):
            message, talk, now = await _replayed(floor, vault, account, done[0], asked)
            return _accepted(message, talk, line, (looked.line.number, to), said, now, repeated=True)
        if no is not None:
            raise no
    raise No(409, "version_conflict")


def _why_not(looked: Looked, to: str) -> No | None:
    """Return what stands against a message, as far as nobody has asked for it before."""
    line = looked.line
    if line.state != "active":
        return No(409, "line_not_active")
    if not line.carries:
        return No(409, "line_without_messages")
    if far := "unreachable_number" if to == line.number else read.unreachable(to, line.country):
        return No(422, far)
    if looked.blocked or not looked.whole:
        return No(409, "number_blocked" if looked.blocked else "seal_broken")
    if looked.opted_out_at is not None or looked.stopped_at is not None:
        return No(409, "opted_out")
    return None


def _taking(
    floor: Floor, vault: Vault, account: UUID, country: str, to: str, said: str, now: datetime
) -> tuple[bytes, timedelta, datetime]:
    """Return whose limit a message takes of, how much, and until when all must be back. Raises No."""
    if vault.spent is None:
        vault.spent = blind_index(floor.limits_key, SPENT, str(account))
    price = read.price(to, country)
    return vault.spent, floor.limit.every * (cut(said)[1] * price), now + floor.limit.room


async def _too_much(floor: Floor, taking: tuple, now: datetime) -> No | None:
    """Return that there is not enough left, if that is what stood against a write."""
    return No(429, "spend_limited") if await floor.fetch("spent", taking[0], now, *taking[1:]) else None


def _written(
    vault: Vault, looked: Looked, to: str, said: str, now: datetime, indexes: tuple
) -> tuple[object, str, str, tuple]:
    """Return conversation and id of a message, the statement that queues it, its values after the line's."""
    act, asked, peer = indexes
    row, message = new_id(looked.last_at)
    talk, version = looked.conversation, looked.version
    raw, talk = new_id() if talk is None else (talk.bytes, talk)
    body = vault.seal(vault.body, row, said.encode(), ONE + identity(raw) + looked.line.bound + QUEUED)
    expires_at, (record, record_id) = now + IDEMPOTENCY, new_id()
    seal = vault.seal(vault.act, record, b"", record_data(row, expires_at, 1))
    values = talk, version or 1, now, message, body, record_id, act, asked, seal, expires_at
    if version is not None:
        return talk, message, "send", (*values, looked.goes_on(now))
    sealed = looked.sealed_with(vault, raw, to, None, 1)
    return talk, message, "send first", (*values, sealed, peer)


async def _replayed(floor: Floor, vault: Vault, account: UUID, record: tuple, asked: bytes) -> tuple:
    """Return id, conversation and instant of what the same request made before."""
    message, before, id_, seal, expires_at, version = record
    vault.open(vault.act, id_.bytes, seal, record_data(message and message.bytes, expires_at, version))
    if asked != before or message is None:
        raise No(422, "idempotency_mismatch")
    found = await floor.fetch("message", account, message)
    if not found:
        raise No(404, "not_found")
    row, line, direction, status, sealed, created_at, attachments, _, _, _, *rest, talk = found[0]
    of = identity(talk.bytes) + identity(line.bytes)
    vault.open(vault.body, row.bytes, sealed, message_data(of, direction, status, attachments, *rest))
    return row, talk, created_at


def _accepted(
    message: object,
    conversation: object,
    line: str,
    ends: tuple[str, str],
    said: str,
    at: datetime,
    *,
    repeated: bool,
) -> web.Response:
    headers = JSON.copy()
    encoding, segments = cut(said)
    headers["Location"] = f"/v1/messages/{message}"
    headers["Idempotency-Replayed"] = "true" if repeated else "false"
    return web.Response(
        status=202, headers=headers,
        body=(
            f'{{"id":"{message}","conversation_id":"{conversation}","line_id":"{line}","from":"{ends[0]}",'
            f'"to":{quoted(ends[1])},"direction":"outbound","status":"queued","body":{quoted(said)},"created_at":"{at.isoformat()[:-6]}Z","attachments":0,"failure":null,'
            f'"client_reference":null,"send_at":null,"encoding":"{encoding}","segments":{segments}}}'
        ).encode(),
    )  # fmt: skip
