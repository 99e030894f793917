"""An account is never complete while Twilio holds anything of it, whatever is wrong with Twilio, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapters.outbound.twilio.simulator.oddities import ODDITIES
from bootstrap.worlds import InMemory
from domain.values import Peer
from tests.support.actors import PASSWORD, STRANGER, Person, with_line
from tests.support.twilio_world import TwilioWorld

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FOR_EVER = 1_000_000
FAULTS: dict[str, dict[str, object]] = {
    "outage": {"outage": True},
    "unreachable": {"unreachable": True},
    "keeps what it says it deletes": {"lie": True},
    "refuses": {"refuse": 20403},
    "too early": {"too_early": FOR_EVER},
    "loses answers": {"lose_answer": FOR_EVER},
    **{f"answers {odd}": {"odd": odd} for odd in ODDITIES},
}
RIGHT = {
    "outage": False, "unreachable": False, "lie": False, "refuse": 0, "too_early": 0, "lose_answer": 0, "odd": "",
}  # fmt: skip


class Both:
    """The two adapters as the one provider that the world takes them for."""

    def __init__(self, twilio: TwilioWorld) -> None:
        self.twilio = twilio

    def __getattr__(self, name: str) -> Any:
        messages = self.twilio.carrier
        return getattr(messages if hasattr(messages, name) else self.twilio.numbers, name)


class Erased:
    """A life, a farewell and an erasure, with Twilio out of order at one time of it."""

    def __init__(self, twilio: TwilioWorld) -> None:
        self.twilio, self.world = twilio, InMemory()
        self.world.pause, twilio.now = MINUTE, self.world.clock.now()
        self.world.carrier = Both(twilio)  # type: ignore[assignment]  # what there is of it here
        self.world.wire()

    async def passes(self, fault: dict[str, object], when: str) -> None:
        self.ada = await with_line(self.world)
        self.set(fault if when == "before" else RIGHT)
        for body in ("heard", "never delivered"):
            ref = await self.twilio.receive(Peer(STRANGER), self.ada.number, body)
            if body == "heard":
                await self.ada.receives(body, ref=ref)
        for _ in range(3):
            await self.waits(HOUR)
        await self.world.use_cases.delete_account(self.ada.id, PASSWORD)
        self.set(RIGHT)
        self.set(fault if when == "during" else {"too_early": FOR_EVER if when == "after" else 0})
        await self.waits(30 * DAY)
        for _ in range(14):
            if await self.world.keyring.count(self.ada.id):
                await self.waits(2 * HOUR)
        self.set({**RIGHT, **(fault if when == "after" else {})})
        for _ in range(3):
            await self.waits(7 * HOUR)
        self.set(RIGHT)
        for _ in range(8):
            await self.waits(7 * HOUR)
        assert await self.is_complete(self.ada), "never finished"

    def set(self, faults: dict[str, object]) -> None:
        self.twilio.simulator.faults.set(faults)

    async def waits(self, by: timedelta) -> None:
        self.twilio.now += by
        await self.world.advance(by)
        if await self.is_complete(self.ada):
            held = self.twilio.simulator.holdings()
            assert (held["numbers"], held["messages"]) == ([], []), "complete, and something is left"

    async def is_complete(self, ada: Person) -> bool:
        return await self.world.ledger.receipt(await self.world.fingerprint(ada.id)) is not None


@pytest.mark.parametrize("when", ["before", "during", "after"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_an_erasure_is_never_complete_while_twilio_holds_anything(fault: str, when: str) -> None:
    async with TwilioWorld().running() as twilio:
        await Erased(twilio).passes(FAULTS[fault], when)
