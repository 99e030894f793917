"""What the floor takes in, read by hand and as strictly as Pico reads it."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote
from uuid import UUID

from aiohttp import web

ID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\Z")
KEY = re.compile(r"[!-~]{1,255}\Z")
JSON_TYPE = re.compile(r'application/json\s*(;\s*charset="?utf-8"?\s*)?\Z', re.IGNORECASE)
REACHABLE = re.compile(r"(\+[1-9][0-9]{6,14}|[0-9]{3,8})\Z")
E164 = re.compile(r"\+[1-9][0-9]{6,14}\Z")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
LIMIT = re.compile(r"([1-9][0-9]?|100)\Z")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


class No(Exception):
    """A refusal, by its status and its code."""

    def __init__(self, status: int, code: str, *flaws: tuple[str, str]) -> None:
        super().__init__(code)
        problem: dict[str, Any] = {
            "type": f"tag:callpico.io,2026:problem/{code}",
            "status": status,
            "code": code,
        }
        if flaws:
            problem["errors"] = [{"pointer": pointer, "code": flaw} for pointer, flaw in flaws]
        self.status, self.body = status, json.dumps(problem).encode()


def form(raw: bytes) -> list[tuple[str, str]] | None:
    """Read a form as `parse_qsl` does, without its detours; None when it is not one."""
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


def lease(query: str) -> UUID | None:
    """Read which line a text is meant for. Raises ValueError."""
    said = dict(parse_qsl(query)).get("line") if query else None
    return UUID(said) if said else None


def peer(said: str) -> bool:
    """Tell whether somebody can have this name or number."""
    return len(said) <= 64 and said.strip() == said and not CONTROL.search(said)


def idempotency_key(request: web.BaseRequest) -> str:
    keys = request.headers.getall("Idempotency-Key", ())
    if not keys:
        raise No(400, "idempotency_key_missing")
    if len(keys) > 1 or not KEY.match(keys[0]):
        raise No(400, "idempotency_key_malformed")
    return keys[0]


async def text(request: web.BaseRequest) -> tuple[str, str]:
    """Read a text to be sent: to whom, and what it says."""
    headers = request.headers
    if not JSON_TYPE.match(headers.get("Content-Type", "")) or "Content-Encoding" in headers:
        raise No(415, "unsupported_media_type")
    try:
        raw = await request.read()
        given = _decoder.decode(raw.decode())
    except web.HTTPRequestEntityTooLarge:
        raise No(413, "body_too_large") from None
    except (ValueError, RecursionError):
        raise No(400, "malformed_json") from None
    if type(given) is not dict:
        raise No(422, "invalid_input", ("", "wrong_type"))
    if b"\\u" in raw and any(
        type(said) is str and UNSTORABLE.search(said) for said in (*given, *given.values())
    ):
        raise No(400, "malformed_json")
    to, body = given.get("to"), given.get("body")
    if (
        type(to) is str
        and type(body) is str
        and len(given) == 2
        and REACHABLE.match(to)
        and 1 <= len(body) <= 1600
    ):
        return to, body
    raise No(422, "invalid_input", *_flaws(given))


def _flaws(given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, fits, code in (
        ("to", REACHABLE.match, "invalid_phone_number"),
        ("body", lambda body: 1 <= len(body) <= 1600, "invalid_message_body"),
    ):
        if name not in given:
            yield f"/{name}", "missing"
        elif type(given[name]) is not str:
            yield f"/{name}", "wrong_type"
        elif not fits(given[name]):
            yield f"/{name}", code
    if given.keys() - {"to", "body"}:
        yield "", "unknown_field"


def query(raw: str, *known: str) -> dict[str, str]:
    if not raw:
        return {}
    try:
        pairs = parse_qsl(
            raw, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=20
        )
    except ValueError:
        raise No(400, "malformed_query") from None
    asked = dict(pairs)
    if len(asked) != len(pairs):
        raise No(400, "malformed_query")
    if not asked.keys() <= set(known):
        raise No(422, "invalid_input", ("", "unknown_field"))
    return asked


def limit(asked: dict[str, str]) -> int:
    said = asked.get("limit", "50")
    if not LIMIT.match(said):
        raise No(422, "invalid_input", ("/limit", "malformed"))
    return int(said)


def line(said: str) -> str:
    if not ID.match(said):
        raise No(422, "invalid_input", ("/line", "malformed"))
    return said


def id_place(cursor: str) -> UUID:
    try:
        place = UUID(bytes=urlsafe_b64decode(cursor + "=="))
    except ValueError:
        place = None
    if place is None or id_cursor(place.bytes) != cursor:
        raise No(422, "invalid_input", ("/cursor", "malformed"))
    return place


def id_cursor(last: bytes) -> str:
    return urlsafe_b64encode(last).decode().rstrip("=")


def time_place(cursor: str) -> tuple[datetime, UUID]:
    try:
        raw = urlsafe_b64decode(cursor)
        place = EPOCH + int.from_bytes(raw[:8]) * MICROSECOND, UUID(bytes=raw[8:])
    except (ValueError, OverflowError):
        raw, place = b"", None
    if place is None or urlsafe_b64encode(raw).decode() != cursor:
        raise No(422, "invalid_input", ("/cursor", "malformed"))
    return place


def time_cursor(at: datetime, last: bytes) -> str:
    return urlsafe_b64encode(((at - EPOCH) // MICROSECOND).to_bytes(8) + last).decode()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError
    return value


def _finite(_constant: str) -> float:
    raise ValueError


_decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_finite)
