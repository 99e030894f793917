"""The hard-delete saga as a value: forward only, one step after another, each safe to repeat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Self

from domain.kernel import AccountId, ErrorKind, PicoError

PATIENCE = timedelta(days=1)
"""How long our own data waits for what a carrier does not delete yet (clause H24); then it goes, and the rest is asked
for by reference."""

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

    `done` is the name of the last step finished, at `done_at`; None before the first. `counts` says what was deleted,
    by the words of the receipt; a new step brings words of its own.
    """

    account_id: AccountId
    began_at: datetime
    done: str | None = None
    done_at: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=lambda: NO_COUNTS)

    def remaining(self, steps: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of the steps not finished yet, in order. Raises ValueError for an unknown last step."""
        return steps if self.done is None else steps[steps.index(self.done) + 1 :]

    def finish(self, step: str, counts: Mapping[str, int], at: datetime | None = None) -> Self:
        """Note that `step` is done; a step counts what all its attempts deleted."""
        return replace(self, done=step, done_at=at, counts={**self.counts, **counts})

    def about_to_delete(self, counts: Mapping[str, int]) -> Self:
        """Note what a step finds before it deletes it: of several attempts the first found most, and found it all."""
        most = {name: max(count, self.counts.get(name, 0)) for name, count in counts.items()}
        return replace(self, counts={**self.counts, **most})

    def may_leave_behind(self, now: datetime) -> bool:
        """Tell whether carrier content that cannot be deleted yet no longer holds up the rest."""
        return now >= self.patience_ends

    @property
    def patience_ends(self) -> datetime:
        """The instant from which the saga goes on without carrier content that cannot be deleted yet."""
        return self.began_at + PATIENCE
