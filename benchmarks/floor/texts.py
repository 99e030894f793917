"""The floor's texts: one comes in, one is to go out. What goes wrong is looked into only after it has gone wrong."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from aiohttp import web
from multidict import CIMultiDict

from benchmarks.floor import reading as read
from benchmarks.floor.database import UNDONE
from benchmarks.floor.reading import No
from benchmarks.floor.sealing import ONCE_KEY, ONCE_REQUEST, PEER, NewIds, Vault, blind_index

if TYPE_CHECKING:
    from benchmarks.floor.server import Floor

SMS = "/webhooks/twilio/sms"
TRIES = 10
IDEMPOTENCY, REDELIVERY = timedelta(hours=24), timedelta(days=60)
KEYWORDS = dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"), 1)
KEYWORDS |= dict.fromkeys(("START", "YES", "UNSTOP"), -1)
OPTED = {"STOP": 1, "START": -1}

COMMON = {"Server": "Pico", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
JSON = CIMultiDict({**COMMON, "Content-Type": "application/json"})
XML = CIMultiDict({**COMMON, "Content-Type": "text/xml; charset=utf-8"})
PLAIN = CIMultiDict({**COMMON, "Content-Type": "text/plain; charset=utf-8"})

quoted: Callable[[str], str] = json.encoder.encode_basestring
new_id = NewIds()


async def receive(floor: Floor, request: web.BaseRequest, query: str) -> web.Response:
    form = await _verified(floor, request, query)
    if not form:
        return web.Response(status=403, headers=PLAIN, body=b"forbidden\n")
    fields = dict(form)
    ref, sender, to = fields.get("MessageSid"), fields.get("From"), fields.get("To")
    if not ref or not sender or not to:
        return web.Response(status=400, headers=PLAIN, body=b"malformed\n")
    if read.E164.match(to) and read.peer(sender):
        body = fields.get("Body", "")
        opted = OPTED.get(fields.get("OptOutType", "")) or KEYWORDS.get(body.strip().upper(), 0)
        try:
            lease = read.lease(query)
        except ValueError:
            return web.Response(headers=XML, body=b"<Response/>")
        for _ in range(2):
            owner = await floor.line(to)
            if owner is None or (
                (lease is None or lease == owner[1])
                and await _take_in(floor, *owner, ref, sender, body, opted)
            ):
                break
            floor.forget_line(to)  # the number has moved on: ask afresh, once
    return web.Response(headers=XML, body=b"<Response/>")


async def _verified(floor: Floor, request: web.BaseRequest, query: str) -> list[tuple[str, str]] | None:
    """Return the form if the carrier signed it for the address we gave it, with or without the port."""
    headers = request.headers
    signature = headers.get("X-Twilio-Signature")
    algorithm = headers.get("X-Twilio-Webhooks-Signature-Settings", "").upper().partition("ALGORITHM=")[2]
    form = read.form(await request.read()) if signature and algorithm in {"", "HMAC_SHA1"} else None
    if not form or not signature:
        return None
    given = signature.encode("utf-8", "replace")
    fields = "".join([name + value for name, value in sorted(set(form))])
    for address in floor.addresses:
        signed = f"{address}?{query}{fields}" if query else address + fields
        mac = b64encode(hmac.digest(floor.token, signed.encode("utf-8", "surrogatepass"), "sha1"))
        if hmac.compare_digest(mac, given):
            return form
    return None


async def _take_in(
    floor: Floor, account: UUID, line: UUID, ref: str, sender: str, body: str, opted: int
) -> bool:
    """Keep a text, unless it was kept before or the line takes none. Tell whether the line still has its number."""
    try:
        cipher = await floor.cipher(account)
    except No:
        return False
    now, (row, message), index = datetime.now(UTC), new_id(), cipher.index
    peer, act = blind_index(index, PEER, sender), blind_index(index, ONCE_KEY, f"receive:{ref}")
    values = (
        account, line, peer, message, cipher.seal(cipher.body, row, body), now,
        new_id()[1], act, blind_index(index, ONCE_REQUEST, ""), now + REDELIVERY, ref, opted,
    )  # fmt: skip
    for _ in range(TRIES):
        try:
            await floor.fetch("receive", *values)
        except UNDONE:
            pass
        else:
            return True
        why = await floor.fetch("why", account, line, peer, act)
        if not why or why[0]["state"] in {"released", "failed"}:
            return False
        if why[0]["state"] != "active" or why[0]["resource_id"] is not None:
            return True
        if why[0]["id"] is None:
            raw, conversation = new_id()
            try:
                await floor.fetch(
                    "receive first", *values, conversation, cipher.seal(cipher.peer, raw, sender)
                )
            except UNDONE:
                continue
            return True
    raise No(409, "version_conflict")


async def send(floor: Floor, request: web.BaseRequest, line: str) -> web.Response:
    token, account = await floor.caller(request)
    try:
        key = read.idempotency_key(request)
        to, body = await read.text(request)
    except No:
        await floor.must_be_signed_in(token)
        raise
    cipher = await floor.cipher(account)
    now, (row, message), index = datetime.now(UTC), new_id(), cipher.index
    values = (
        account, line, blind_index(index, PEER, to), message, cipher.seal(cipher.body, row, body), now,
        new_id()[1], blind_index(index, ONCE_KEY, f"send:{key}"),
        blind_index(index, ONCE_REQUEST, f"{line}\x1f{to}\x1f{body}"), now + IDEMPOTENCY, token,
    )  # fmt: skip
    new = message
    try:
        rows = await floor.fetch("send", *values)
    except UNDONE:
        message, conversation, now = await _send_or_say_why(floor, cipher, values, to)
    else:
        conversation = rows[0][0]
    headers = JSON.copy()
    headers["Location"] = f"/v1/messages/{message}"
    headers["Idempotency-Replayed"] = "false" if message == new else "true"
    return web.Response(
        status=202, headers=headers,
        body=(
            f'{{"id":"{message}","conversation_id":"{conversation}","line_id":"{line}","direction":"outbound",'
            f'"status":"queued","body":{quoted(body)},"created_at":"{now.isoformat()[:-6]}Z","attachments":0,"failure":null}}'
        ).encode(),
    )  # fmt: skip


async def _send_or_say_why(floor: Floor, cipher: Vault, values: tuple, to: str) -> tuple:
    """Return what the answer says of the text: its id, its conversation's, when it was accepted. Raises No."""
    account, line, peer, message, _, now, _, act, asked, _, token = values
    for _ in range(TRIES):
        await floor.must_be_signed_in(token)
        why = await floor.fetch("why", account, line, peer, act)
        if not why:
            raise No(404, "not_found")
        state, conversation, opted_out_at, earlier, asked_before = why[0]
        if earlier is not None:
            return await _replayed(floor, account, earlier, same=asked == asked_before)
        if state != "active":
            raise No(409, "line_not_active")
        if opted_out_at is not None:
            raise No(409, "opted_out")
        try:
            if conversation is not None:
                return message, (await floor.fetch("send", *values))[0][0], now
            raw, conversation = new_id()
            await floor.fetch("send first", *values, conversation, cipher.seal(cipher.peer, raw, to))
        except UNDONE:
            continue
        return message, conversation, now
    raise No(409, "version_conflict")


async def _replayed(floor: Floor, account: UUID, message: UUID, *, same: bool) -> tuple:
    if not same:
        raise No(422, "idempotency_mismatch")
    found = await floor.fetch("message", account, message)
    if not found:
        raise No(404, "not_found")
    return tuple(found[0])
