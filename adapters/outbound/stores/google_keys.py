"""The keys by which Google signs what it shows who it is (OpenID Connect), read where it publishes them (RFC 7517)."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping

from aiohttp import ClientError, ClientSession, ClientTimeout
from cryptography.hazmat.primitives.asymmetric import rsa

from adapters.answers import whole
from adapters.cache import Cache
from application.ports.store_purchases import AppStoreUnavailable

SECONDS = 3600.0
"""How long a list is believed: what Google withdraws is refused after so long."""
AGAIN = 60.0
"""How soon a key that is not listed is looked for again: Google lists one before it signs with it."""
LIMITS = ClientTimeout(total=10, connect=5)
LARGEST_ANSWER = 64 << 10
LEAST_BITS = 2048

Keys = Mapping[str, rsa.RSAPublicKey]


class GoogleKeys:
    """Google's public keys, by their ids."""

    def __init__(
        self, session: ClientSession, url: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Read them at `url`."""
        self._session = session
        self._url = url
        self._monotonic = monotonic
        self._kept: Cache[str, Keys] = Cache(entries=1, seconds=SECONDS, monotonic=monotonic)
        self._read_at = 0.0

    async def __call__(self, key_id: str) -> rsa.RSAPublicKey | None:
        """Return a key; None for one that Google does not list. Raises AppStoreUnavailable while no list comes."""
        keys = await self._kept.get(self._url, self._read)
        if key_id not in keys and self._monotonic() - self._read_at >= AGAIN:
            self._kept.drop(self._url)
            keys = await self._kept.get(self._url, self._read)
        return keys.get(key_id)

    async def _read(self, url: str) -> Keys:
        try:
            async with self._session.get(url, timeout=LIMITS, allow_redirects=False) as answer:
                if answer.status != 200:  # noqa: PLR2004 - HTTP
                    raise AppStoreUnavailable
                listed = json.loads(await whole(answer, LARGEST_ANSWER))["keys"]
            keys = {str(each["kid"]): _key(each) for each in listed if each.get("kty") == "RSA"}
        except (
            ClientError, TimeoutError, OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError,
        ):  # fmt: skip
            raise AppStoreUnavailable from None
        self._read_at = self._monotonic()
        return keys


def _key(said: Mapping[str, str]) -> rsa.RSAPublicKey:
    """Return a key as it is published. Raises ValueError for one that is none, or too short."""
    e, n = (int.from_bytes(_raw(said[name])) for name in ("e", "n"))
    if n.bit_length() < LEAST_BITS:
        raise ValueError("too short")
    return rsa.RSAPublicNumbers(e, n).public_key()


def _raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
