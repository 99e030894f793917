"""The hard-delete saga as a value: forward only, one step after another, each safe to repeat."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from domain.kernel import AccountId, ErrorKind, PicoError


class Step(StrEnum):
    """In the order in which they are done."""

    INTENT = "intent"
    """The ledger knows, before anything is lost."""
    CARRIER_CONTENT = "carrier_content"
    NUMBERS = "numbers"
    """Released, and read back to be sure."""
    MAIL = "mail"
    KEYS = "keys"
    """The first act on our own copies: whatever of them survives anywhere can no longer be opened."""
    ROWS = "rows"
    VERIFIED = "verified"
    """Every store was asked and answered zero."""


ORDER = tuple(Step)
PATIENCE = timedelta(days=1)
"""How long the saga waits for a carrier that says "too early" before it goes on without."""


class NotYetGone(PicoError):
    """Something that was deleted is still there; the saga stays at this step and tries again."""

    kind = ErrorKind.UNAVAILABLE
    code = "not_yet_gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """How far the erasure of one account has come. `done` is the last step finished; None before the first.

    `texts`, `numbers` and `rows` count what was deleted, for the receipt; `messages_left` those that the
    carrier would not
    delete for a whole day.
    """

    account_id: AccountId
    began_at: datetime
    done: Step | None = None
    texts: int = 0
    numbers: int = 0
    rows: int = 0
    messages_left: int = 0

    @property
    def next(self) -> Step | None:
        """Return the step to take, or None at the end."""
        position = _steps_done(self.done)
        return ORDER[position] if position < len(ORDER) else None

    def finish(self, step: Step) -> Self:
        """Note that `step` is done: only ever the next one."""
        if step is not self.next:
            raise ValueError(step)
        return replace(self, done=step)

    def ahead_of(self, other: Erasure) -> bool:
        """Tell whether this one has come further."""
        return _steps_done(self.done) > _steps_done(other.done)

    def may_leave_behind(self, now: datetime) -> bool:
        """Tell whether carrier content that cannot be deleted yet no longer holds up the rest."""
        return now >= self.began_at + PATIENCE


def _steps_done(last: Step | None) -> int:
    return 0 if last is None else ORDER.index(last) + 1
