"""Reading what a client sends: strict JSON, strict queries, and models that point at flaws and never show them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NoReturn, Protocol, Self, TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from adapters.inbound.http import problems
from adapters.inbound.http.json_format import id_cursor
from adapters.inbound.http.params import ALimit
from adapters.inbound.http_io import read_body

WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
PARAMETER = rf"""({WORD})=({WORD}|"(?:[^"\\]|\\.)*")"""
JSON_TYPE = re.compile(rf"application/json(?:[ \t]*;[ \t]*(?:{PARAMETER})?)*[ \t]*\Z", re.IGNORECASE)
PARAMETERS = re.compile(PARAMETER)
CHARSETS = {"utf-8", "utf8", "us-ascii"}
"""What JSON is written in (RFC 8259, 8.1), by its name, its nickname and that of a part of it."""
FIELD_NAME = re.compile(r"[a-z]{1,16}(_[a-z]{1,16}){0,3}\Z")
MOST_PARAMETERS = 20
DEFAULT_LIMIT = 50
"""Items on a page."""


class Input(BaseModel):
    """What a client sends. Unknown fields are refused, and no error shows what came in."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Change(Input):
    """What to correct: something, at least. A field left out stays as it is."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    @model_validator(mode="after")
    def _must_change_something(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("nothing_to_change", "refused")
        return self


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
    if kind == "literal_error":
        return "malformed"
    return "wrong_type" if kind.endswith("_type") else kind


def _pointer(location: tuple[int | str, ...], kind: str) -> str:
    # An unknown field's name came from outside and may itself be personal: one that does not look like the name of a
    # field is not repeated, and what holds it is pointed at.
    unknown = kind == "extra_forbidden" and not FIELD_NAME.match(str(location[-1]))
    return "".join(f"/{part}" for part in (location[:-1] if unknown else location))


def nothing_came(request: web.BaseRequest) -> bool:
    """Tell whether a request has no body, and does not say of which kind it would be."""
    return "Content-Type" not in request.headers and not request.can_read_body


def say_what_is_missing(model: type[Input]) -> NoReturn:
    """Raise InvalidInput for a body that did not come: each field that it needs is missing, or else the whole."""
    accept(model, {})
    raise problems.InvalidInput(problems.Flaw("", "missing"))


class Identified(Protocol):
    """What has an id that rises with time."""

    @property
    def id(self) -> UUID:
        """Its id."""
        ...


Item = TypeVar("Item", bound=Identified)


def page_of(found: Iterable[Item], before: UUID | None, limit: int) -> tuple[Sequence[Item], str | None]:
    """Cut a page out of a short list that is newest first; return it with the cursor of the next, None at the end."""
    left = [one for one in found if before is None or one.id < before]
    return left[:limit], id_cursor(left[limit - 1].id) if len(left) > limit else None


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
