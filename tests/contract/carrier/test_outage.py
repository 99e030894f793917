"""Ten minutes in which no webhook comes through: at both carriers, over the wire, nothing is missing afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from application.catching_up import EVERY, CaughtUp
from application.ports.carrier_errors import CarrierUnavailable
from bootstrap.worlds import InMemory
from domain.values import Peer
from tests.contract.carrier.test_erasure_at_twilio import Both
from tests.support.actors import STRANGER, with_line
from tests.support.twilio_world import TwilioWorld
from tests.support.two_carriers import TwoCarriers, two_carriers

MESSAGES = 60
BETWEEN = timedelta(minutes=10) / MESSAGES
PICTURE = [("image/gif", b"GIF89a")]


@pytest.fixture
async def both() -> AsyncIterator[TwoCarriers]:
    async with two_carriers() as both:
        yield both


async def test_ten_minutes_without_twilios_webhooks_lose_nothing() -> None:
    async with TwilioWorld().running() as twilio:
        world = InMemory()
        twilio.now = world.clock.now()
        world.carrier = Both(twilio)  # type: ignore[assignment]  # what there is of it here
        world.wire()
        ada = await with_line(world)
        await world.use_cases.catch_up()
        said = [f"{number}" for number in range(MESSAGES)]
        for body in said:
            twilio.now += BETWEEN
            world.clock.advance(BETWEEN)
            await twilio.receive(Peer(STRANGER), ada.number, body, PICTURE if body == "7" else [])
        twilio.exchanges.clear()
        world.clock.advance(EVERY)
        assert await world.use_cases.catch_up() == CaughtUp(MESSAGES)
        assert (await ada.inbox())[::-1] == said
        [conversation] = (await world.use_cases.list_conversations(ada.id, None, None, 10)).items
        kept = (await world.use_cases.list_messages(ada.id, conversation.id, None, 100)).items
        assert [str(message.body) for message in kept if message.attachments] == ["7"]
        pages = len(twilio.exchanges)
        assert pages <= MESSAGES / 2 + 1, "each page is asked for once, and nothing else"


async def test_ten_minutes_without_telnyxs_webhooks_lose_nothing(both: TwoCarriers) -> None:
    world = both.world
    ada, bea = await both.british("ada"), await world.signed_up("bea")
    await bea.with_line()
    await world.use_cases.catch_up()
    both.telnyx.faults.set({"drop": True})
    both.first.silent = True
    said = [f"{number}" for number in range(MESSAGES)]
    for body in said:
        world.clock.advance(BETWEEN)
        await both.telnyx.inbound_sms(STRANGER, ada.number, body)
        await both.first.deliver(STRANGER, bea.number, body)
    world.clock.advance(EVERY)
    assert await world.use_cases.catch_up() == CaughtUp(2 * MESSAGES)
    assert (await ada.inbox())[::-1] == said
    assert (await bea.inbox())[::-1] == said
    world.clock.advance(EVERY)
    assert await world.use_cases.catch_up() == CaughtUp()


async def test_a_carrier_that_is_away_holds_up_no_other(both: TwoCarriers) -> None:
    world = both.world
    ada = await both.british("ada")
    both.telnyx.faults.set({"drop": True})
    await both.telnyx.inbound_sms(STRANGER, ada.number, "hello")
    both.first.outage = True
    world.clock.advance(EVERY)
    with pytest.raises(CarrierUnavailable):
        await world.use_cases.catch_up()
    assert await ada.inbox() == ["hello"]
