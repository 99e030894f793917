"""Who is asking: the bearer token (RFC 6750), the password typed once more, the Idempotency-Key."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Awaitable, Callable

from multidict import CIMultiDictProxy

from adapters.inbound.http.fields import presented
from adapters.inbound.http.problems import KeyMalformed, KeyMissing, NotSignedIn, PasswordNeeded
from application.sessions import Caller, Unauthenticated
from domain.values import Password

Headers = CIMultiDictProxy[str]

BEARER = re.compile(r"[Bb]earer ([!-~]+)\Z")
KEY = re.compile(r"[!-~]{1,255}\Z")


async def caller(headers: Headers, authenticate: Callable[[str], Awaitable[Caller]]) -> Caller:
    """Return whose token the Authorization header holds. Raises NotSignedIn. Repeating is harmless."""
    match = BEARER.match(headers.get("Authorization", ""))
    if match is None:
        raise NotSignedIn
    try:
        return await authenticate(match[1])
    except Unauthenticated:
        raise NotSignedIn from None


def password(headers: Headers) -> Password:
    """Return the password in X-Reauthenticate (base64 of its UTF-8). Raises PasswordNeeded."""
    try:
        return presented(b64decode(headers.get("X-Reauthenticate", ""), validate=True).decode())
    except ValueError:
        raise PasswordNeeded from None


def idempotency_key(headers: Headers) -> str:
    """Return the client's name for what it asks. Raises KeyMissing or KeyMalformed."""
    keys = headers.getall("Idempotency-Key", ())
    if not keys:
        raise KeyMissing
    if len(keys) > 1 or not KEY.match(keys[0]):
        raise KeyMalformed
    return keys[0]
