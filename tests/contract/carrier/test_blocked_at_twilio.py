"""A picture from a blocked number: Pico never asks Twilio for it, and Twilio keeps nothing of it."""

from __future__ import annotations

from datetime import timedelta

from adapters.inbound.webhooks.twilio.messages import inbound_message
from bootstrap.worlds import InMemory
from domain.media import Media
from domain.messages import Message
from domain.values import Peer, PhoneNumber
from tests.contract.carrier.test_erasure_at_twilio import Both
from tests.support.actors import STRANGER, with_line
from tests.support.twilio_world import TwilioWorld

HOUR = timedelta(hours=1)


async def test_of_a_blocked_picture_nothing_is_asked_for_and_its_media_go_with_the_copy() -> None:
    async with TwilioWorld().running() as twilio:
        world = InMemory()
        twilio.now = world.clock.now()
        world.carrier = Both(twilio)  # type: ignore[assignment]  # what there is of it here
        world.wire()
        ada = await with_line(world)
        await world.use_cases.block_number(ada.id, PhoneNumber(STRANGER))
        await twilio.receive(Peer(STRANGER), ada.number, "look", [("image/gif", b"GIF89a")])
        inbound = inbound_message(twilio.hooks[-1].form, "")
        assert inbound is not None
        assert inbound.attachments == 1
        await world.use_cases.receive_message(inbound)
        await world.settle()
        held = twilio.simulator.holdings()
        assert (len(held["messages"]), len(held["media"])) == (1, 1)
        twilio.now += HOUR
        await world.advance(HOUR)
        held = twilio.simulator.holdings()
        assert (held["messages"], held["media"]) == ([], [])
        assert not [exchange.url for exchange in twilio.exchanges if "/Media" in exchange.url.path]
        rows = world.store.rows(ada.id)
        assert (len(rows[Message]), len(rows[Media]), await world.objects.count(ada.id)) == (0, 0, 0)
