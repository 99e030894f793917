"""The floor takes a message in."""

from __future__ import annotations

import hmac
from base64 import b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from aiohttp import web
from multidict import CIMultiDict

from benchmarks.floor import forms
from benchmarks.floor.binding import ONCE_FOR_ALL, ONE, identity, received
from benchmarks.floor.database import UNDONE
from benchmarks.floor.looking import Looked
from benchmarks.floor.reading import COMMON, E164, No
from benchmarks.floor.sealing import ACT, ASKED, BLOCKED, PEER, STOPPED, Broken, Vault, blind_index, new_id

if TYPE_CHECKING:
    from benchmarks.floor.server import Floor

SMS = "/webhooks/twilio/sms"
TRIES = 10
KEYWORDS = dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"), 1)
KEYWORDS |= dict.fromkeys(("START", "YES", "UNSTOP"), -1)
OPTED = {"STOP": 1, "START": -1}

XML = CIMultiDict({**COMMON, "Content-Type": "text/xml; charset=utf-8"})
PLAIN = CIMultiDict({**COMMON, "Content-Type": "text/plain; charset=utf-8"})


async def receive(floor: Floor, request: web.BaseRequest, query: str) -> web.Response:
    try:
        signed = await verified(floor, request, query, floor.addresses)
        if not signed:
            return web.Response(status=403, headers=PLAIN, body=b"forbidden\n")
        form = forms.uncut(signed)
        ref = form and forms.ref(form)
        if not form or not ref or "From" not in form or not form.get("To"):
            return web.Response(status=400, headers=PLAIN, body=b"malformed\n")
        await _deliver(floor, query, ref, form)
    except web.HTTPRequestEntityTooLarge:
        return web.Response(status=413, headers=PLAIN, body=b"refused\n")
    except (No, Broken, OSError, TimeoutError):
        return web.Response(status=503, headers=PLAIN, body=b"not now\n")
    return web.Response(headers=XML, body=b"<Response/>")


async def verified(
    floor: Floor, request: web.BaseRequest, query: str, addresses: tuple[str, ...]
) -> list[tuple[str, str]] | None:
    """Return the form if the carrier signed it for the address we gave it, with or without the port."""
    headers = request.headers
    signature = headers.get("X-Twilio-Signature")
    settings = headers.get("X-Twilio-Webhooks-Signature-Settings", "")
    plain = not settings or settings.upper().partition("ALGORITHM=")[2] in {"", "HMAC_SHA1"}
    form = forms.pairs(await request.read()) if signature and plain else None
    if not form or not signature:
        return None
    given = signature.encode("utf-8", "replace")
    fields = "".join([name + value for name, value in sorted(set(form))])
    for address in addresses:
        signed = f"{address}?{query}{fields}" if query else address + fields
        mac = b64encode(hmac.digest(floor.token, signed.encode("utf-8", "surrogatepass"), "sha1"))
        if hmac.compare_digest(mac, given):
            return form
    return None


async def _deliver(floor: Floor, query: str, ref: str, form: dict[str, str]) -> None:
    """Find whose number it is: as remembered if the address names the lease, else, or if that is over, as it is now."""
    try:
        lease = forms.lease(query)
    except ValueError:
        return
    if not E164.match(form["To"]):
        return
    for fresh in (False, True) if lease else (True,):
        owner = await floor.lease(form["To"], fresh=fresh)
        if owner is None or (lease in {None, owner[1]} and await _take_in(floor, *owner, ref, form)):
            return


async def _take_in(floor: Floor, account: UUID, line: UUID, ref: str, form: dict[str, str]) -> bool:
    """Keep a message, unless it was kept before or the line takes none. Tell whether the line still has its number."""
    try:
        vault = await floor.vault(account)
    except No:
        return False
    sender, index = forms.sender(form["From"]), vault.index
    peer, stop = blind_index(index, PEER, sender), blind_index(index, STOPPED, sender)
    act, blocked = blind_index(index, ACT, f"receive:{ref}"), blind_index(index, BLOCKED, sender)
    for _ in range(TRIES):
        rows = await floor.fetch("look before receiving", account, line, peer, stop, blocked)
        if not rows:
            return False
        looked = Looked.at(vault, line.bytes, rows[0], sender)
        if looked.line.number != form["To"]:
            raise Broken
        if looked.blocked or looked.devices:
            raise No(501, "not_written")  # nobody is blocked, and no device is known, in what is seeded
        state = looked.line.state
        if state in {"released", "lost", "failed"}:
            return False
        if state != "active" and not (state == "ordering" and await floor.fetch("active", account)):
            return True
        name, values = _written(vault, looked, sender, ref, form, (peer, stop, act))
        try:
            await floor.fetch(name, account, line, looked.line.version, *values)
        except UNDONE:
            if not await floor.fetch("done", account, act):
                continue
        return True
    raise No(409, "version_conflict")


def _written(
    vault: Vault, looked: Looked, sender: str, ref: str, form: dict[str, str], indexes: tuple
) -> tuple[str, tuple]:
    """Return the statement that keeps a message, and its values after the line's."""
    said, media, (peer, stop, act) = form.get("Body", ""), form.get("NumMedia", "0"), indexes
    attachments = int(media) if media != "0" and forms.COUNT.match(media) else 0
    word = OPTED.get(form.get("OptOutType", "")) or KEYWORDS.get(said.strip().upper(), 0)
    now = datetime.now(UTC)
    row, message = new_id(looked.last_at)
    since = looked.opted_out_at or looked.stopped_at
    if word:
        since = now if word > 0 else None
    talk, version = looked.conversation, looked.version
    raw, talk = new_id() if talk is None else (talk.bytes, talk)
    bound = ONE + identity(raw) + looked.line.bound + received(attachments, ref)
    record = uuid4()
    values = (
        talk, version or 1, now, message, vault.seal(vault.body, row, said.encode(), bound), record, act,
        blind_index(vault.index, ASKED, ""), vault.seal(vault.act, record.bytes, b"", ONCE_FOR_ALL), ref, attachments,
    )  # fmt: skip
    if version is None:
        sealed = looked.sealed_with(vault, raw, sender, since, 1)
        return "receive first", (*values, since, sealed, stop, peer)
    if since == looked.opted_out_at and looked.stopped_at is None:
        return "receive", (*values, looked.goes_on(now))
    sealed = looked.sealed
    if since != looked.opted_out_at:
        version += 1
        if looked.whole:  # a broken seal is never made good by whoever comes along
            sealed = looked.sealed_with(vault, raw, sender, since, version)
    return "receive and mark", (*values, since, sealed, stop, version, looked.goes_on(now))
