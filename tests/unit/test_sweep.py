"""A sweep does all that is due, and lets no kind of it wait for another."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import ClassVar

from application.purge import Purge, PurgeResult
from application.retention import BATCH, Sweep
from bootstrap.worlds import InMemory
from domain.kernel import PicoError


class Pile(Purge):
    """So many records that are due, and the turns in which they went."""

    name: ClassVar[str] = "pile"
    turns: ClassVar[list[Pile]] = []

    def __init__(self, due: int, *, stuck: int = 0) -> None:
        self.due, self.stuck = due, stuck

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        self.turns.append(self)
        gone = min(self.due, limit - self.stuck)
        self.due -= gone
        return PurgeResult(gone, Counter(store_unavailable=self.stuck) if self.stuck else Counter())


class Broken(Pile):
    name: ClassVar[str] = "broken"

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        raise PicoError


async def test_everything_due_goes_in_one_sweep_and_in_turns() -> None:
    much, little = Pile(3 * BATCH + 7), Pile(2)
    Pile.turns.clear()
    result = await Sweep((much, Broken(1), little), InMemory().clock)()
    assert (much.due, little.due) == (0, 0)
    assert result.counts["pile"] == 3 * BATCH + 9
    assert Pile.turns == [much, little, much, much, much], (
        "the short one does not wait for the long one's end"
    )
    assert result.failed.total() == 1, "what fails is left to the next sweep"


async def test_records_that_cannot_go_do_not_keep_a_sweep_going_for_ever() -> None:
    stuck = Pile(10 * BATCH, stuck=BATCH)
    result = await Sweep((stuck,), InMemory().clock)()
    assert result.failed["store_unavailable"] == BATCH
