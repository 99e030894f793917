"""What an erasure leaves behind: the intent that was recorded before it began, and the signed receipt after its end.

Neither holds personal data. Both know the account by a fingerprint only: 32 bytes of HMAC-SHA-256 over its id, under a
system key, which nobody can turn back.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

FINGERPRINT = 32
"""Bytes."""
PUBLIC = "public_signature"
"""The fact of a receipt that anybody can check: a signature over all the others, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class Intent:
    """An account is about to be erased. `keys` counts its wrapped keys at that moment; `at` is an aware instant."""

    fingerprint: bytes = field(repr=False)
    keys: int
    at: datetime

    def __post_init__(self) -> None:
        """Refuse what no caller can mean. Raises ValueError."""
        if len(self.fingerprint) != FINGERPRINT or self.keys < 0 or self.at.tzinfo is None:
            raise ValueError("An intent has a fingerprint of 32 bytes, a count of keys and an aware instant.")


@dataclass(frozen=True, slots=True)
class LedgerPosition:
    """How far a ledger has come: so many records, and `head`, a keyed hash of all of them in order."""

    number: int
    head: bytes = field(repr=False)


START = LedgerPosition(0, bytes(32))
"""Before the first record."""


def chained(key: bytes, head: bytes, record: bytes) -> bytes:
    """Return the head after one more record: HMAC-SHA-256 over the head before and the record."""
    return hmac.digest(key, head + record, "sha256")


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of an erasure: counts, results, instants, signed under the ledger's key."""

    fingerprint: bytes = field(repr=False)
    facts: Mapping[str, object]
    signature: bytes = field(repr=False)

    @classmethod
    def signed(cls, key: bytes, fingerprint: bytes, facts: Mapping[str, object]) -> Receipt:
        """Sign facts (JSON values only, else TypeError or ValueError) for one erasure."""
        text = _canonical(facts)
        return cls(fingerprint, json.loads(text), _signature(key, fingerprint, text))

    def verify(self, key: bytes) -> bool:
        """Tell, in constant time, whether exactly this was signed under `key`."""
        return hmac.compare_digest(self.signature, _signature(key, self.fingerprint, _canonical(self.facts)))


def said(fingerprint: bytes, facts: Mapping[str, object]) -> bytes:
    """Return the bytes of a receipt that the public signature is for: whose it is, and every fact but itself."""
    others = {name: fact for name, fact in facts.items() if name != PUBLIC}
    return b"pico receipt 1" + fingerprint + _canonical(others).encode()


def _canonical(facts: Mapping[str, object]) -> str:
    """Write facts in the one way that is signed: JSON with sorted keys, without blanks, ASCII only."""
    return json.dumps(dict(facts), sort_keys=True, separators=(",", ":"), allow_nan=False)


def _signature(key: bytes, fingerprint: bytes, text: str) -> bytes:
    """Sign the fingerprint, of fixed length, and the facts after it: HMAC-SHA-256 (RFC 2104)."""
    if len(fingerprint) != FINGERPRINT:
        raise ValueError("A fingerprint has 32 bytes.")
    return hmac.digest(key, fingerprint + text.encode(), "sha256")
