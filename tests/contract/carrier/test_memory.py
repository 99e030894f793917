"""The carrier in memory, under both contracts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from adapters.outbound.memory.carrier import MemoryCarrier
from adapters.outbound.memory.message_carrier import FetchableMedia
from application.inbound_messages import DeliveryReceipt, InboundMessage
from application.ports.numbers import NumberAbilities
from domain.kernel import CarrierRef
from domain.messages import Status
from domain.values import Peer, PhoneNumber
from pico_testkit.contracts.carrier import BODY, LINE, MESSAGE, NUMBER, PEER, CarrierWorld, Picture
from pico_testkit.contracts.messages import MessageCarrierContract
from pico_testkit.contracts.numbers import NumberProviderContract


class MemoryWorld(CarrierWorld):
    """The fake, with hooks that fill the inbox."""

    unreachable = Peer("+15005550001")

    def __init__(self) -> None:
        super().__init__()
        self.fake = MemoryCarrier(lambda: self.now)
        self.numbers = self.carrier = self.fake
        self.fake.unreachable.add(self.unreachable)
        self.fake.on_message = self._note_message
        self.fake.on_receipt = self._note_receipt

    async def _note_message(self, message: InboundMessage) -> None:
        self.inbox.append((message.sender, message.to, message.body))
        self.proofs.append(message.line_id)

    async def _note_receipt(self, receipt: DeliveryReceipt) -> None:
        self.receipts.append((receipt.message_id, receipt.ref, receipt.status))

    def outage(self, *, on: bool) -> None:
        self.fake.outage = on

    def lose_next_answer(self) -> None:
        self.fake.lose_answers = 1

    def take(self, number: PhoneNumber) -> None:
        self.fake.taken.add(number)

    def lie(self) -> None:
        self.fake.lies = True

    def too_early(self) -> None:
        self.fake.too_early = 1

    async def receive(
        self, sender: Peer, to: PhoneNumber, body: str, media: Sequence[Picture] = ()
    ) -> CarrierRef:
        return await self.fake.receive(sender, to, body, [FetchableMedia(*each) for each in media])

    async def settle(self) -> None:
        self.fake.decide()
        for ref, copy in list(self.fake.messages.items()):
            if copy.status is Status.QUEUED:
                for status in (Status.SENDING, Status.SENT, Status.DELIVERED):
                    await self.fake.report(ref, status)


class TestMemoryNumbers(NumberProviderContract):
    @pytest.fixture
    def world(self) -> MemoryWorld:
        return MemoryWorld()


class TestMemoryNumbersThatTakeTime(NumberProviderContract):
    """The same fake, with the knob for orders that wait."""

    @pytest.fixture
    def world(self) -> MemoryWorld:
        world = MemoryWorld()
        world.fake.orders_wait = True
        world.fake.number_abilities = NumberAbilities(
            has_area_codes=True, orders_take_time=True, has_line_webhooks=True
        )
        return world


class TestMemoryMessages(MessageCarrierContract):
    @pytest.fixture
    def world(self) -> MemoryWorld:
        return MemoryWorld()


async def test_it_tells_what_it_was_asked_and_never_with_what() -> None:
    world = MemoryWorld()
    await world.numbers.order(NUMBER, LINE)
    await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
    assert world.fake.calls == ["order", "send"]
