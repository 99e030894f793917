"""What a sweep says it did: every purge counted, every failure too, and none of them holds up another."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest

from adapters.outbound.memory.system import HandClock
from application.ports.jobs import Job
from application.ports.store import StoreUnavailable
from application.purge import Purge, PurgeResult, purge_each
from application.retention import BATCH, Sweep
from bootstrap.worlds import InMemory
from domain.kernel import AccountId, PicoError
from tests.support.actors import PASSWORD, with_line


async def fails_on_some(one: int) -> bool:
    match one:
        case 1 | 2:
            raise StoreUnavailable
        case 3 | 4 | 5:
            raise KeyError(one)
    return one < 10


async def test_purging_counts_what_went_and_what_failed_by_its_code() -> None:
    done = await purge_each([1, 2, 3, 4, 5, 6, 7, 10], fails_on_some)
    assert (done.purged, done.failed) == (2, Counter({StoreUnavailable.code: 2, "KeyError": 3}))
    assert [error.args for error in done.unforeseen] == [(3,), (4,), (5,)], "an outage is none of these"


@dataclass(frozen=True)
class Purges:
    """Finds so many, or fails."""

    name: str
    result: PurgeResult | Exception

    async def __call__(self, _now: datetime, limit: int) -> PurgeResult:
        assert limit == BATCH
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


async def test_a_sweep_adds_up_what_its_purges_did() -> None:
    purges: Any = (
        Purges("a", PurgeResult(1, Counter({"x": 1}))), Purges("a", PurgeResult(2, Counter({"x": 2, "y": 1}))),
        Purges("b", StoreUnavailable()), Purges("b", StoreUnavailable()), Purges("c", KeyError()),
        Purges("c", KeyError()), Purges("a", PurgeResult(0)),
    )  # fmt: skip
    swept = await Sweep(purges, HandClock())()
    assert swept.counts == {"a": 3}
    assert swept.failed == {"x": 3, "y": 1, StoreUnavailable.code: 2, "KeyError": 2}


@pytest.mark.parametrize("name", ["accounts", "sessions", "idempotency_records", "exports", "jobs_recalled"])
async def test_a_purge_takes_no_more_than_it_is_told_at_a_time_and_everything_in_the_end(
    world: InMemory, name: str
) -> None:
    (purge,) = (purge for purge in world.use_cases.sweep.purges if purge.name == name)
    far = Job("mail_verification", AccountId(UUID(int=1)), UUID(int=1), timedelta(days=800))
    for n in range(5):
        someone = await with_line(world, f"person{n}", f"+1202555014{n}")
        await world.use_cases.sign_in(someone.email, PASSWORD)
        await world.use_cases.sign_out(someone.id, someone.signed_in.session.id)
        await world.use_cases.start_export(someone.id)
        await world.settle()
        if n % 2:
            await world.use_cases.delete_account(someone.id, PASSWORD)
        world.queue.put([far])
    world.clock.advance(timedelta(days=365))
    turns = [(await purge(world.clock.now(), 2)).purged for _ in range(20)]
    taken = [gone for gone in turns if gone]
    assert turns == taken + [0] * (len(turns) - len(taken)), "it was done before its end"
    assert taken[:-1] == [2] * (len(taken) - 1)
    assert taken[-1] in {1, 2}


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
    result = await Sweep((much, Broken(1), little), HandClock())()
    assert (much.due, little.due) == (0, 0)
    assert result.counts["pile"] == 3 * BATCH + 9
    assert Pile.turns == [much, little, much, much, much], (
        "the short one does not wait for the long one's end"
    )
    assert result.failed.total() == 1, "what fails is left to the next sweep"


async def test_records_that_cannot_go_do_not_keep_a_sweep_going_for_ever() -> None:
    stuck = Pile(10 * BATCH, stuck=BATCH)
    result = await Sweep((stuck,), HandClock())()
    assert result.failed["store_unavailable"] == BATCH
