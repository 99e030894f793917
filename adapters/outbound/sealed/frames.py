"""Sealed frames: what an object looks like at rest. Pure: no clock, no I/O.

An object is `0x01 | key version (uint16, big endian) | salt (256 random bits)` and then frames, each the AES-256-GCM
ciphertext and tag of 64 KiB (NIST SP 800-38D); the last one holds the rest, and is empty only in an empty object.

The key is `HKDF-SHA256(account key, salt, info=purpose and place)` (RFC 5869). So each writing has a key of its own,
and the nonce can be a counter: `frame index (88 bits) | final flag (8 bits)`, as in the STREAM construction (Hoang,
Reyhanitabar, Rogaway, Vizar: Online Authenticated-Encryption, CRYPTO 2015). The associated data are environment,
account, object, header, index and flag. A frame opens in its place alone; a cut object has no final frame where its
size puts it.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from os import urandom

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from application.ports.keyring import AccountKey
from domain.kernel import AccountId, ObjectId, SealBroken

FORMAT = b"\x01"
SALT = 32
HEADER = len(FORMAT) + 2 + SALT
TAG = 16
FRAME = 64 << 10
"""Bytes of plain content in each frame but the last."""
SEALED_FRAME = FRAME + TAG


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the frames of an object lie, by its size at rest, in bytes. The final frame proves that size."""

    at_rest: int

    @classmethod
    def of(cls, at_rest: int) -> Layout:
        """Return the layout. Raises SealBroken for a size that no object has."""
        layout = cls(at_rest)
        last = at_rest - layout.begin(layout.frames - 1)
        if at_rest < HEADER + TAG or last < TAG or (last == TAG and layout.frames > 1):
            raise SealBroken
        return layout

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return -(-(self.at_rest - HEADER) // SEALED_FRAME)

    @property
    def size(self) -> int:
        """How many bytes of content there are."""
        return self.at_rest - HEADER - TAG * self.frames

    def begin(self, index: int) -> int:
        """Return where a frame begins."""
        return HEADER + index * SEALED_FRAME

    def length(self, index: int) -> int:
        """Return how long a frame is at rest."""
        return min(SEALED_FRAME, self.at_rest - self.begin(index))

    def is_final(self, index: int) -> bool:
        """Tell whether no frame follows."""
        return index == self.frames - 1


class FrameCipher:
    """Seals and opens the frames of one writing of one object."""

    __slots__ = ("_aead", "_place", "header", "version")

    def __init__(
        self, environment: str, account_id: AccountId, object_id: ObjectId, key: AccountKey, salt: bytes
    ) -> None:
        """Derive the key of this writing."""
        self.header, self.version = _header(key, salt), key.version
        place = b"".join(map(_prefixed, (environment.encode(), account_id.bytes, object_id.bytes)))
        self._place = place + self.header
        info = b"pico sealed objects" + place
        self._aead = AESGCM(HKDF(SHA256(), 32, salt, info).derive(key.material))

    @classmethod
    def new(
        cls, environment: str, account_id: AccountId, object_id: ObjectId, key: AccountKey
    ) -> FrameCipher:
        """Return the cipher of a new writing."""
        return cls(environment, account_id, object_id, key, urandom(SALT))

    @classmethod
    def reading(
        cls, environment: str, account_id: AccountId, object_id: ObjectId, key: AccountKey, header: bytes
    ) -> FrameCipher:
        """Return the cipher of the writing that began with this header. Raises SealBroken."""
        cipher = cls(environment, account_id, object_id, key, header[-SALT:])
        if header != cipher.header:
            raise SealBroken
        return cipher

    def seal(self, index: int, content: bytes, *, final: bool) -> bytes:
        """Return the frame, `TAG` bytes longer than its content. No index may be sealed twice."""
        counter = _counter(index, final=final)
        return self._aead.encrypt(counter, content, self._place + counter)

    def open(self, index: int, frame: bytes, *, final: bool) -> bytes:
        """Return the content. Raises SealBroken unless the frame was sealed for just this place."""
        counter = _counter(index, final=final)
        try:
            return self._aead.decrypt(counter, frame, self._place + counter)
        except InvalidTag:
            raise SealBroken from None


def version_of(header: bytes) -> int:
    """Return the version of the key that a header names, whatever it is worth."""
    return int.from_bytes(header[len(FORMAT) : len(FORMAT) + 2])


async def sealed(content: AsyncIterable[bytes], cipher: FrameCipher) -> AsyncIterator[bytes]:
    """Yield an object as it lies at rest, a frame at a time. Raises what `content` raises."""
    yield cipher.header
    held, index = bytearray(), 0
    async for piece in content:
        held += piece
        while len(held) > FRAME:  # a full frame is held back: it may be the final one
            yield cipher.seal(index, bytes(held[:FRAME]), final=False)
            del held[:FRAME]
            index += 1
    yield cipher.seal(index, bytes(held), final=True)


def _header(key: AccountKey, salt: bytes) -> bytes:
    return FORMAT + key.version.to_bytes(2) + salt


def _counter(index: int, *, final: bool) -> bytes:
    return index.to_bytes(11) + bytes([final])


def _prefixed(part: bytes) -> bytes:
    """Put a part behind its length, so that no two lists of parts make the same bytes."""
    return len(part).to_bytes(4) + part
