"""The OpenAPI 3.1 document, built from the route table: what the table does not know, the document does not say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema
from pydantic_core import core_schema

from adapters.inbound.http import problems
from adapters.inbound.http.problems import Refused
from adapters.inbound.http.request import Json
from adapters.inbound.http.routes import Route
from application.ports.keyring import KeysUnavailable
from application.ports.store import StoreUnavailable, VersionConflict
from domain.kernel import NotFound, PicoError

JSON = "application/json"
REF = "#/components/schemas/{model}"
ID = re.compile(r"{(\w+)}")

INFO: Json = {
    "title": "Pico",
    "version": "1",
    "summary": "A second phone line that keeps what its privacy policy says.",
    "description": (
        "Times are RFC 3339 in UTC, ids are UUIDs, lists come in pages. Errors are RFC 9457 problem documents with "
        "a stable `code`; they never repeat what was sent. Unknown fields are refused. What belongs to somebody "
        "else does not exist: 404."
    ),
    "license": {"name": "MIT", "identifier": "MIT"},
}

PROBLEM: Json = {
    "description": "Why not (RFC 9457).",
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable: branch on this."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "format": "json-pointer"},
                    "code": {"type": "string"},
                },
                "required": ["pointer", "code"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["type", "title", "status", "code"],
    "additionalProperties": False,
}

KEY_HEADER: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Your own name for this request: repeating it under the same name has no further effect.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}

PASSWORD_HEADER: Json = {
    "name": "X-Reauthenticate",
    "in": "header",
    "required": True,
    "description": "The password once more: base64 (RFC 4648, section 4) of its UTF-8.",
    "schema": {"type": "string", "format": "password", "contentEncoding": "base64"},
}


class Schemas(GenerateJsonSchema):
    """JSON Schema as pydantic writes it, without field titles, and without `default: null` where null is refused."""

    def field_title_should_be_set(self, schema: object) -> bool:
        """Leave a field's name to say what it says."""
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Json:
        """Leave a field that may be left out without a default in the document."""
        described = super().default_schema(schema)
        if described.get("default") is None:
            described.pop("default", None)
        return described


def document(routes: Iterable[Route[Any]]) -> Json:
    """Build the document."""
    shown = [route for route in routes if not route.hidden]
    paths: dict[str, Json] = {}
    for route in shown:
        paths.setdefault(route.path, {})[route.method.lower()] = operation(route)
    return {
        "openapi": "3.1.0",
        "info": INFO,
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {"Problem": PROBLEM, **schemas(shown)},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A session's token."}
            },
        },
    }


def schemas(routes: Iterable[Route[Any]]) -> Json:
    """Describe every model the routes take or give."""
    modes: dict[type[BaseModel], JsonSchemaMode] = {}
    for route in routes:
        if route.body is not None:
            modes[route.body] = "validation"
        if route.answer is not None:
            modes[route.answer] = "serialization"
    _, made = models_json_schema(list(modes.items()), ref_template=REF, schema_generator=Schemas)
    found: Json = made.get("$defs", {})
    return found


def operation(route: Route[Any]) -> Json:
    """Describe one row of the table; its handler's docstring is the prose, its handler's module the tag."""
    sentence, _, rest = (route.handler.__doc__ or "").strip().partition(". ")
    described: Json = {
        "operationId": route.handler.__name__,
        "summary": sentence.rstrip("."),
        "tags": [route.handler.__module__.rpartition(".")[2]],
        "security": [] if route.open else [{"bearer": []}],
        "responses": responses(route),
    }
    if rest:
        described["description"] = rest
    if found := parameters(route):
        described["parameters"] = found
    if route.body is not None:
        described["requestBody"] = {"required": True, "content": _content(JSON, _ref(route.body))}
    return described


def parameters(route: Route[Any]) -> list[Json]:
    """Describe what a route reads from path, query and headers."""
    found: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
        for name in ID.findall(route.path)
    ]
    if route.query is not None:
        described = route.query.model_json_schema(schema_generator=Schemas)
        found += [
            {
                "name": name,
                "in": "query",
                "required": name in described.get("required", ()),
                "schema": {key: value for key, value in schema.items() if key != "title"},
                **({"explode": False} if schema.get("type") == "array" else {}),
            }
            for name, schema in described["properties"].items()
        ]
    if route.keyed:
        found.append(KEY_HEADER)
    if route.reauthenticated:
        found.append(PASSWORD_HEADER)
    return found


def responses(route: Route[Any]) -> Json:
    """Describe every answer a route can give."""
    done: Json = {"description": "Done."}
    if route.answer is not None:
        done = {"description": problems.title(route.answer), "content": _content(JSON, _ref(route.answer))}
    described = {str(route.status): done}
    by_status: dict[int, list[type[Refused | PicoError]]] = {}
    for refusal in refusals(route):
        by_status.setdefault(problems.status_of(refusal), []).append(refusal)
    for status, group in sorted(by_status.items()):
        described[str(status)] = _refused(status, group)
    return described


def refusals(route: Route[Any]) -> list[type[Refused | PicoError]]:
    """List every no that a route can answer."""
    found: list[type[Refused | PicoError]] = [problems.Unexpected]
    if not route.open:
        found.append(problems.NotSignedIn)
    if route.body is not None:
        found += [
            problems.BadRequest, problems.MalformedJson, problems.TooSlow,
            problems.TooLarge, problems.NotJson, problems.InvalidInput,
        ]  # fmt: skip
    if route.query is not None:
        found += [problems.MalformedQuery, problems.InvalidInput]
    if route.keyed:
        found += [problems.KeyMissing, problems.KeyMalformed]
    if route.reauthenticated:
        found.append(problems.PasswordNeeded)
    if ID.search(route.path):
        found.append(NotFound)
    if route.path.startswith(("/v1/", "/readyz")):
        found += [StoreUnavailable, KeysUnavailable]
        if route.method != "GET":
            found.append(VersionConflict)
    return [*found, *route.raises]


def _refused(status: int, group: list[type[Refused | PicoError]]) -> Json:
    codes = {refusal.code: problems.title(refusal) for refusal in group}
    schema = {"$ref": REF.format(model="Problem"), "properties": {"code": {"enum": list(codes)}}}
    described: Json = {
        "description": "\n".join(f"- `{code}`: {sentence}" for code, sentence in codes.items()),
        "content": _content("application/problem+json", schema),
    }
    named = {401: "WWW-Authenticate", 503: "Retry-After"}.get(status)
    if named:
        described["headers"] = {named: {"required": True, "schema": {"type": "string"}}}
    return described


def _ref(model: type[BaseModel]) -> Json:
    return {"$ref": REF.format(model=model.__name__)}


def _content(kind: str, schema: Json) -> Json:
    return {kind: {"schema": schema}}
