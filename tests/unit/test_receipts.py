"""A receipt is signed in one way only, which whoever has the key can check without us."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.receipts import Intent, Receipt

KEY, FINGERPRINT, NOW = b"k" * 32, bytes(range(32)), datetime(2026, 1, 1, tzinfo=UTC)
facts_of_any_kind = st.dictionaries(
    st.text(max_size=5), st.integers() | st.text(max_size=5) | st.booleans() | st.none(), max_size=4
)


def test_what_is_signed_is_the_fingerprint_and_the_facts_as_sorted_json_without_blanks() -> None:
    receipt = Receipt.signed(KEY, FINGERPRINT, {"rows_deleted": 7, "at": "é", "more": [1, None]})
    said = FINGERPRINT + b'{"at":"\\u00e9","more":[1,null],"rows_deleted":7}'
    assert receipt.signature == hmac.digest(KEY, said, hashlib.sha256)
    assert receipt.facts == {"rows_deleted": 7, "at": "é", "more": [1, None]}


@given(facts=facts_of_any_kind, other=facts_of_any_kind)
def test_a_receipt_vouches_for_its_own_facts_in_any_order_and_for_no_others(
    facts: dict[str, object], other: dict[str, object]
) -> None:
    receipt = Receipt.signed(KEY, FINGERPRINT, facts)
    assert receipt.verify(KEY)
    assert not receipt.verify(b"x" * 32)
    backwards = Receipt.signed(KEY, FINGERPRINT, dict(reversed(facts.items())))
    assert backwards.signature == receipt.signature
    if repr(sorted(facts.items())) != repr(sorted(other.items())):
        assert not Receipt(FINGERPRINT, other, receipt.signature).verify(KEY)
    assert not Receipt(FINGERPRINT[::-1], facts, receipt.signature).verify(KEY)


@pytest.mark.parametrize("fact", [float("nan"), float("inf"), b"", NOW])
def test_only_what_json_can_say_is_signed(fact: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        Receipt.signed(KEY, FINGERPRINT, {"fact": fact})


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_fingerprint_has_32_bytes(length: int) -> None:
    for make in (
        lambda: Receipt.signed(KEY, bytes(length), {}),
        lambda: Intent(bytes(length), 0, NOW),
    ):
        with pytest.raises(ValueError, match="32 bytes"):
            make()


def test_an_intent_counts_keys_at_an_instant() -> None:
    assert Intent(FINGERPRINT, 0, NOW).keys == 0
    for keys, at in ((-1, NOW), (1, NOW.replace(tzinfo=None))):
        with pytest.raises(ValueError, match="aware"):
            Intent(FINGERPRINT, keys, at)
