"""Random interleavings of buying, dying, losing, giving back and leaving, on fakes."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from typing_extensions import override

from application.line_check import CheckLine
from application.line_purchase import CompletePurchase
from application.line_release import FinishRelease
from application.ports.jobs import JobLease
from application.ports.store import Tx
from bootstrap.worlds import InMemory
from domain.kernel import AccountId, LineId
from domain.values import PhoneNumber
from tests.support.leasing import Leasing, Mortal

EXAMPLES = int(os.environ.get("PICO_INTERLEAVINGS", "5"))


class OnFakes:
    """A world in memory, and its carrier."""

    def __init__(self, **replaced: Callable[..., object]) -> None:
        self.world = InMemory()
        self.carrier = self.world.carrier
        self.numbers = Mortal(self.carrier)
        self.world.numbers = self.numbers  # type: ignore[assignment]  # all of one, and mortal
        self.world.wire(replaced)

    def inventory(self) -> set[tuple[str, LineId | None]]:
        return {(owned.number, owned.line_id) for owned in self.carrier.numbers.values()}

    def lose(self, number: PhoneNumber) -> None:
        for ref, owned in list(self.carrier.numbers.items()):
            if owned.number == number:
                del self.carrier.numbers[ref], self.carrier.owners[number]

    def befall(self, mishap: str) -> None:
        self.carrier.outage = mishap == "outage"
        self.carrier.lose_answers = int(mishap == "answer lost")
        self.carrier.lies = mishap == "not done"
        self.carrier.taken = {str(offer.number) for offer in self.carrier.on_offer if mishap == "taken"}

    async def advance(self, by: timedelta) -> None:
        await self.world.advance(by)


@asynccontextmanager
async def on_fakes(**replaced: Callable[..., object]) -> AsyncIterator[OnFakes]:
    yield OnFakes(**replaced)


def test_whatever_happens_the_carriers_inventory_is_ours_in_the_end() -> None:
    run_state_machine_as_test(
        lambda: Leasing(on_fakes),  # type: ignore[arg-type]  # what makes one will do
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


class Forgets(CompletePurchase):
    """Takes an order whose answer was lost for one that was never placed."""

    @override
    async def __call__(self, account_id: AccountId, line_id: LineId, lease: JobLease) -> None:
        await self._commit(account_id, line_id, None, lease)


class Believes(FinishRelease):
    """Takes a number for released because the carrier was asked to."""

    @override
    async def __call__(self, account_id: AccountId, line_id: LineId, lease: JobLease) -> None:
        line = await self._begin(account_id, line_id)
        if line is None or line.ref is None:
            return await super().__call__(account_id, line_id, lease)
        await self.numbers.release(line.ref, line.id)

        async def change(tx: Tx) -> None:
            released = await tx.lines.get_even_broken(line_id)
            released.released(self.clock.now())
            tx.save(released)

        return await self.store.update(account_id, change, completing=lease)


class Ignores(CheckLine):
    """Does not want to know whether the number is still there."""

    @override
    async def __call__(self, account_id: AccountId, line_id: LineId, lease: JobLease) -> None:
        return None


class NeverCompared(Leasing):
    """What is done wrong is not found by a comparison and put right."""

    is_compared = None  # type: ignore[assignment]  # no rule any more


@pytest.mark.parametrize(
    ("name", "saboteur"),
    [("complete_purchase", Forgets), ("finish_release", Believes), ("check_line", Ignores)],
)
def test_it_would_be_seen_if_it_were_not_so(name: str, saboteur: Callable[..., object]) -> None:
    with pytest.raises(AssertionError, match="the carrier's inventory is not ours"):
        run_state_machine_as_test(
            lambda: NeverCompared(partial(on_fakes, **{name: saboteur})),  # type: ignore[arg-type]  # what makes one will do
            settings=settings(
                max_examples=600, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck),
                phases=[Phase.generate], report_multiple_bugs=False, database=None,
            ),
        )  # fmt: skip
