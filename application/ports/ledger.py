"""The erasure ledger: what was promised to be erased, kept outside every backup that could bring it back.

It knows an account by a keyed fingerprint only. The database remembers the ledger's position; one that was restored
from a backup remembers an earlier one, and erases again whatever it forgot before it serves anyone: see
`application.restore_gate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from domain.kernel import AccountId, ErrorKind, PicoError
from domain.receipts import Intent, LedgerPosition, Receipt


class LedgerUnavailable(PicoError):
    """The erasure ledger could not be read or written."""

    kind = ErrorKind.UNAVAILABLE
    code = "ledger_unavailable"


class LedgerBroken(PicoError):
    """The erasure ledger holds a record that nobody could have written: it was altered. Nothing may be served."""

    kind = ErrorKind.BROKEN
    code = "ledger_broken"


class LedgerBehind(PicoError):
    """The erasure ledger is missing, or an earlier one than the database knows. Nothing may be served without it."""

    kind = ErrorKind.BROKEN
    code = "ledger_behind"


class LedgerOther(PicoError):
    """The erasure ledger is not the one that the database knows: its records were edited. Nothing may be served."""

    kind = ErrorKind.BROKEN
    code = "ledger_other"


class NoIntent(PicoError):
    """An erasure is completed only after its intent was recorded, and confirmed only once it is completed."""

    kind = ErrorKind.CONFLICT
    code = "no_intent"


class Fingerprint(Protocol):
    """Turns an account's id into what the erasure ledger may know it by."""

    async def __call__(self, account_id: AccountId) -> bytes:
        """Return 32 bytes: HMAC-SHA-256 of the id under a system key. Repeating is harmless."""
        ...


class ErasureLedger(Protocol):
    """Append-only. Every method raises LedgerUnavailable or LedgerBroken; what it returned is durable.

    A mark is the place of an intent in the ledger: 1 for the first, and it never falls.
    """

    async def open_intent(self, intent: Intent) -> int:
        """Record the intent and return its mark. Repeating is harmless: the first intent of a fingerprint stands."""
        ...

    async def intent(self, fingerprint: bytes) -> Intent | None:
        """Return the intent of an erasure, completed or not. Repeating is harmless."""
        ...

    async def note_request(self, fingerprint: bytes, due_at: datetime | None) -> None:
        """Record that a person asked to be erased at `due_at`; None: that they came back. The newest word stands."""
        ...

    async def requested(self, fingerprint: bytes) -> datetime | None:
        """Return when a person asked to be erased, unless they came back. Repeating is harmless."""
        ...

    async def overdue(self, due_by: datetime) -> frozenset[bytes]:
        """Return whose erasure was due by then, by their request, and has not begun. Repeating is harmless."""
        ...

    async def complete(self, fingerprint: bytes, facts: Mapping[str, object]) -> Receipt:
        """Record that the erasure is finished, with its signed receipt. Raises NoIntent.

        Repeating is harmless: the first receipt stands and is returned.
        """
        ...

    async def sign_interim(self, fingerprint: bytes, facts: Mapping[str, object]) -> Receipt:
        """Record, signed, what is done of an erasure that is not finished, and what is open. Raises NoIntent.

        It completes nothing. Repeating is harmless: the first interim receipt stands and is returned.
        """
        ...

    async def interim(self, fingerprint: bytes) -> Receipt | None:
        """Return the interim receipt of an erasure, if there was one. Repeating is harmless."""
        ...

    async def receipt(self, fingerprint: bytes) -> Receipt | None:
        """Return the receipt of a completed erasure. Repeating is harmless."""
        ...

    async def confirm(self, fingerprint: bytes, facts: Mapping[str, object]) -> Receipt:
        """Record, signed, that a completed erasure is final: no copy of the keys can be opened. Raises NoIntent.

        Repeating is harmless: the first confirmation stands and is returned.
        """
        ...

    async def confirmation(self, fingerprint: bytes) -> Receipt | None:
        """Return the confirmation of an erasure, once it is final. Repeating is harmless."""
        ...

    async def unconfirmed(self) -> list[Receipt]:
        """Return the receipts of completed erasures that are not final yet, oldest first. Repeating is harmless."""
        ...

    async def position(self) -> LedgerPosition:
        """Return how far the ledger has come. Repeating is harmless."""
        ...

    async def head_at(self, number: int) -> bytes | None:
        """Return the head after that many records, None when there are fewer. Repeating is harmless."""
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
