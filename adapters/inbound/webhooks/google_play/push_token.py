"""The token with which Pub/Sub shows who pushes: a service account of the operator's, as Google signs (OpenID Connect).

It is about the push and not about what is pushed, and the same one comes with many pushes within its hour.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

SCHEME = "Bearer "
ISSUERS = frozenset({"https://accounts.google.com", "accounts.google.com"})
LIFE, AHEAD = timedelta(hours=1), timedelta(minutes=5)
"""How old a token may be, and how far a clock may be from ours."""

KeyOf: TypeAlias = Callable[[str], Awaitable[rsa.RSAPublicKey | None]]
"""Returns the key of an id, None for one that Google does not publish. Raises PicoError while nobody can say."""


class PushToken:
    """Checks who pushes. Verifying has no effect; repeating is harmless."""

    def __init__(self, audience: str, account: str, key_of: KeyOf, now: Callable[[], datetime]) -> None:
        """Believe tokens for this audience, in the name of this service account, and no other."""
        self._audience = audience
        self._account = account
        self._key_of = key_of
        self._now = now

    async def is_good(self, authorization: str) -> bool:
        """Tell whether Google signed it, for us and within the hour. Raises PicoError while its keys are unknown.

        What it says is looked at before its signature: Google is not asked for keys on a stranger's account.
        """
        try:
            head, body, signature = authorization.removeprefix(SCHEME).split(".")
            header, claims, raw = json.loads(_raw(head)), json.loads(_raw(body)), _raw(signature)
            named = header["alg"] == "RS256" and isinstance(header["kid"], str)
            if not (authorization.startswith(SCHEME) and named and self._is_ours(claims)):
                return False
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return False
        key = await self._key_of(header["kid"])
        if key is None:
            return False
        try:
            key.verify(raw, f"{head}.{body}".encode(), padding.PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True

    def _is_ours(self, claims: Mapping[str, Any]) -> bool:
        made, ends, now = claims.get("iat"), claims.get("exp"), self._now().timestamp()
        if type(made) is not int or type(ends) is not int:
            return False
        return (
            claims.get("iss") in ISSUERS
            and claims.get("aud") == self._audience
            and claims.get("email") == self._account
            and claims.get("email_verified") is True
            and -AHEAD.total_seconds() <= now - made <= (LIFE + AHEAD).total_seconds()
            and now < ends
        )


def _raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
