"""Laws of sealing: a blob opens in its own place, whole, or not at all."""

from __future__ import annotations

import hashlib
import hmac
from typing import cast
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.outbound.postgres.sealing import OVERHEAD, AccountCipher, ColumnCipher, blind_index
from application.ports.keyring import AccountKey
from domain.kernel import SealBroken

ACCOUNT = UUID("01890000-0000-7000-8000-000000000001")
OTHER = UUID("01890000-0000-7000-8000-000000000002")
KEY = AccountKey(1, bytes(range(32)))
ROW = bytes(15) + b"\x01"

rows = st.binary(min_size=16, max_size=16)
names = st.text(min_size=1, max_size=20)
Place = tuple[str, str, str, UUID, bytes, int]
places = st.tuples(names, names, names, st.uuids(), rows, st.integers(1, 65535))


def cipher(environment: str = "test", account: UUID = ACCOUNT, key: AccountKey = KEY) -> AccountCipher:
    return AccountCipher(environment, account, key)


@given(row=rows, text=st.text())
def test_what_was_sealed_opens_in_the_same_place(row: bytes, text: str) -> None:
    blob = cipher().column("messages", "body").seal(row, text.encode())
    assert cipher().column("messages", "body").open(row, blob).decode() == text
    assert len(blob) == len(text.encode()) + OVERHEAD


@pytest.mark.parametrize("text", ["", "a", "שלום, 世界 👋🏽", "\x00", "x" * 1600])
def test_empty_and_unicode_texts_round_trip(text: str) -> None:
    column_cipher = cipher().column("messages", "body")
    assert column_cipher.open(ROW, column_cipher.seal(ROW, text.encode())).decode() == text


@given(here=places, there=places, text=st.binary(max_size=40))
@settings(max_examples=200)
def test_a_blob_opens_in_no_other_place(here: Place, there: Place, text: bytes) -> None:
    def column_cipher(place: Place) -> ColumnCipher:
        environment, table, column, account, _, version = place
        return cipher(environment, account, AccountKey(version, KEY.material)).column(table, column)

    blob = column_cipher(here).seal(here[4], text)
    # One coordinate at a time, all else equal: the hardest move to notice.
    for axis in range(len(here)):
        moved = cast("Place", (*here[:axis], there[axis], *here[axis + 1 :]))
        if moved == here:
            assert column_cipher(moved).open(moved[4], blob) == text
        else:
            with pytest.raises(SealBroken):
                column_cipher(moved).open(moved[4], blob)


def test_a_column_has_one_sealer_and_no_other_column_has_it() -> None:
    mine = cipher()
    pairs = [("a", "a"), ("a", "b"), ("b", "a"), ("b", "b")]
    assert len({mine.column(*pair) for pair in pairs * 2}) == 4


def test_names_cannot_be_cut_elsewhere_to_make_the_same_place() -> None:
    blob = cipher().column("line", "slabel").seal(ROW, b"x")
    with pytest.raises(SealBroken):
        cipher().column("lines", "label").open(ROW, blob)


def test_another_accounts_key_does_not_open_it_in_the_same_place() -> None:
    blob = cipher().column("messages", "body").seal(ROW, b"x")
    with pytest.raises(SealBroken):
        cipher(key=AccountKey(1, bytes(32))).column("messages", "body").open(ROW, blob)


def test_a_rewritten_key_version_does_not_open() -> None:
    blob = cipher().column("messages", "body").seal(ROW, b"x")
    posing = blob[:1] + (2).to_bytes(2) + blob[3:]
    with pytest.raises(SealBroken):
        cipher(key=AccountKey(2, KEY.material)).column("messages", "body").open(ROW, posing)


def test_every_single_bit_flip_breaks_the_seal() -> None:
    column_cipher = cipher().column("messages", "body")
    blob = column_cipher.seal(ROW, b"hi \xf0\x9f\x91\x8b")
    for bit in range(8 * len(blob)):
        flipped = bytearray(blob)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            column_cipher.open(ROW, bytes(flipped))


def test_every_cut_breaks_the_seal() -> None:
    column_cipher = cipher().column("messages", "body")
    blob = column_cipher.seal(ROW, b"hi")
    for length in range(len(blob)):
        with pytest.raises(SealBroken):
            column_cipher.open(ROW, blob[:length])
    with pytest.raises(SealBroken):
        column_cipher.open(ROW, blob + b"\x00")


def test_nonces_never_repeat_and_equal_texts_look_different() -> None:
    column_cipher = cipher().column("messages", "body")
    blobs = [column_cipher.seal(ROW, b"same") for _ in range(5000)]
    assert len({blob[3:15] for blob in blobs}) == len(blobs)
    assert len({blob[15:] for blob in blobs}) == len(blobs)


@pytest.mark.parametrize("row", [b"", ROW[:-1], ROW + b"\x00"])
def test_a_row_id_is_sixteen_bytes(row: bytes) -> None:
    column_cipher = cipher().column("messages", "body")
    with pytest.raises(ValueError, match="16 bytes"):
        column_cipher.seal(row, b"x")
    with pytest.raises(SealBroken):
        column_cipher.open(row, column_cipher.seal(ROW, b"x"))


def hkdf(key: bytes, info: bytes) -> bytes:
    """RFC 5869 with an empty salt and one block of output, from the standard library alone."""
    return hmac.digest(hmac.digest(bytes(32), key, "sha256"), info + b"\x01", "sha256")


def prefixed(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4) + part for part in parts)


def test_the_format_is_the_documented_one() -> None:
    """Data outlives code: a blob taken apart by hand, by the words of the module's docstring."""
    blob = cipher(key=AccountKey(258, KEY.material)).column("messages", "body").seal(ROW, b"hello")
    assert blob[:3] == b"\x01\x01\x02"
    place = prefixed(b"test", b"messages", b"body", ACCOUNT.bytes, ROW, b"\x01\x02")
    opened = AESGCM(hkdf(KEY.material, b"pico sealed columns")).decrypt(blob[3:15], blob[15:], place)
    assert opened == b"hello"


def test_fingerprints_are_hmac_sha256_under_a_key_of_their_own() -> None:
    index_key = hkdf(KEY.material, b"pico blind indexes")
    expected = hmac.new(index_key, prefixed(b"peer") + b"+15550100", hashlib.sha256).digest()
    assert (
        cipher().blind_index("peer", b"+15550100") == expected == blind_index(index_key, "peer", b"+15550100")
    )


@given(purpose=names, other_purpose=names, value=st.binary(), other=st.binary())
def test_fingerprints_match_for_the_same_value_and_purpose_only(
    purpose: str, other_purpose: str, value: bytes, other: bytes
) -> None:
    same = (purpose, value) == (other_purpose, other)
    assert (
        blind_index(KEY.material, purpose, value) == blind_index(KEY.material, other_purpose, other)
    ) is same


def test_a_purpose_and_a_value_cannot_be_cut_elsewhere() -> None:
    assert blind_index(KEY.material, "ab", b"c") != blind_index(KEY.material, "a", b"bc")


def test_fingerprints_link_no_two_accounts() -> None:
    mine, theirs = cipher(), cipher(account=OTHER, key=AccountKey(1, bytes(32)))
    assert mine.blind_index("peer", b"+15550100") != theirs.blind_index("peer", b"+15550100")


def test_nothing_shows_a_key() -> None:
    for thing in (cipher(), cipher().column("messages", "body"), KEY):
        assert KEY.material.hex() not in repr(thing)
        assert repr(KEY.material) not in repr(thing)
