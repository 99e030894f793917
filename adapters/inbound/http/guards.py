"""Guards: what a request must bring before a handler sees it. A route lists them as values, checked in that order.

Dispatch asks `admit`; the OpenAPI document reads the rest of the same object. A new kind of guard is a new class.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from typing_extensions import override

from adapters.inbound.http.problems import KeyMalformed, KeyMissing, NotSignedIn
from adapters.inbound.http.reply import Json
from adapters.inbound.http.request import REPLAYED, Headers, Request
from adapters.inbound.http_io import Refused
from application.sessions import Unauthenticated
from domain.kernel import ChangedMeanwhile, PicoError

BEARER = re.compile(r"bearer +([!-~]+)\Z", re.IGNORECASE)
KEY = re.compile(r"[!-~]{1,255}\Z")
ETAG = re.compile(r'(?<![/"\w])"([0-9]{1,18})"')
"""One of ours. A weak one, or anybody else's, matches nothing."""
VERSION = "Names this version of it: for If-Match."


class Guard(ABC):
    """A condition for being served. Whether it holds is `admit`'s answer; the attributes are for the document.

    `parameters` are OpenAPI parameter objects it reads, `refusals` the errors it raises, `headers` those it adds to
    a success, by name and meaning, `security` the OpenAPI security schemes it asks for, by name.
    """

    parameters: Sequence[Json] = ()
    refusals: Sequence[type[Refused | PicoError]] = ()
    headers: Mapping[str, str] = MappingProxyType({})
    security: Mapping[str, Json] = MappingProxyType({})

    @abstractmethod
    async def admit(self, request: Request[Any]) -> None:
        """Let the request pass, with what was found out written on it, or raise one of `refusals`.

        Called before the body is read. Headers for the answer go to `request.response_headers`.
        """


@dataclass(frozen=True)
class Bearer(Guard):
    """Asks for the bearer token of an open session (RFC 6750)."""

    refusals = (NotSignedIn,)
    security = MappingProxyType(
        {"bearer": {"type": "http", "scheme": "bearer", "description": "A session's token."}}
    )

    @override
    async def admit(self, request: Request[Any]) -> None:
        given = request.headers.getall("Authorization", ())
        match = BEARER.match(given[0]) if len(given) == 1 else None
        if match is None:
            raise NotSignedIn
        try:
            request.caller = await request.context.use_cases.authenticate(match[1])
        except Unauthenticated:
            raise NotSignedIn from None


@dataclass(frozen=True)
class Idempotent(Guard):
    """Asks for the client's own name for what it requests, in the header Idempotency-Key."""

    refusals = (KeyMissing, KeyMalformed)
    headers = MappingProxyType(
        {REPLAYED: "`true`: it was done before under this key; `false`: it was done now."}
    )
    parameters = (
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "Your own name for this request: repeating it under the same name has no further effect.",
            "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
        },
    )

    @override
    async def admit(self, request: Request[Any]) -> None:
        request.key = idempotency_key(request.headers)


@dataclass(frozen=True)
class Conditional(Guard):
    """Takes the version that a correction rests on, in the header If-Match (RFC 9110, 13.1.1)."""

    refusals = (ChangedMeanwhile,)
    headers = MappingProxyType({"ETag": VERSION})
    parameters = (
        {
            "name": "If-Match",
            "in": "header",
            "required": False,
            "description": "The ETag that you read: what was changed since stays as it is.",
            "schema": {"type": "string"},
        },
    )

    @override
    async def admit(self, request: Request[Any]) -> None:
        tags = request.headers.getall("If-Match", ())
        if tags and tags != ["*"]:  # What is not there is 404 in any case.
            request.versions = frozenset(int(tag) for tag in ETAG.findall(",".join(tags)))


@dataclass(frozen=True)
class Resuming(Guard):
    """Takes what a client saw last of a stream, in the header Last-Event-ID (WHATWG HTML, 9.2.4)."""

    parameters = (
        {
            "name": "Last-Event-ID",
            "in": "header",
            "required": False,
            "description": "The `id` of the event that you saw last: what came behind it is told first.",
            "schema": {"type": "string"},
        },
    )

    @override
    async def admit(self, request: Request[Any]) -> None:
        request.resumes_behind = request.headers.get("Last-Event-ID", "")


def idempotency_key(headers: Headers) -> str:
    """Return the client's name for what it asks. Raises KeyMissing or KeyMalformed."""
    keys = headers.getall("Idempotency-Key", ())
    if not keys:
        raise KeyMissing
    if len(keys) > 1 or not KEY.match(keys[0]):
        raise KeyMalformed
    return keys[0]
