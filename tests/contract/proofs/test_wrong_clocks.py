"""The small print about clocks that are set wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from application.retention import Sweep
from bootstrap.worlds import InMemory
from domain.kernel import AccountId
from tests.support.actors import PASSWORD, STRANGER, sign_up, with_line
from tests.support.harness import Worlds
from tests.support.jumping_clock import JumpingClock
from tests.support.proofs import proves

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@dataclass
class Trusting:
    """Takes the machine's time for the time."""

    clock: JumpingClock

    async def agreed(self) -> datetime:
        return self.clock.machine()


@dataclass
class Sulking:
    """Never sweeps again once the clocks disagreed."""

    clock: JumpingClock
    disagreed: bool = False

    async def agreed(self) -> datetime:
        self.disagreed = self.disagreed or bool(self.clock.jump)
        return datetime.min.replace(tzinfo=self.clock.now().tzinfo) if self.disagreed else self.clock.now()


async def rows(made: InMemory, *ids: AccountId) -> list[dict[str, int]]:
    return [await made.store.count_rows(each) for each in ids]


def sweeping_by(clock: Any, world: Worlds) -> Worlds:
    return partial(world, sweep=lambda **given: Sweep(**{**given, "clock": clock(given["clock"])}))


def trusts_the_machine(world: Worlds) -> Worlds:
    return sweeping_by(Trusting, world)


def sulks(world: Worlds) -> Worlds:
    return sweeping_by(Sulking, world)


@proves("H29", text="0c4db7db6ab9", saboteur=trusts_the_machine, says="destroyed before its time")
@proves("H29", text="0c4db7db6ab9", saboteur=sulks, says="what fell due stays")
async def test_a_clock_that_is_set_wrong_destroys_nothing_early(world: Worlds) -> None:
    for jump in (90 * DAY, -90 * DAY):
        for database_too in (False, True):
            made = world(clock=lambda made: JumpingClock(made.clock))
            clock: Any = made.clock
            leaving, staying = await sign_up(made, "leaving"), await sign_up(made, "staying")
            other = await made.use_cases.sign_in(staying.email, PASSWORD)
            await made.use_cases.sign_out(staying.id, other.session.id)
            await made.use_cases.start_export(staying.id)
            await made.use_cases.delete_account(leaving.id, PASSWORD)
            await made.advance(MINUTE)

            before = await rows(made, leaving.id, staying.id)
            clock.jump, clock.database_jump = jump, jump if database_too else timedelta()
            for _ in range(12):
                await made.advance(5 * MINUTE)
            assert await rows(made, leaving.id, staying.id) == before, "destroyed before its time"
            clock.jump = clock.database_jump = timedelta()
            back = await made.use_cases.recover_account(leaving.email, PASSWORD)
            assert (await made.use_cases.authenticate(back.token)).account_id == leaving.id
            await made.use_cases.delete_account(leaving.id, PASSWORD)
            await made.advance(30 * DAY)
            assert not any((await made.store.count_rows(leaving.id)).values()), "what fell due stays"


@pytest.mark.parametrize("jump", [90 * DAY, -90 * DAY], ids=str)
async def test_who_leaves_while_a_clock_is_wrong_has_thirty_days_all_the_same(
    world: Worlds, jump: timedelta
) -> None:
    made = world(clock=lambda made: JumpingClock(made.clock))
    clock: Any = made.clock
    ada = await sign_up(made)
    clock.jump = jump
    preview = await made.use_cases.preview_deletion(ada.id)
    assert preview.erase_at == clock.hand.now() + 30 * DAY


async def test_an_erasure_that_waits_for_the_carrier_does_not_lose_patience_over_a_wrong_clock(
    world: Worlds,
) -> None:
    made = world(clock=lambda made: JumpingClock(made.clock))
    clock: Any = made.clock
    ada = await with_line(made)
    await ada.receives("young", ref=await made.carrier.receive(STRANGER, ada.number, "young"))
    await made.use_cases.delete_account(ada.id, PASSWORD)
    made.carrier.too_early = 1_000_000
    await made.advance(30 * DAY)
    clock.jump = 90 * DAY
    for _ in range(20):
        await made.advance(timedelta(hours=1))
    assert await made.keyring.count(ada.id), "our own data went before the day was over"
    clock.jump = timedelta()
    await made.advance(DAY)
    assert not await made.keyring.count(ada.id)
