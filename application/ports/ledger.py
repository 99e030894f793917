"""The erasure ledger: what was promised to be erased, kept outside every backup that could bring it back.

It knows an account by a keyed fingerprint only. A database restored from a backup is to be compared with it by mark,
and to erase again whatever it forgot it had erased, before it serves anyone: what `since` and `high_water` are for.
That gate is not built yet.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from domain.kernel import ErrorKind, PicoError

FINGERPRINT = 32
"""Bytes of an HMAC-SHA-256 over the account's id, under a system key. The ledger cannot turn it back."""


class LedgerUnavailable(PicoError):
    """The erasure ledger could not be read or written."""

    kind = ErrorKind.UNAVAILABLE
    code = "ledger_unavailable"


class LedgerBroken(PicoError):
    """The erasure ledger holds a record that nobody could have written: it was altered. Nothing may be served."""

    kind = ErrorKind.UNAVAILABLE
    code = "ledger_broken"


class NoIntent(PicoError):
    """An erasure is completed only after its intent was recorded."""

    kind = ErrorKind.CONFLICT
    code = "no_intent"


@dataclass(frozen=True, slots=True)
class Intent:
    """An account is about to be erased. `keys` counts its wrapped keys at that moment; `at` is an aware instant."""

    fingerprint: bytes = field(repr=False)
    keys: int
    at: datetime

    def __post_init__(self) -> None:
        """Refuse what no caller can mean."""
        if len(self.fingerprint) != FINGERPRINT or self.keys < 0 or self.at.tzinfo is None:
            raise ValueError("An intent has a fingerprint of 32 bytes, a count of keys and an aware instant.")


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of an erasure without personal data: counts, results, instants, signed under the ledger's key."""

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


class ErasureLedger(Protocol):
    """Append-only. Every method raises LedgerUnavailable or LedgerBroken; what it returned is durable.

    A mark is the place of an intent in the ledger: 1 for the first, and it never falls.
    """

    async def open_intent(self, intent: Intent) -> int:
        """Record the intent and return its mark. Repeating is harmless: the first intent of a fingerprint stands."""
        ...

    async def complete(self, fingerprint: bytes, facts: Mapping[str, object]) -> Receipt:
        """Record that the erasure is finished, with its signed receipt. Raises NoIntent.

        Repeating is harmless: the first receipt stands and is returned.
        """
        ...

    async def receipt(self, fingerprint: bytes) -> Receipt | None:
        """Return the receipt of a completed erasure. Repeating is harmless."""
        ...

    async def pending(self) -> list[Intent]:
        """Return the intents not completed, oldest first. Repeating is harmless."""
        ...

    async def since(self, mark: int) -> list[Intent]:
        """Return every intent after `mark`, completed or not, oldest first: what a restored backup missed.

        Repeating is harmless.
        """
        ...

    async def high_water(self) -> int:
        """Return the mark of the newest intent, 0 when there is none. Repeating is harmless."""
        ...


def _canonical(facts: Mapping[str, object]) -> str:
    """Write facts in the one way that is signed: JSON with sorted keys, without blanks, ASCII only."""
    return json.dumps(dict(facts), sort_keys=True, separators=(",", ":"), allow_nan=False)


def _signature(key: bytes, fingerprint: bytes, text: str) -> bytes:
    """Sign the fingerprint, of fixed length, and the facts after it: HMAC-SHA-256 (RFC 2104)."""
    if len(fingerprint) != FINGERPRINT:
        raise ValueError("A fingerprint has 32 bytes.")
    return hmac.digest(key, fingerprint + text.encode(), "sha256")
