"""Signatures that anybody can check who has the public key, without us."""

from __future__ import annotations

from typing import Protocol


class Signing(Protocol):
    """Ed25519 (RFC 8032) under a system key. Every method raises KeysUnavailable. Repeating is harmless."""

    async def sign(self, said: bytes) -> bytes:
        """Return the signature, 64 bytes, always the same for the same bytes."""
        ...

    async def signed(self, said: bytes, signature: bytes) -> bool:
        """Tell whether exactly these bytes were signed."""
        ...

    async def public_key(self) -> bytes:
        """Return the public key, 32 bytes."""
        ...
