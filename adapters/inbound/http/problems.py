"""Answers that say no: RFC 9457 problem documents with a stable code, and never a value that came in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from aiohttp import web
from multidict import CIMultiDict

from adapters.inbound.http.request_id import IN_LOGS, request_id
from adapters.inbound.http_io import COMMON_HEADERS, Refused
from domain.kernel import ErrorKind, PicoError
from domain.limits import Limit, Limited

TYPE = "tag:callpico.io,2026:problem/"
"""A problem's `type` is a tag URI (RFC 4151): it names, and promises no page."""

STATUS = {
    ErrorKind.NOT_FOUND: 404,
    ErrorKind.CONFLICT: 409,
    ErrorKind.OUTDATED: 412,
    ErrorKind.UNAUTHENTICATED: 401,
    ErrorKind.FORBIDDEN: 403,
    ErrorKind.INVALID: 422,
    ErrorKind.UNAVAILABLE: 503,
    ErrorKind.BROKEN: 500,
    ErrorKind.FULL: 507,
    ErrorKind.LIMITED: 429,
}

WORTH_REPEATING = (ErrorKind.UNAVAILABLE, ErrorKind.LIMITED)
"""Their answers carry Retry-After (RFC 9110, 10.2.3; RFC 6585, section 4)."""

CHALLENGE = 'Bearer realm="pico"'
"""What every 401 asks for (RFC 9110, 15.5.2; RFC 6750, section 3)."""

RATE_LIMIT_POLICY, RATE_LIMIT = "RateLimit-Policy", "RateLimit"
RETRY_AFTER = 5
"""Seconds after which a request is worth repeating, where the error does not say."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with the input: where (a JSON pointer, RFC 6901) and what, never what it held."""

    pointer: str
    code: str


class MalformedJson(Refused):
    """The body is not JSON: RFC 8259, UTF-8, names once, finite numbers, 32 levels, no NUL, no half of a pair."""

    code = "malformed_json"


class MalformedQuery(Refused):
    """The query string is not percent-encoded UTF-8."""

    code = "malformed_query"


class KeyMissing(Refused):
    """This request costs money or sends: it needs an Idempotency-Key header."""

    code = "idempotency_key_missing"


class KeyMalformed(Refused):
    """An Idempotency-Key has 1 to 255 visible ASCII characters."""

    code = "idempotency_key_malformed"


class NotSignedIn(Refused):
    """This needs a bearer token of an open session."""

    status = 401
    code = "unauthenticated"

    def __init__(self) -> None:
        """Name the scheme."""
        super().__init__({"WWW-Authenticate": CHALLENGE})


class NoSuchPath(Refused):
    """Nothing is here."""

    status = 404
    code = "not_found"


class MethodNotAllowed(Refused):
    """This resource does not know that method."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, known: Sequence[str]) -> None:
        """Name the methods it knows (RFC 9110, 15.5.6)."""
        super().__init__({"Allow": ", ".join(known)})


class RangeNotSatisfiable(Refused):
    """The range asked for begins after the end."""

    status = 416
    code = "range_not_satisfiable"

    def __init__(self, size: int) -> None:
        """Tell the size, in bytes (RFC 9110, 15.5.17)."""
        super().__init__({"Content-Range": f"bytes */{size}"})


class NeedlessBody(Refused):
    """This request has no body."""

    code = "needless_body"


class NotJson(Refused):
    """A body is sent as application/json, in UTF-8 and uncompressed."""

    status = 415
    code = "unsupported_media_type"


class InvalidInput(Refused):
    """Some of the input breaks a rule; `errors` says which."""

    status = 422
    code = "invalid_input"

    def __init__(self, *flaws: Flaw) -> None:
        """Keep where the input is wrong."""
        super().__init__()
        self.flaws = flaws


class Unexpected(Refused):
    """Something went wrong on our side."""

    status = 500
    code = "internal"


def title(error: type[Exception]) -> str:
    """Return the sentence that a class of errors stands for: the first line of its docstring."""
    return (error.__doc__ or error.__name__).strip().splitlines()[0]


def status_of(kind: type[PicoError | Refused]) -> int:
    """Return the HTTP status of a class of errors."""
    return kind.status if issubclass(kind, Refused) else STATUS[kind.kind]


def document(status: int, code: str, sentence: str, flaws: Sequence[Flaw] = ()) -> bytes:
    """Write a problem document (RFC 9457, section 3), with the name of the request that it answers."""
    problem: dict[str, object] = {"type": TYPE + code, "title": sentence, "status": status, "code": code}
    if name := request_id():
        problem[IN_LOGS] = name
    if flaws:
        problem["errors"] = [{"pointer": flaw.pointer, "code": flaw.code} for flaw in flaws]
    return json.dumps(problem, separators=(",", ":")).encode()


def rate_limit(limit: Limit, left: int, wait: timedelta) -> dict[str, str]:
    """Say what the limit is, how many are left, and when more are (draft-ietf-httpapi-ratelimit-headers-10)."""
    seconds = max(1, ceil(wait.total_seconds()))
    return {
        RATE_LIMIT_POLICY: f'"{limit.name}";q={limit.most};w={ceil(limit.within.total_seconds())}',
        RATE_LIMIT: f'"{limit.name}";r={left};t={seconds}',
    }


def answer(error: PicoError | Refused) -> web.Response:
    """Turn a no into its answer."""
    kind = type(error)
    status = status_of(kind)
    headers = CIMultiDict(COMMON_HEADERS)
    headers["Content-Type"] = "application/problem+json"
    flaws: Sequence[Flaw] = ()
    if isinstance(error, Refused):
        headers.update(error.headers)
        if isinstance(error, InvalidInput):
            flaws = error.flaws
    elif error.kind is ErrorKind.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = CHALLENGE
    elif error.kind in WORTH_REPEATING:
        wait = error.retry_after
        headers["Retry-After"] = str(RETRY_AFTER if wait is None else max(1, ceil(wait.total_seconds())))
        if isinstance(error, Limited):
            headers.update(rate_limit(error.limit, 0, error.retry_after))
    return web.Response(status=status, headers=headers, body=document(status, error.code, title(kind), flaws))
