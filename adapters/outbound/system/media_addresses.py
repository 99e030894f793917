"""Addresses of pictures that hold, sealed, what they are for: nothing about them is stored."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from typing_extensions import override

from application.ports.keyring import Keyring
from application.ports.media_addresses import MediaAddresses, Offer
from domain.kernel import AccountId, MediaId, MessageId


@dataclass(frozen=True, slots=True)
class SealedMediaAddresses(MediaAddresses):
    """AES-SIV (RFC 5297) under the keyring's "media" key over three ids and an instant, as 96 signs of base64url."""

    keyring: Keyring
    public_url: str

    @override
    async def address(self, offer: Offer, kind: str = "offered-media") -> str:
        ids = offer.account_id.bytes + offer.media_id.bytes + offer.message_id.bytes
        said = ids + int(offer.ends_at.timestamp()).to_bytes(8)
        sealed = (await self._cipher()).encrypt(said, None)
        return f"{self.public_url}/v1/{kind}/{urlsafe_b64encode(sealed).decode()}"

    @override
    async def offered(self, token: str) -> Offer | None:
        try:
            said = (await self._cipher()).decrypt(urlsafe_b64decode(token), None)
        except (ValueError, InvalidTag):
            return None
        account, media, message = (UUID(bytes=said[at : at + 16]) for at in (0, 16, 32))
        ends_at = datetime.fromtimestamp(int.from_bytes(said[48:]), UTC)
        return Offer(AccountId(account), MediaId(media), MessageId(message), ends_at)

    async def _cipher(self) -> AESSIV:
        key = await self.keyring.system("media")
        return AESSIV(HKDF(SHA256(), 64, None, b"pico media addresses").derive(key))
