"""Ed25519 under a system key of the keyring."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from typing_extensions import override

from application.ports.keyring import Keyring
from application.ports.signing import Signing


@dataclass(frozen=True, slots=True)
class SystemSigning(Signing):
    """The keyring's "signing" key, 256 bits, is the private key as it is (RFC 8032, 5.1.5)."""

    keyring: Keyring

    @override
    async def sign(self, said: bytes) -> bytes:
        return (await self._private()).sign(said)

    @override
    async def signed(self, said: bytes, signature: bytes) -> bool:
        return signed_by(await self.public_key(), said, signature)

    @override
    async def public_key(self) -> bytes:
        return (await self._private()).public_key().public_bytes_raw()

    async def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(await self.keyring.system("signing"))


def signed_by(public_key: bytes, said: bytes, signature: bytes) -> bool:
    """Tell whether exactly these bytes were signed by whoever has this key. Raises ValueError for what is no key."""
    key = Ed25519PublicKey.from_public_bytes(public_key)
    try:
        key.verify(signature, said)
    except InvalidSignature:
        return False
    return True
