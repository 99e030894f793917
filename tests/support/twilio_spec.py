"""What goes over the wire, held against Twilio's own OpenAPI document."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
from jsonschema import FormatChecker
from openapi_schema_validator import OAS30Validator
from yarl import URL

from tests.support.provider_files import specification

DOCUMENT = "twilio_api_v2010.subset.json"
FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time-rfc-2822", raises=ValueError)
def is_rfc_2822(value: object) -> bool:
    """Check a date of the 2010 API, which is in GMT."""
    return value is None or (isinstance(value, str) and parsedate_to_datetime(value).utcoffset() is not None)


@FORMATS.checks("uri")
def is_reference(value: object) -> bool:
    """Check a URL or a path: the document says URI, its examples are relative and may be empty."""
    return value is None or (isinstance(value, str) and not re.search(r"\s", value))


@dataclass(slots=True)
class Exchange:
    """One request as it was sent and its answer, if one came."""

    method: str
    url: URL
    form: bytes = b""
    status: int | None = None
    body: bytes = b""


@dataclass(frozen=True)
class Overheard:
    """A response's content that is written down as it is read, piece by piece: aiohttp traces whole bodies only."""

    content: aiohttp.StreamReader
    exchange: Exchange

    async def iter_any(self) -> AsyncIterator[bytes]:
        async for chunk in self.content.iter_any():
            self.exchange.body += chunk
            yield chunk

    async def read(self) -> bytes:
        return b"".join([chunk async for chunk in self.iter_any()])

    def __getattr__(self, name: str) -> Any:
        return getattr(self.content, name)


def listen(exchanges: list[Exchange]) -> aiohttp.TraceConfig:
    """Make a trace that writes down what a client session really sends and receives."""
    trace = aiohttp.TraceConfig()

    async def started(_: object, context: SimpleNamespace, params: aiohttp.TraceRequestStartParams) -> None:
        context.exchange = Exchange(params.method, params.url)
        exchanges.append(context.exchange)

    async def sent(_: object, context: SimpleNamespace, params: aiohttp.TraceRequestChunkSentParams) -> None:
        context.exchange.form += params.chunk

    async def ended(_: object, context: SimpleNamespace, params: aiohttp.TraceRequestEndParams) -> None:
        context.exchange.status = params.response.status
        params.response.content = Overheard(params.response.content, context.exchange)  # type: ignore[assignment]

    trace.on_request_start.append(started)
    trace.on_request_chunk_sent.append(sent)
    trace.on_request_end.append(ended)
    return trace


@dataclass(frozen=True)
class Specification:
    """The 2010 API's OpenAPI 3.0 document."""

    document: dict[str, Any]

    def complaints(self, exchange: Exchange) -> list[str]:
        """Return what is wrong with an exchange; empty when nothing is. Undeclared fields are wrong."""
        operation = self.operation(exchange)
        if not operation:
            return [f"{exchange.method} {exchange.url.path} is no operation"]
        found = self._request(operation, exchange)
        if exchange.status is not None:
            found += self._answer(operation, exchange, exchange.status)
        return [f"{operation['operationId']}: {complaint}" for complaint in found]

    def operation(self, exchange: Exchange) -> dict[str, Any]:
        """Find the operation an exchange belongs to; empty when there is none."""
        paths = self.document["paths"]
        template = next((path for path in paths if pattern(path).fullmatch(exchange.url.path)), "")
        found: dict[str, Any] = paths.get(template, {}).get(exchange.method.lower(), {})
        return found

    def _request(self, operation: dict[str, Any], exchange: Exchange) -> list[str]:
        query = {p["name"]: p["schema"] for p in operation["parameters"] if p["in"] == "query"}
        form: dict[str, Any] = {"properties": {}}
        if "requestBody" in operation:
            form = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
        sent = parse_qsl(exchange.form.decode(), keep_blank_values=True, strict_parsing=bool(exchange.form))
        return self._fields({"properties": query}, list(exchange.url.query.items()), "query") + self._fields(
            form, sent, "form"
        )

    def _fields(self, schema: dict[str, Any], pairs: list[tuple[str, str]], where: str) -> list[str]:
        declared = schema["properties"]
        found = [f"{where} has {name}, which is not declared" for name, _ in pairs if name not in declared]
        values = {name: typed(value, declared[name]) for name, value in pairs if name in declared}
        return found + [f"{where}: {error.message}" for error in self._validator(schema).iter_errors(values)]

    def _answer(self, operation: dict[str, Any], exchange: Exchange, status: int) -> list[str]:
        if status >= 400:
            body = json.loads(exchange.body)
            good = {"code", "message", "more_info", "status"} <= body.keys() and body["status"] == status
            return [] if good else ["the error's body is not one of the 2010 API"]
        declared = operation["responses"].get(str(status))
        if declared is None:
            return [f"status {status} is not declared"]
        if "content" not in declared:
            return ["a body where none is declared"] if exchange.body else []
        schema = declared["content"]["application/json"]["schema"]
        body = json.loads(exchange.body)
        found = [f"answer: {error.message}" for error in self._validator(schema).iter_errors(body)]
        return found + self._names(schema, body)

    def _names(self, schema: dict[str, Any], body: dict[str, Any]) -> list[str]:
        """Compare names: a resource has every declared one and no other."""
        if "$ref" in schema:
            declared = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"]
            return [f"answer differs in {name}" for name in sorted(declared.keys() ^ body.keys())]
        found = [f"answer has {name}" for name in sorted(body.keys() - schema["properties"].keys())]
        for name, part in schema["properties"].items():
            if part.get("type") == "array":
                for item in body.get(name, []):
                    found += self._names(part["items"], item)
        return found

    def _validator(self, schema: dict[str, Any]) -> Any:
        return OAS30Validator({**schema, "components": self.document["components"]}, format_checker=FORMATS)


@cache
def pattern(template: str) -> re.Pattern[str]:
    """Compile a path template."""
    return re.compile(
        "".join(
            "[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", template)
        )
    )


def typed(value: str, schema: dict[str, Any]) -> Any:
    """Read a form value as its schema's type; one that cannot be read stays text, and fails there."""
    if schema.get("type") == "boolean":
        return {"true": True, "false": False}.get(value, value)
    if schema.get("type") == "integer":
        return int(value) if value.isdecimal() else value
    return [value] if schema.get("type") == "array" else value


def twilio_specification() -> Specification:
    """Read the document."""
    return Specification(specification(DOCUMENT))
