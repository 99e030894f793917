"""What the OpenAPI document says of every no: which a route can answer, with which status, headers and example."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from adapters.inbound.http import problems
from adapters.inbound.http.reply import Json
from adapters.inbound.http.request_id import IN_LOGS
from adapters.inbound.http.room import Busy
from adapters.inbound.http.route import HEALTH, Route
from adapters.inbound.http.schemas import REF, in_ranges
from adapters.inbound.http_io import BadRequest, ExpectationFailed, Refused, TooLarge, TooSlow
from application.ports.keyring import KeyGone, KeysUnavailable
from application.ports.limits import LimitsUnavailable
from application.ports.store import StoreFull, StoreUnavailable, VersionConflict
from application.restore_gate import Restoring
from domain.kernel import NotFound, PicoError, SealBroken
from domain.limits import Limited
from domain.requests import TooManyRequests

PROBLEM_TYPE = "application/problem+json"
BODY_REFUSALS = (
    problems.MalformedJson, TooSlow, TooLarge, problems.NotJson, ExpectationFailed,
    problems.InvalidInput,
)  # fmt: skip
QUERY_REFUSALS = (problems.MalformedQuery, problems.InvalidInput)
CARRIED = {401: "WWW-Authenticate", 416: "Content-Range", 429: "Retry-After", 503: "Retry-After"}
"""The header that an answer of a status always carries."""

PROBLEM: Json = {
    "description": "Why not (RFC 9457).",
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable: branch on this."},
        "request_id": {
            "type": "string",
            "description": "The answer's Request-Id, for asking us about it. Random: it says nothing of you.",
        },
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
    "required": ["type", "title", "status", "code", "request_id"],
    "additionalProperties": False,
}


def refusals(route: Route[Any]) -> list[type[Refused | PicoError]]:
    """List every no that a route can answer, in about the order in which it looks for them."""
    found: list[type[Refused | PicoError]] = [problems.Unexpected, BadRequest]
    if route.path not in HEALTH:
        found.append(Restoring)
    for guard in route.guards:
        found += guard.refusals
    found += _of_input(route)
    if route.template.parameters:
        found.append(NotFound)
    if in_ranges(route):
        found.append(problems.RangeNotSatisfiable)
    if route.limited:
        found += [TooManyRequests, Busy, *([LimitsUnavailable] if route.costs else [])]
    if route.path.startswith("/v1/"):  # Everything there is kept in the store.
        found += [StoreUnavailable, StoreFull, KeysUnavailable, SealBroken]
        if not route.open:  # The caller's account may be erased at this moment.
            found += [NotFound, KeyGone]
        if route.method != "GET":
            found.append(VersionConflict)
    return list(dict.fromkeys([*found, *route.raises]))


def _of_input(route: Route[Any]) -> list[type[Refused | PicoError]]:
    found: list[type[Refused | PicoError]] = []
    if route.body is not None:
        found += BODY_REFUSALS
    elif route.upload is not None:
        found += route.upload.refusals
    elif not route.reads:
        found.append(problems.NeedlessBody)
    if route.query is not None:
        found += QUERY_REFUSALS
    return found


def refused(route: Route[Any]) -> Json:
    """Describe every no that a route can answer, by status."""
    by_status: dict[int, list[type[Refused | PicoError]]] = {}
    for refusal in refusals(route):
        by_status.setdefault(problems.status_of(refusal), []).append(refusal)
    return {str(status): _refused(status, group) for status, group in sorted(by_status.items())}


def refusal_examples(routes: Iterable[Route[Any]]) -> Json:
    """Return an example of every problem that these routes can answer, by its code."""
    found: Json = {}
    for route in routes:
        for refusal in refusals(route):
            found.setdefault(refusal.code, _example(refusal))
    return dict(sorted(found.items()))


def _refused(status: int, group: list[type[Refused | PicoError]]) -> Json:
    codes = {refusal.code: problems.title(refusal) for refusal in group}
    schema = {"$ref": REF.format(model="Problem"), "properties": {"code": {"enum": list(codes)}}}
    content = {
        "schema": schema,
        "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
    }
    described: Json = {
        "description": "\n".join(f"- `{code}`: {sentence}" for code, sentence in codes.items()),
        "content": {PROBLEM_TYPE: content},
    }
    carried = [CARRIED[status]] if status in CARRIED else []
    if all(issubclass(refusal, Limited) for refusal in group):
        carried += [problems.RATE_LIMIT_POLICY, problems.RATE_LIMIT]
    if carried:
        described["headers"] = {name: {"required": True, "schema": {"type": "string"}} for name in carried}
    return described


def _example(refusal: type[Refused | PicoError]) -> Json:
    status, sentence = problems.status_of(refusal), problems.title(refusal)
    flaws = [problems.Flaw("/email", "malformed")] if refusal is problems.InvalidInput else []
    said = json.loads(problems.document(status, refusal.code, sentence, flaws))
    return {"summary": sentence, "value": said | {IN_LOGS: "5f0c2a9e7d3b48c6a1e4f7b2c9d80e63"}}
