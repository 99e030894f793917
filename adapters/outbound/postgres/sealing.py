"""Sealing: what a personal value looks like at rest. Pure: no clock, no I/O.

A blob is `0x01 | key version (uint16, big endian) | nonce (96 random bits) | ciphertext | tag (128 bits)`:
AES-256-GCM (NIST SP 800-38D), `OVERHEAD` bytes more than the plaintext.

Every key in use is `HKDF-SHA256(account key, info=purpose)` (RFC 5869), so no key serves two ends. The associated
data are environment, table, column, account, row id and key version, each behind its length: a blob opens only in
the place it was sealed for. One cell of a row may carry more: the plain values that decide something, and the row's
version (`bound`, see codec.py), so that it opens only beside the very values it was sealed beside. Random nonces
allow 2**32 blobs a key, far more than one account ever holds.
"""

from __future__ import annotations

import hmac
from os import urandom
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.kernel import SealBroken

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from application.ports.keyring import AccountKey

FORMAT = b"\x01"
HEADER = 3
NONCE = 12
TAG = 16
OVERHEAD = HEADER + NONCE + TAG
KEY = 32
ROW_ID = 16
"""Row ids are UUIDs."""


def blind_index(key: bytes, purpose: str, value: bytes) -> bytes:
    """Return the blind index of a value: HMAC-SHA-256 (RFC 2104), 32 bytes. Equal values of one purpose match.

    `key` is a system key, or an account's index key: values of two keys or two purposes never match.
    """
    return hmac.digest(key, prefixed(purpose.encode()) + value, "sha256")


class ColumnCipher:
    """Seals and opens one column of one account. All but the row id is computed beforehand: this is the hot path."""

    __slots__ = ("_after", "_before", "_decrypt", "_encrypt", "_header", "_other")

    def __init__(self, aead: AESGCM, version: int, before: bytes, other: ColumnCipher | None = None) -> None:
        """Bind the key, its version, and the associated data before the row id; `other` opens what is under another."""
        self._other = other
        number = version.to_bytes(2)
        self._encrypt: Callable[[bytes, bytes, bytes], bytes] = aead.encrypt
        self._decrypt: Callable[[bytes, bytes, bytes], bytes] = aead.decrypt
        self._header = FORMAT + number
        self._before = before + ROW_ID.to_bytes(4)
        self._after = prefixed(number)

    def seal(self, row_id: bytes, plaintext: bytes, bound: bytes = b"") -> bytes:
        """Return the blob for this row (16 bytes of id). Repeating gives another blob that opens to the same."""
        if len(row_id) != ROW_ID:
            raise ValueError("A row id has 16 bytes.")
        nonce = urandom(NONCE)
        return (
            self._header
            + nonce
            + self._encrypt(nonce, plaintext, self._before + row_id + self._after + bound)
        )

    def open(self, row_id: bytes, blob: bytes, bound: bytes = b"") -> bytes:
        """Return the plaintext of this row's blob, whole, unaltered and beside what it was sealed beside.

        Raises SealBroken.
        """
        if blob[:HEADER] != self._header or len(blob) < OVERHEAD:
            if self._other is None:
                raise SealBroken
            return self._other.open(row_id, blob, bound)
        try:
            return self._decrypt(blob[3:15], blob[15:], self._before + row_id + self._after + bound)
        except InvalidTag:
            raise SealBroken from None


class Marks:
    """Turns row ids of an account into marks and back: AES-256 of one block, under a key for this end only.

    An id is one block, and no two are the same: so the bare cipher (ECB) is a permutation, and hides which id it is.
    """

    def __init__(self, key: AccountKey) -> None:
        self._cipher = Cipher(AES256(_derived(key.material, b"pico endings")), ECB())  # noqa: S305 - see above

    def of(self, row_ids: bytes) -> bytes:
        """Return the marks of ids, 16 bytes each."""
        return self._cipher.encryptor().update(row_ids)

    def ids(self, marks: bytes) -> set[bytes]:
        """Return what some marks stand for."""
        row_ids = self._cipher.decryptor().update(marks)
        return {row_ids[at : at + ROW_ID] for at in range(0, len(row_ids), ROW_ID)}


class AccountCipher:
    """What one account's key can do: seal the account's columns, and make the blind indexes it looks things up by.

    Making one costs two derivations; keep it as long as the key, and no longer.
    """

    __slots__ = ("_aead", "_columns", "_index_keys", "_other", "_place", "ended", "version")

    def __init__(
        self, environment: str, account_id: UUID, key: AccountKey, other: AccountKey | None = None
    ) -> None:
        """Derive the working keys. `environment` keeps Sandbox blobs out of Production, and the other way round.

        Cells are sealed, and blind indexes made, under `key`; what is sealed under the `other` opens as well.
        """
        self._other = None if other is None else AccountCipher(environment, account_id, other)
        self.version = key.version
        self.ended = key.ended
        """Ids of rows that are over."""
        self._aead = AESGCM(_derived(key.material, b"pico sealed columns"))
        self._index_keys = (*key.chain, index_key(key))
        self._place = environment.encode(), account_id.bytes
        self._columns: dict[tuple[str, str], ColumnCipher] = {}

    def column(self, table: str, column: str) -> ColumnCipher:
        """Return the cipher of one column, made at first use."""
        column_cipher = self._columns.get((table, column))
        if column_cipher is None:
            environment, account = self._place
            before = b"".join(map(prefixed, (environment, table.encode(), column.encode(), account)))
            other = None if self._other is None else self._other.column(table, column)
            made = ColumnCipher(self._aead, self.version, before, other)
            column_cipher = self._columns[table, column] = made
        return column_cipher

    def blind_index(self, purpose: str, value: bytes) -> bytes:
        """Return the blind index of a value within this account: it links no two accounts, and dies with the key."""
        index = blind_index(self._index_keys[0], purpose, value)
        for key in self._index_keys[1:]:
            index = index_of_index(key, index)
        return index

    def reindex(self, index: bytes) -> bytes:
        """Return what a blind index of the key before this one becomes under this one."""
        return index_of_index(self._index_keys[-1], index)


def index_of_index(key: bytes, index: bytes) -> bytes:
    """Return the blind index under a key of what is known as an index under the key before it only."""
    return hmac.digest(key, b"pico index of index" + index, "sha256")


def index_key(key: AccountKey) -> bytes:
    """Return the key of an account key's own blind indexes."""
    return _derived(key.material, b"pico blind indexes")


class Chain:
    """The keys of earlier blind indexes, as they lie beside an account's key: sealed under it, for its version."""

    def __init__(self, key_id: UUID, material: bytes) -> None:
        self._aead = AESGCM(_derived(material, b"pico index chain"))
        self._place = key_id.bytes

    def seal(self, keys: tuple[bytes, ...]) -> bytes:
        """Return them, sealed."""
        nonce = urandom(NONCE)
        return FORMAT + nonce + self._aead.encrypt(nonce, b"".join(keys), self._place)

    def open(self, blob: bytes) -> tuple[bytes, ...]:
        """Return the keys, oldest first. Raises SealBroken."""
        begin = len(FORMAT) + NONCE
        try:
            keys = self._aead.decrypt(blob[len(FORMAT) : begin], blob[begin:], self._place)
        except InvalidTag:
            raise SealBroken from None
        return tuple(keys[at : at + KEY] for at in range(0, len(keys), KEY))


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, None, purpose).derive(key)


def prefixed(part: bytes) -> bytes:
    """Put a part behind its length, so that no two lists of parts make the same bytes."""
    return len(part).to_bytes(4) + part
