"""Answers that say no: RFC 9457 problem documents with a stable code, and never a value that came in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import structlog
from aiohttp import web
from multidict import CIMultiDict

from domain.kernel import ErrorKind, PicoError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TYPE = "tag:callpico.io,2026:problem/"
"""A problem's `type` is a tag URI (RFC 4151): it names, and promises no page."""

STATUS = {
    ErrorKind.NOT_FOUND: 404,
    ErrorKind.CONFLICT: 409,
    ErrorKind.FORBIDDEN: 403,
    ErrorKind.INVALID: 422,
    ErrorKind.UNAVAILABLE: 503,
}

RETRY_AFTER = "5"
"""Seconds after which a request that met an outage is worth repeating."""

COMMON_HEADERS = {"Server": "Pico", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}

OURS = ("domain.", "application.", "adapters.", "bootstrap.")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with the input: where (a JSON pointer, RFC 6901) and what, never what it held."""

    pointer: str
    code: str


class Refused(Exception):
    """The edge itself says no, before any use case. The docstring's first line is the problem's title."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"

    def __init__(self, *flaws: Flaw, headers: Mapping[str, str] | None = None) -> None:
        """Keep where the input is wrong, and headers that belong to the answer."""
        super().__init__()
        self.flaws = flaws
        self.headers = headers or {}


class BadRequest(Refused):
    """The request is not well-formed HTTP."""


class MalformedJson(Refused):
    """The body is not JSON: RFC 8259, UTF-8, each name once, no NaN, no NUL, no half of a surrogate pair."""

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
        """Name the scheme (RFC 6750, section 3)."""
        super().__init__(headers={"WWW-Authenticate": 'Bearer realm="pico"'})


class PasswordNeeded(Refused):
    """This needs the password once more: base64 of its UTF-8, in the header X-Reauthenticate."""

    status = 401
    code = "reauthentication_required"

    def __init__(self) -> None:
        """Ask for it in the words of RFC 9470, section 3."""
        challenge = 'Bearer realm="pico", error="insufficient_user_authentication"'
        super().__init__(headers={"WWW-Authenticate": challenge})


class NoSuchPath(Refused):
    """Nothing is here."""

    status = 404
    code = "not_found"


class MethodNotAllowed(Refused):
    """This resource does not know that method."""

    status = 405
    code = "method_not_allowed"


class TooSlow(Refused):
    """The body did not arrive in time."""

    status = 408
    code = "body_timeout"


class TooLarge(Refused):
    """A body has at most 64 KiB."""

    status = 413
    code = "body_too_large"


class NotJson(Refused):
    """A body is sent as application/json, in UTF-8 and uncompressed."""

    status = 415
    code = "unsupported_media_type"


class InvalidInput(Refused):
    """Some of the input breaks a rule; `errors` says which."""

    status = 422
    code = "invalid_input"


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
    """Write a problem document (RFC 9457, section 3)."""
    problem: dict[str, object] = {"type": TYPE + code, "title": sentence, "status": status, "code": code}
    if flaws:
        problem["errors"] = [{"pointer": flaw.pointer, "code": flaw.code} for flaw in flaws]
    return json.dumps(problem, separators=(",", ":")).encode()


def answer(error: PicoError | Refused) -> web.Response:
    """Turn a no into its answer."""
    kind = type(error)
    status = status_of(kind)
    headers = CIMultiDict(COMMON_HEADERS)
    headers["Content-Type"] = "application/problem+json"
    if status == STATUS[ErrorKind.UNAVAILABLE]:
        headers["Retry-After"] = RETRY_AFTER
    flaws: Sequence[Flaw] = ()
    if isinstance(error, Refused):
        flaws = error.flaws
        headers.update(error.headers)
    return web.Response(status=status, headers=headers, body=document(status, error.code, title(kind), flaws))


def report(error: BaseException) -> None:
    """Log an error nobody foresaw: its type and where it rose, never its message, which may quote a value."""
    log.error("unexpected", error=type(error).__name__, where=where(error))


def where(error: BaseException) -> str:
    """Name the innermost place that is ours, or the innermost of all, as module:function:line: it holds no values."""
    trace, place = error.__traceback__, "unknown"
    found_ours = False
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", "unknown"))
        ours = module.startswith(OURS)
        if ours or not found_ours:
            place = f"{module}:{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
            found_ours = found_ours or ours
        trace = trace.tb_next
    return place
