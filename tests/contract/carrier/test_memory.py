"""The carrier in memory, under the one contract."""

from __future__ import annotations

import pytest

from adapters.outbound.memory.carrier import MemoryCarrier
from application.inbound_messages import DeliveryReceipt, InboundMessage
from domain.kernel import CarrierRef
from domain.messages import Status
from domain.values import Peer, PhoneNumber
from tests.contract.carrier.contract import BODY, LINE, MESSAGE, NUMBER, PEER, CarrierContract, CarrierWorld


class MemoryWorld(CarrierWorld):
    """The fake, with hooks that fill the inbox."""

    unreachable = Peer("+15005550001")

    def __init__(self) -> None:
        super().__init__()
        self.carrier: MemoryCarrier = MemoryCarrier(lambda: self.now)
        self.carrier.unreachable.add(self.unreachable)
        self.carrier.on_text = self.note_text
        self.carrier.on_status = self.apply_delivery_receipt

    async def note_text(self, text: InboundMessage) -> None:
        self.inbox.append((text.sender, text.to, text.body))

    async def apply_delivery_receipt(self, report: DeliveryReceipt) -> None:
        self.reports.append((report.message_id, report.ref, report.status))

    def outage(self, *, on: bool) -> None:
        self.carrier.outage = on

    def lose_next_answer(self) -> None:
        self.carrier.lose_answers = 1

    def take(self, number: PhoneNumber) -> None:
        self.carrier.taken.add(number)

    def lie(self) -> None:
        self.carrier.lies = True

    def too_early(self) -> None:
        self.carrier.too_early = 1

    async def receive(self, sender: Peer, to: PhoneNumber, body: str) -> CarrierRef:
        return await self.carrier.receive(sender, to, body)

    async def settle(self) -> None:
        for ref, text in list(self.carrier.texts.items()):
            if text.status is Status.QUEUED:
                for status in (Status.SENDING, Status.SENT, Status.DELIVERED):
                    await self.carrier.report(ref, status)


class TestMemoryCarrier(CarrierContract):
    @pytest.fixture
    def world(self) -> MemoryWorld:
        return MemoryWorld()

    async def test_it_tells_what_it_was_asked_and_never_with_what(self, world: MemoryWorld) -> None:
        await world.carrier.buy(NUMBER, LINE)
        await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
        assert world.carrier.calls == ["buy", "send"]
