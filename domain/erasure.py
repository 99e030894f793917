"""The hard-delete saga as a value: forward only, one step after another, each safe to repeat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Self

from domain.kernel import AccountId, ErrorKind, PicoError

PATIENCE = timedelta(days=1)
"""How long the saga waits for a carrier that says "too early" before it goes on without (clause H24)."""

NO_COUNTS: Mapping[str, int] = MappingProxyType({})


class NotYetGone(PicoError):
    """Something that was deleted is still there; the saga stays at this step and tries again."""

    kind = ErrorKind.UNAVAILABLE
    code = "not_yet_gone"

    def __init__(self, within: timedelta | None = None) -> None:
        """Ask again `within` that time at the latest; None leaves the pause to whoever asks."""
        super().__init__()
        self.within = within


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """How far the erasure of one account has come.

    `done` is the name of the last step finished, None before the first. `counts` says what was deleted, by the words
    of the receipt; a new step brings words of its own.
    """

    account_id: AccountId
    began_at: datetime
    done: str | None = None
    counts: Mapping[str, int] = field(default_factory=lambda: NO_COUNTS)

    def remaining(self, steps: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of the steps not finished yet, in order. Raises ValueError for an unknown last step."""
        return steps if self.done is None else steps[steps.index(self.done) + 1 :]

    def finish(self, step: str, counts: Mapping[str, int]) -> Self:
        """Note that `step` is done; what it counted replaces earlier counts of the same name."""
        return replace(self, done=step, counts={**self.counts, **counts})

    def may_leave_behind(self, now: datetime) -> bool:
        """Tell whether carrier content that cannot be deleted yet no longer holds up the rest."""
        return now >= self.patience_ends

    @property
    def patience_ends(self) -> datetime:
        """The instant from which the saga goes on without carrier content that cannot be deleted yet."""
        return self.began_at + PATIENCE
