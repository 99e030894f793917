"""The time of an answer: whole steps and a bit of chance, whatever was done meanwhile."""

from __future__ import annotations

import asyncio
from time import monotonic

import pytest

from application import even_time
from application.even_time import STEP, in_even_time
from bootstrap.worlds import InMemory
from domain.values import Email


class Middle:
    """Chance that always falls into the middle."""

    def uniform(self, least: float, most: float) -> float:
        return (least + most) / 2


@pytest.mark.parametrize("work", [0.0, STEP / 5, STEP * 1.2])
async def test_a_block_ends_whole_steps_after_it_began_and_a_bit_by_chance(
    work: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, waits = 100.0, list[float]()

    async def waited(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(even_time, "monotonic", lambda: now)
    monkeypatch.setattr(asyncio, "sleep", waited)
    monkeypatch.setattr(even_time, "_CHANCE", Middle())
    async with in_even_time():
        now += work
    (wait,) = waits
    steps = (work + wait - STEP / 2) / STEP
    assert steps == pytest.approx(round(steps))
    assert STEP / 2 <= wait < STEP * 1.5


async def test_a_reset_takes_its_time_whether_the_address_is_known_or_not() -> None:
    world = InMemory()
    await world.signed_up("ada")
    for address in ("ada@example.com", "nobody@example.com"):
        began = monotonic()
        await world.use_cases.ask_password_reset(Email(address))
        assert monotonic() - began >= STEP * 0.9
