"""Random interleavings of buying, dying, losing and giving back, on PostgreSQL and before Twilio's simulator."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from adapters.outbound.twilio.numbers import MARK
from domain.kernel import LineId
from domain.values import PhoneNumber
from tests.contract.conftest import Postgres
from tests.support.harness import OnPostgres, on_postgres
from tests.support.leasing import Leasing, Mortal
from tests.support.twilio_world import TwilioWorld

EXAMPLES = int(os.environ.get("PICO_INTERLEAVINGS_AT_TWILIO", "1"))


class BeforeTwilio:
    """A world on PostgreSQL whose carrier is the simulator."""

    def __init__(self, world: OnPostgres, twilio: TwilioWorld) -> None:
        self.world, self.twilio = world, twilio
        self.numbers = Mortal(twilio.numbers)
        world.carrier = twilio.carrier  # type: ignore[assignment]  # what there is of it here
        world.numbers = self.numbers  # type: ignore[assignment]  # all of one, and mortal
        world.wire()
        twilio.now = world.clock.now()

    def inventory(self) -> set[tuple[str, LineId | None]]:
        held = self.twilio.simulator.holdings()["numbers"]
        marks = [(number["phone_number"], MARK.match(number["friendly_name"])) for number in held]
        return {(number, None if mark is None else LineId(UUID(mark[1]))) for number, mark in marks}

    def lose(self, number: PhoneNumber) -> None:
        self.twilio.simulator.take_back(number)

    def befall(self, mishap: str) -> None:
        self.twilio.simulator.faults.set({
            "outage": mishap == "outage", "lose_answer": int(mishap == "answer lost"), "lie": mishap == "not done",
            "number_taken": int(mishap == "taken"),
        })  # fmt: skip

    async def advance(self, by: timedelta) -> None:
        self.twilio.now += by
        await self.world.advance(by)


@asynccontextmanager
async def before_twilio(postgres: Postgres, folder: Path) -> AsyncIterator[BeforeTwilio]:
    async with TwilioWorld().running() as twilio, on_postgres(postgres, folder) as world:
        yield BeforeTwilio(world, twilio)


def test_whatever_happens_twilios_inventory_is_ours_in_the_end(postgres: Postgres, tmp_path: Path) -> None:
    numbers = iter(range(10**6))

    def opened() -> Leasing:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        return Leasing(partial(before_twilio, postgres, folder))

    run_state_machine_as_test(
        opened,  # type: ignore[arg-type]  # what makes one will do
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=10,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
