"""The OpenAPI 3.1 document, built from the route table: what the table does not know, the document does not say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from adapters.inbound.http import problems
from adapters.inbound.http.event_stream import EVENT_STREAM, framed
from adapters.inbound.http.examples import illustrate
from adapters.inbound.http.refusals import PROBLEM, refusal_examples, refused
from adapters.inbound.http.reply import JSON_TYPE, Json, Media
from adapters.inbound.http.request_id import REQUEST_ID
from adapters.inbound.http.route import Route
from adapters.inbound.http.schemas import Schemas, answered, in_ranges, schemas
from adapters.inbound.http.wording import FIELDS, TAGS, explain

INFO: Json = {
    "title": "Pico",
    "version": "1",
    "summary": "A second phone line that keeps what its privacy policy says.",
    "description": (
        "Times are RFC 3339 in UTC, written with Z; ids are UUIDs; lists come in pages. Errors are RFC 9457 problem "
        "documents with a stable `code`; they never repeat a value that was sent. Unknown fields are refused. What "
        "belongs to somebody else does not exist: 404.\n\n"
        "The path's first part is the API's version. Within `v1`, operations, optional fields of requests, fields of "
        "answers, codes and members of enums may be added: pass over what you do not know. Anything else is a new "
        "version; the old one then says so in `Deprecation` (RFC 9745) and its end in `Sunset` (RFC 8594), at least "
        "six months ahead."
    ),
    "contact": {"name": "Pico", "url": "https://callpico.io"},
    "license": {"name": "MIT", "identifier": "MIT"},
}

NAMED: Json = {
    "description": "A random name of this request, for asking us about it.",
    "required": True,
    "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
}

DEPRECATED = {
    "Deprecation": "Since when there is something better (RFC 9745): `@` and seconds since 1970.",
    "Sunset": "When it ends (RFC 8594).",
}

RANGE: Json = {
    "name": "Range",
    "in": "header",
    "required": False,
    "description": "One range of bytes (RFC 9110, section 14). Several, or another unit, are ignored.",
    "schema": {"type": "string"},
}


SOME_BYTES: Json = {"type": "string", "description": "Some of its bytes.", "examples": ['{"format": "p']}


def document(routes: Iterable[Route[Any]]) -> Json:
    """Build the document."""
    shown = [route for route in routes if not route.hidden]
    found, components = schemas(shown)
    paths: dict[str, Json] = {}
    for route in shown:
        paths.setdefault(str(route.template), {})[route.method.lower()] = operation(route, found)
    explained = deepcopy({"Problem": PROBLEM, **components})
    explain(explained.values())
    used = {tag for path in paths.values() for described in path.values() for tag in described["tags"]}
    made: Json = {
        "openapi": "3.1.0",
        "info": INFO,
        "servers": [{"url": "/"}],
        "tags": [{"name": tag, "description": TAGS.get(tag, "")} for tag in sorted(used)],
        "paths": paths,
        "components": {
            "schemas": explained,
            "examples": refusal_examples(shown),
            "headers": {"RequestId": NAMED},
            "securitySchemes": {
                name: dict(scheme)
                for route in shown
                for guard in route.guards
                for name, scheme in guard.security.items()
            },
        },
    }
    illustrate(made)
    return made


def operation(route: Route[Any], found: Mapping[Any, Json]) -> Json:
    """Describe one route; its handler's docstring is the prose, its handler's module the tag."""
    sentence, _, rest = (route.handler.__doc__ or "").strip().partition(". ")
    described: Json = {
        "operationId": route.handler.__name__,
        "summary": sentence.rstrip("."),
        "tags": [route.handler.__module__.rpartition(".")[2]],
        "security": [] if route.open else [{name: [] for guard in route.guards for name in guard.security}],
        "responses": responses(route, found),
    }
    if route.deprecation is not None:
        described["deprecated"] = True
    described["description"] = rest or f"{sentence.rstrip('.')}."
    if taken := parameters(route):
        described["parameters"] = taken
    if route.body is not None:
        described["requestBody"] = {"required": True, "content": _content(JSON_TYPE, found[route.body])}
    if route.upload is not None:
        described["requestBody"] = {"required": True, "content": route.upload.content}
    return described


def parameters(route: Route[Any]) -> list[Json]:
    """Describe what a route reads from path, query and headers."""
    taken: list[Json] = [
        {
            "name": parameter.name,
            "in": "path",
            "required": True,
            "description": FIELDS.get(parameter.name, ""),
            "schema": {"type": "string", **parameter.text.says},
        }
        for parameter in route.template.parameters
    ]
    if route.query is not None:
        described = route.query.model_json_schema(schema_generator=Schemas)
        taken += [
            {
                "name": name,
                "in": "query",
                "description": FIELDS.get(name, ""),
                "required": name in described.get("required", ()),
                "schema": {key: value for key, value in schema.items() if key != "title"},
                **({"explode": False} if schema.get("type") == "array" else {}),
            }
            for name, schema in described["properties"].items()
        ]
    taken += [dict(parameter) for guard in route.guards for parameter in guard.parameters]
    if in_ranges(route):
        taken.append(dict(RANGE))
    return taken


def responses(route: Route[Any], found: Mapping[Any, Json]) -> Json:
    """Describe every answer a route can give."""
    described = {str(route.status): succeeded(route, found)}
    if route.pending is not None:
        described[str(route.pending)] = dict(described[str(route.status)])
    if in_ranges(route):
        headers = described[str(route.status)]["headers"] | _headers({"Content-Range": "Which bytes."})
        content = _content(answered(route).type, SOME_BYTES)
        described["206"] = {"description": "Part of the file.", "headers": headers, "content": content}
    described |= refused(route)
    for answer in described.values():
        answer.setdefault("headers", {})[REQUEST_ID] = {"$ref": "#/components/headers/RequestId"}
    return described


def succeeded(route: Route[Any], found: Mapping[Any, Json]) -> Json:
    """Describe the answer of a route that did what was asked, with the headers its guards and handler add."""
    answer = answered(route)
    done: Json = {"description": "Done."}
    headers = {name: says for guard in route.guards for name, says in guard.headers.items()}
    headers.update(route.headers)
    if route.deprecation is not None:
        headers |= DEPRECATED
    if route.location:
        headers["Location"] = "Where it is found, or goes on, from now on."
    if isinstance(answer, Media):
        inside: Json = {} if answer.content is None else found[answer.content]
        shape = framed(inside) if answer.type == EVENT_STREAM else inside
        done = {"description": "The file.", "content": _content(answer.type, shape)}
        if answer.ranges:
            headers["Accept-Ranges"] = "Ranges of bytes can be asked for."
    elif answer is not None:
        sentence = problems.title(answer) if isinstance(answer, type) else "A JSON object."
        done = {"description": sentence, "content": _content(JSON_TYPE, found[answer])}
    if headers:
        done["headers"] = _headers(headers)
    return done


def _headers(says: Mapping[str, str]) -> Json:
    return {
        name: {"description": sentence, "required": True, "schema": {"type": "string"}}
        for name, sentence in says.items()
    }


def _content(kind: str, schema: Json) -> Json:
    return {kind: {"schema": schema}}
