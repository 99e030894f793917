"""Names of a line's apps that hold, sealed, whose they are: nothing about them is stored."""

from __future__ import annotations

from base64 import b32decode, b32encode
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from typing_extensions import override

from adapters.cache import Cache
from application.ports.call_clients import CallClients, ClientOwner
from application.ports.keyring import Keyring
from domain.call_instructions import ClientIdentity
from domain.kernel import AccountId, LineId

PREFIX = "line_"
KEPT_SECONDS = 300.0
LENGTH = 77
"""Signs of base32 for 48 bytes, without the padding. Twilio takes 121 signs of letters, digits and "_"."""


def spelled(sealed: bytes) -> str:
    """Return the one spelling of a name."""
    return PREFIX + b32encode(sealed).decode().rstrip("=").lower()


@dataclass(frozen=True, slots=True)
class SealedCallClients(CallClients):
    """AES-SIV (RFC 5297) under the keyring's "call_clients" key over two ids: the same name every time."""

    keyring: Keyring
    _made: Cache[bytes, AESSIV] = field(
        default_factory=lambda: Cache(entries=1, seconds=KEPT_SECONDS), init=False, repr=False, compare=False
    )
    """What was derived from the key, which a caller waits for otherwise."""

    @override
    async def identity(self, account_id: AccountId, line_id: LineId) -> ClientIdentity:
        sealed = (await self._cipher()).encrypt(account_id.bytes + line_id.bytes, None)
        return ClientIdentity(spelled(sealed))

    @override
    async def owner(self, identity: str) -> ClientOwner | None:
        name = identity.removeprefix(PREFIX)
        if identity == name or len(name) != LENGTH:
            return None
        try:
            sealed = b32decode(name.upper() + "===")
            said = (await self._cipher()).decrypt(sealed, None)
        except (ValueError, InvalidTag):
            return None
        if spelled(sealed) != identity:  # one of several spellings, and not ours
            return None
        return ClientOwner(AccountId(UUID(bytes=said[:16])), LineId(UUID(bytes=said[16:])))

    async def _cipher(self) -> AESSIV:
        key = await self.keyring.system("call_clients")
        cipher = self._made.peek(key)
        if cipher is None:
            cipher = AESSIV(HKDF(SHA256(), 64, None, b"pico call clients").derive(key))
            self._made.put(key, cipher)
        return cipher
