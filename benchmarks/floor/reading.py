"""What an app asks of the floor, read by hand and as strictly as Pico reads it."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from aiohttp import web

from adapters.inbound.http.input import FIELD_NAME, is_json
from adapters.inbound.http.json_format import decode
from adapters.inbound.http.problems import MalformedJson
from adapters.outbound.system.numbering import PhonenumbersPlan
from domain.destinations import Destination
from domain.spend import COUNTRIES, DEAREST, PREMIUM, PRICES
from domain.values import Country, Peer, PhoneNumber

COMMON = {"Server": "Pico", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
ID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\Z")
KEY = re.compile(r"[!-~]{1,255}\Z")
REACHABLE = re.compile(r"(\+[1-9][0-9]{6,14}|[0-9]{3,8})\Z")
E164 = re.compile(r"\+[1-9][0-9]{6,14}\Z")
AMERICAN = re.compile(r"\+1[2-9](?!11)[0-9]{2}[2-9][0-9]{6}\Z")
LIMIT = re.compile(r"([1-9][0-9]?|100)\Z")
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
        self.status, self.problem = status, problem


def unreachable(to: str, country: str) -> str | None:
    """Return why no message from a line of this country can reach `to`; Pico's own numbering plan knows the others."""
    if AMERICAN.match(to):
        return None
    found = _plan.destination(Peer(to), Country(country))
    if found is Destination.EMERGENCY:
        return "emergency_number"
    return None if found is Destination.NUMBER else "unreachable_number"


def price(to: str, country: str) -> int:
    """Return what a segment costs there, in Pico's own thousandths of a dollar. Raises No where nothing is sent to."""
    there = _plan.country(PhoneNumber(to)) if to[0] == "+" else Country(country)
    if there not in COUNTRIES or to.startswith(PREMIUM):
        raise No(422, "destination_not_allowed")
    return PRICES.get(there, DEAREST)


def idempotency_key(request: web.BaseRequest) -> str:
    keys = request.headers.getall("Idempotency-Key", ())
    if not keys:
        raise No(400, "idempotency_key_missing")
    if len(keys) > 1 or not KEY.match(keys[0]):
        raise No(400, "idempotency_key_malformed")
    return keys[0]


async def message(request: web.BaseRequest) -> tuple[str, str]:
    """Read a message to be sent: to whom, and what it says."""
    headers = request.headers
    kinds = headers.getall("Content-Type", ())
    if not kinds and not request.can_read_body:
        raise No(422, "invalid_input", *_flaws({}))
    if len(kinds) != 1 or not is_json(kinds[0]) or "Content-Encoding" in headers:
        raise No(415, "unsupported_media_type")
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise No(413, "body_too_large") from None
    try:
        given = _decoder.decode(raw.decode())
    except (ValueError, RecursionError):
        raise No(400, "malformed_json") from None
    if type(given) is dict and len(given) == 2 and b"\\u" not in raw:
        to, body = given.get("to"), given.get("body")
        if type(to) is type(body) is str and REACHABLE.match(to) and 1 <= len(body) <= 1600:
            return to, body
    try:
        decode(raw)  # whatever is not plain is for Pico's own rules to judge
    except MalformedJson:
        raise No(400, "malformed_json") from None
    if type(given) is not dict:
        raise No(422, "invalid_input", ("", "wrong_type"))
    if flaws := list(_flaws(given)):
        raise No(422, "invalid_input", *flaws)
    return given["to"], given["body"]


def _flaws(given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, fits, code in (
        ("to", REACHABLE.match, "invalid_phone_number"),
        ("body", len, "invalid_message_body"),
    ):
        if name not in given:
            yield f"/{name}", "missing"
        elif type(given[name]) is not str:
            yield f"/{name}", "wrong_type"
        elif not fits(given[name]):
            yield f"/{name}", code
        elif name == "body" and len(given[name].encode("utf-16-le", "surrogatepass")) > 3200:
            yield "/body", "message_too_long"
    for name in given:
        if name not in {"to", "body"}:
            yield _place(name), "unknown_field"


def _place(name: str) -> str:
    """Point at an unknown field, unless its name may itself be personal."""
    return f"/{name}" if FIELD_NAME.match(name) else ""


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
    if strange := [name for name in asked if name not in known]:
        raise No(422, "invalid_input", *((_place(name), "unknown_field") for name in strange))
    return asked


def limit(asked: dict[str, str]) -> int:
    said = asked.get("limit", "50")
    if not LIMIT.match(said):
        raise No(422, "invalid_input", ("/limit", "malformed"))
    return int(said)


def line(said: str) -> str:
    if not ID.match(said):
        raise No(422, "invalid_input", ("/line_id", "malformed"))
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


_plan = PhonenumbersPlan()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError
    return value


def _finite(_constant: str) -> float:
    raise ValueError


_decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_finite)
