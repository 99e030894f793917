"""A spoken greeting of which a step fails, whichever it is: it comes whole, once, and leaves nothing."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from application.ports.store import StoreUnavailable
from application.voicemail_receiving import InboundVoicemail
from bootstrap.worlds import InMemory
from tests.support.actors import with_line
from tests.support.spoken_greetings import (
    BEFORE,
    HOUR,
    SAID,
    calls_herself,
    heard,
    rows,
    says,
)
from tests.unit.test_greetings import upload


class Dying:
    """Has the step of a number fail: before it is done, or after, so that nobody hears that it was."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.at, self.after, self.steps = at, after, 0

    def mine(self, of: Any, *names: str) -> None:
        for name in names:
            self._mine(of, name, getattr(of, name))

    def _mine(self, of: Any, name: str, honest: Any) -> None:
        async def step(*given: Any, **named: Any) -> Any:
            self.steps += 1
            dies = self.steps == self.at
            if dies and not self.after:
                raise StoreUnavailable
            done = await honest(*given, **named)
            if dies:
                raise StoreUnavailable
            return done

        setattr(of, name, step)


async def lives(at: int, *, after: bool) -> int:
    """Have a greeting be said and taken in though a step fails; return how many steps there were."""
    world, dying = InMemory(), Dying(at, after=after)
    ada = await with_line(world)
    await upload(ada, BEFORE)
    call = await calls_herself(ada)
    world.recordings.silent = True
    ref = await says(ada, call)
    dying.mine(world.store, "update")
    dying.mine(world.byte_store, "write", "delete")
    dying.mine(world.recordings, "look_up", "delete", "holds")
    for _ in range(2):  # what was not answered is told again
        with suppress(StoreUnavailable):
            await world.use_cases.receive_voicemail(InboundVoicemail(ref))
        await world.settle()
    for _ in range(4):
        await world.advance(HOUR)
    assert await heard(ada) == SAID, (at, after)
    assert [(each.ref, each.is_heard) for each in await rows(ada)] == [(None, True)]
    assert (world.recordings.recordings, await world.objects.count(ada.id)) == ({}, 1)
    return dying.steps


@pytest.mark.parametrize("after", [False, True])
async def test_whichever_step_fails_it_comes_whole_once_and_leaves_nothing(*, after: bool) -> None:
    steps = await lives(0, after=after)
    assert steps > 5
    for at in range(1, steps + 1):
        await lives(at, after=after)
