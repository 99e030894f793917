"""Reading what a client sends: strict JSON, strict queries, and models that point at flaws and never show them."""

from __future__ import annotations

import re
from typing import TypeVar
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.inbound.http import problems
from adapters.inbound.http.params import ALimit
from adapters.inbound.http_io import read_body

WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
PARAMETER = rf"""({WORD})=({WORD}|"(?:[^"\\]|\\.)*")"""
JSON_TYPE = re.compile(rf"application/json(?:[ \t]*;[ \t]*(?:{PARAMETER})?)*[ \t]*\Z", re.IGNORECASE)
PARAMETERS = re.compile(PARAMETER)
CHARSETS = {"utf-8", "utf8", "us-ascii"}
"""What JSON is written in (RFC 8259, 8.1), by its name, its nickname and that of a part of it."""
MOST_PARAMETERS = 20
DEFAULT_LIMIT = 50
"""Items on a page."""


class Input(BaseModel):
    """What a client sends. Unknown fields are refused, and no error shows what came in."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Paged(Input):
    """How many, and from where on: `cursor` is a page's `next_cursor`."""

    limit: ALimit = DEFAULT_LIMIT


Model = TypeVar("Model", bound=Input)


def accept(model: type[Model], value: object) -> Model:
    """Make the model of what came in. Raises InvalidInput, which says where and why, never what."""
    try:
        return model.model_validate(value)
    except ValidationError as refusal:
        flaws = dict.fromkeys(
            problems.Flaw(_pointer(error["loc"], error["type"]), _code(error["type"]))
            for error in refusal.errors(include_input=False, include_context=False, include_url=False)
        )
    raise problems.InvalidInput(*flaws)


def _code(kind: str) -> str:
    # A domain rule's own code, and "missing", pass as they are.
    if kind == "extra_forbidden":
        return "unknown_field"
    return "wrong_type" if kind.endswith("_type") else kind


def _pointer(location: tuple[int | str, ...], kind: str) -> str:
    # An unknown field's name came from outside and may itself be personal: point at what holds it.
    known = location[:-1] if kind == "extra_forbidden" else location
    return "".join(f"/{part}" for part in known)


async def read_json(request: web.BaseRequest) -> bytes:
    """Read a JSON body. Raises NotJson for any other kind, and what `read_body` raises."""
    headers = request.headers
    kinds = headers.getall("Content-Type", ())
    if len(kinds) != 1 or not is_json(kinds[0]) or "Content-Encoding" in headers:
        raise problems.NotJson
    return await read_body(request)


def is_json(kind: str) -> bool:
    """Tell whether a media type is JSON in UTF-8. Parameters but a charset say nothing (RFC 8259, section 11)."""
    if kind == "application/json":
        return True
    return JSON_TYPE.match(kind) is not None and all(
        value.strip('"').lower() in CHARSETS
        for name, value in PARAMETERS.findall(kind)
        if name.lower() == "charset"
    )


def read_query(query: str) -> dict[str, str]:
    """Read a query string, each name at most once. Raises MalformedQuery."""
    if not query:
        return {}
    try:
        pairs = parse_qsl(
            query,
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError:
        raise problems.MalformedQuery from None
    values = dict(pairs)
    if len(values) != len(pairs):
        raise problems.MalformedQuery
    return values
