"""The floor's pages: a statement, a dictionary a row."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import orjson
from aiohttp import web
from multidict import CIMultiDict

from benchmarks.floor import reading as read
from benchmarks.floor.binding import (
    ENDS,
    MISSING,
    NONE_ATTACHED,
    conversation_data,
    identity,
    line_data,
    prefixed,
    sent_instant,
)
from benchmarks.floor.cutting import cut
from benchmarks.floor.reading import COMMON, No
from benchmarks.floor.sealing import SAVED, Broken, Vault, blind_index

if TYPE_CHECKING:
    from benchmarks.floor.server import Caller, Floor

JSON = CIMultiDict({**COMMON, "Content-Type": "application/json"})


async def conversations(floor: Floor, request: web.BaseRequest, query: str) -> web.Response:
    caller = await floor.caller(request)
    try:
        asked = read.query(query, "limit", "cursor", "line_id")
        limit, name = read.limit(asked), "conversations"
        place: tuple = ()
        if "line_id" in asked:
            name, place = "conversations of line", (read.line(asked["line_id"]),)
        if "cursor" in asked:
            name, place = f"{name} from", (*place, *read.time_place(asked["cursor"]))
    except No:
        await floor.again(caller)
        raise
    vault, rows = await floor.vault(caller.account), await _rows(floor, name, caller, limit, place)
    more = None
    if len(rows) > limit:
        del rows[limit:]
        more = read.time_cursor(rows[-1]["last_at"], rows[-1]["id"].bytes)
    opened, peer, body, bound, of_line, written = vault.open, vault.peer, vault.body, b"", None, ""
    items = []
    for (row, line, sealed, last_at, unread, total, since, created_at, version, said, said_on, direction, status, words,
         said_at, attached, *rest) in rows:  # fmt: skip
        raw = row.bytes
        if line != of_line:
            of_line, written, bound = line, str(line), identity(line.bytes)
        try:
            shown = opened(peer, raw, sealed, conversation_data(bound, since, version)).decode()
        except Broken:
            shown = None
        last = None
        if said is not None:
            of = identity(raw) + (bound if said_on == line else identity(said_on.bytes))
            try:
                data = message_data(of, direction, status, attached, *rest)
                text = opened(body, said.bytes, words, data).decode()
            except Broken:
                text = None
            last = {
                "id": str(said), "direction": direction, "status": status, "body": text, "created_at": said_at,
                "attachments": attached,
            }  # fmt: skip
        items.append({
            "id": str(row), "line_id": written, "peer": shown, "name": None, "last_at": last_at, "unread": unread,
            "total": total,
            "opted_out_at": since, "created_at": created_at, "last_message": last,
        })  # fmt: skip
    return _page(await _named(floor, caller, vault, items), more)


async def _named(floor: Floor, caller: Caller, vault: Vault, items: list[dict]) -> list[dict]:
    """Put in what the person calls each peer."""
    names = await _names(floor, caller, vault, {item["peer"] for item in items if item["peer"]})
    for item in items:
        item["name"] = names.get(item["peer"])
    return items


async def _names(floor: Floor, caller: Caller, vault: Vault, peers: set[str]) -> dict[str, str]:
    """Return what the first contact with each of these numbers is called."""
    asked, names = {blind_index(vault.index, SAVED, peer): peer for peer in peers}, {}
    for number, row, name, numbers in (
        await floor.fetch("names", caller.account, list(asked)) if peers else ()
    ):
        try:
            called = vault.open(vault.name, row.bytes, name).decode()
            theirs = vault.open(vault.numbers, row.bytes, numbers).decode().split("\n")
        except Broken:
            continue
        if number in {blind_index(vault.index, SAVED, one) for one in theirs}:
            names[asked[number]] = called
    return names


async def messages(floor: Floor, request: web.BaseRequest, query: str, conversation: str) -> web.Response:
    caller = await floor.caller(request)
    try:
        asked = read.query(query, "limit", "cursor")
        limit, name = read.limit(asked), "messages"
        place: tuple = (conversation,)
        if "cursor" in asked:
            name, place = "messages from", (conversation, read.id_place(asked["cursor"]))
    except No:
        await floor.again(caller)
        raise
    vault, rows = await floor.vault(caller.account), await _rows(floor, name, caller, limit, place)
    more = None
    if not rows:
        raise No(404, "not_found")
    talk = UUID(conversation).bytes
    peer, number = _ends(vault, talk, rows[0][15:])
    if rows[0]["id"] is None:
        return _page([], None)
    if len(rows) > limit:
        del rows[limit:]
        more = read.id_cursor(rows[-1]["id"].bytes)
    ends = {"inbound": (peer, number), "outbound": (number, peer)}
    opened, body, said, talk_id = vault.open, vault.body, identity(talk), conversation.lower()
    items, of_line, bound, line_id = [], None, b"", ""
    for (_, row, line, direction, status, sealed, created_at, attachments, failure, reference, send_at, ref,
         attempted, copy_deleted, version, *_) in rows:  # fmt: skip
        if line != of_line:
            of_line, bound, line_id = line, said + identity(line.bytes), str(line)
        data = message_data(bound, direction, status, attachments, ref, attempted, copy_deleted, version)
        try:
            shown = opened(body, row.bytes, sealed, data).decode()
        except Broken:
            shown = None
        sender, to = ends[direction]
        encoding, segments = (None, None) if shown is None or attachments else cut(shown)
        items.append({
            "id": str(row), "conversation_id": talk_id, "line_id": line_id, "from": sender, "to": to,
            "direction": direction, "status": status, "body": shown, "created_at": created_at,
            "attachments": attachments, "failure": failure, "client_reference": reference, "send_at": send_at,
            "encoding": encoding, "segments": segments,
        })  # fmt: skip
    return _page(items, more)


def message_data(
    of: bytes, direction: str, status: str, attachments: int, ref: str | None, attempted: bytes | None,
    copy_deleted: bytes | None, version: int,
) -> bytes:  # fmt: skip
    """Return what the body of a message that is not deleted is bound to. `of`: its conversation and its line."""
    return b"".join((
        version.to_bytes(8), of, ENDS[direction, status],
        NONE_ATTACHED[:4] + attachments.to_bytes(8) if attachments else NONE_ATTACHED,
        MISSING if ref is None else prefixed(ref.encode()), sent_instant(attempted), sent_instant(copy_deleted),
        MISSING,
    ))  # fmt: skip


async def _rows(floor: Floor, name: str, caller: Caller, limit: int, place: tuple) -> list:
    """Return a page and one more. When there is none, tell whether that is because of the session."""
    rows = await floor.fetch(name, caller.account, caller.id, *caller.row, limit + 1, *place)
    if not rows:
        now = await floor.again(caller)
        if now.row != caller.row:
            rows = await floor.fetch(name, now.account, now.id, *now.row, limit + 1, *place)
    return rows


def _ends(vault: Vault, talk: bytes, head: tuple) -> tuple[str | None, str | None]:
    """Return the other side and the line's number."""
    line, peer, since, version, number, state, ref, *times, line_version = head
    shown: list[str | None] = []
    for before, row, sealed, bound in (
        (vault.peer, talk, peer, conversation_data(identity(line.bytes), since, version)),
        (vault.number, line.bytes, number, line_data(state, ref, tuple(times), line_version)),
    ):
        try:
            shown.append(vault.open(before, row, sealed, bound).decode())
        except Broken:
            shown.append(None)
    return shown[0], shown[1]


def _page(items: list[dict], more: str | None) -> web.Response:
    body = orjson.dumps({"items": items, "next_cursor": more}, option=orjson.OPT_UTC_Z)
    return web.Response(headers=JSON, body=body)
