"""A carrier of the other school, as Telnyx is: orders take time, it lists and deletes nothing, sends have a key.

It stands for every provider Pico has not met: what holds for it and for Twilio holds for the port.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import ClassVar

from typing_extensions import override

from application.inbound_messages import DeliveryReceipt, InboundMessage
from application.ports.carrier_errors import CarrierUnavailable, CarrierUnsupported
from application.ports.message_carrier import (
    FetchedMedia,
    ListedCopy,
    MessageAbilities,
    MessageCarrier,
    OptedOut,
    ReceivedCopy,
    SenderRefused,
    Unreachable,
)
from application.ports.numbers import (
    PENDING,
    AvailableNumber,
    HeldNumber,
    NumberAbilities,
    NumberOrder,
    NumberProvider,
    OrderFailure,
    OrderState,
)
from domain.kernel import CarrierRef, LineId, MessageId
from domain.messages import Sent, Status
from domain.values import Capability, Country, MessageBody, Peer, PhoneNumber

CAPABILITIES = frozenset({Capability.SMS, Capability.VOICE})
PER_MONTH = 1
"""What every number costs, for as long as it is held."""


@dataclass(slots=True)
class Order:
    """An order as this carrier files it: for ever, refused ones too. `line_id` is our customer reference."""

    number: PhoneNumber
    line_id: LineId
    state: OrderState = OrderState.PENDING
    ref: CarrierRef | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A message that this carrier keeps, whatever anybody says."""

    sent: Sent
    sender: str
    message_id: MessageId | None = None


class OtherSchool(NumberProvider, MessageCarrier):
    """Nothing is decided before `decide`, nothing arrives before `deliver`."""

    name: ClassVar[str] = "other_school"
    number_abilities = NumberAbilities(orders_take_time=True)
    message_abilities = MessageAbilities(sends_idempotent_for=timedelta(hours=24))

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.outage = self.lies = False
        self.lose_answers = 0
        self.orders: list[Order] = []
        self.held: dict[CarrierRef, PhoneNumber] = {}
        self.taken: set[str] = set()
        self.unreachable: set[str] = set()
        self.stopped: set[tuple[str, str]] = set()
        self.messages: dict[CarrierRef, Stored] = {}
        self.by_key: dict[MessageId, CarrierRef] = {}
        self.on_order: Callable[[PhoneNumber], Awaitable[None]] | None = None
        self.on_message: Callable[[InboundMessage], Awaitable[None]] | None = None
        self.on_receipt: Callable[[DeliveryReceipt], Awaitable[None]] | None = None
        self._refs = (CarrierRef(f"{number:08x}") for number in count(0xBEEF))

    @property
    def bill(self) -> int:
        """What is due this month: held numbers cost, whoever remembers them."""
        return len(self.held) * PER_MONTH

    # ------------------------------------------------------------------------------------------ numbers

    @override
    async def search(
        self,
        country: Country,
        *,
        area_code: str | None,
        contains: str | None,
        capabilities: frozenset[Capability],
        limit: int,
    ) -> list[AvailableNumber]:
        self._hear()
        found = (
            AvailableNumber(PhoneNumber(f"+120255501{tail:02}"), country, CAPABILITIES) for tail in range(100)
        )
        gone = {*self.taken, *self.held.values()}
        fits = (
            offer
            for offer in found
            if country == "US" and offer.number not in gone and (contains or "") in offer.number
        )
        return [offer for offer, _ in zip(fits, range(limit), strict=False)]

    @override
    async def order(self, number: PhoneNumber, line_id: LineId) -> NumberOrder:
        self._hear()
        self.orders.append(Order(number, line_id))
        self._answer()
        return PENDING

    @override
    async def find_order(self, number: PhoneNumber, line_id: LineId) -> NumberOrder | None:
        """Read the file of orders by customer reference; one that was filled counts while the number is held."""
        self._hear()
        filed = [order for order in self.orders if (order.number, order.line_id) == (number, line_id)]
        for order in filed:
            if order.ref in self.held:
                return NumberOrder(OrderState.ACTIVE, order.ref, CAPABILITIES)
        if any(order.state is OrderState.PENDING for order in filed):
            return PENDING
        refused = any(order.state is OrderState.FAILED for order in filed)
        return NumberOrder.failed(OrderFailure.TAKEN, 10027) if refused else None

    @override
    async def release(self, ref: CarrierRef, line_id: LineId) -> None:
        self._hear()
        if self._is_held(ref, line_id) and not self.lies:
            del self.held[ref]
        self._answer()

    @override
    async def held_for(self, line_id: LineId) -> HeldNumber | None:
        self._hear()
        held = (HeldNumber(ref, number) for ref, number in self.held.items() if self._is_held(ref, line_id))
        return next(held, None)

    @override
    async def owns(self, ref: CarrierRef, line_id: LineId) -> bool:
        self._hear()
        return self._is_held(ref, line_id)

    def _is_held(self, ref: CarrierRef, line_id: LineId) -> bool:
        return ref in self.held and any((order.ref, order.line_id) == (ref, line_id) for order in self.orders)

    async def decide(self) -> None:
        """Decide every pending order, the oldest first, and say so."""
        for order in self.orders:
            if order.state is OrderState.PENDING:
                free = order.number not in {*self.taken, *self.held.values()}
                order.state = OrderState.ACTIVE if free else OrderState.FAILED
                if free:
                    order.ref = next(self._refs)
                    self.held[order.ref] = order.number
                if self.on_order is not None:
                    await self.on_order(order.number)

    # ----------------------------------------------------------------------------------------- messages

    @override
    async def send(
        self,
        message_id: MessageId,
        sender: PhoneNumber,
        to: Peer,
        body: MessageBody,
        media: Sequence[str] = (),
    ) -> Sent:
        self._hear()
        if message_id in self.by_key:
            return self.messages[self.by_key[message_id]].sent
        if to in self.unreachable or not to.startswith("+"):
            raise Unreachable(40310)
        if (sender, to) in self.stopped:
            raise OptedOut(40300)
        if sender not in self.held.values():
            raise SenderRefused(40305)
        sent = Sent(next(self._refs), Status.QUEUED)
        self.messages[sent.ref], self.by_key[message_id] = Stored(sent, sender, message_id), sent.ref
        self._answer()
        return sent

    @override
    async def find_by_pair(
        self,
        sender: PhoneNumber,
        to: Peer,
        body: MessageBody | None,
        since: datetime,
        until: datetime | None = None,
    ) -> list[Sent]:
        raise CarrierUnsupported

    @override
    async def look_up(self, ref: CarrierRef) -> Sent | None:
        self._hear()
        return self.messages[ref].sent if ref in self.messages else None

    @override
    async def delete_copy(self, ref: CarrierRef) -> None:
        raise CarrierUnsupported

    @override
    def fetch_media(self, ref: CarrierRef, position: int) -> AbstractAsyncContextManager[FetchedMedia]:
        raise CarrierUnsupported

    @override
    async def list_copies(self, number: PhoneNumber) -> list[ListedCopy]:
        raise CarrierUnsupported

    @override
    def list_received(self, since: datetime) -> AsyncIterator[list[ReceivedCopy]]:
        raise CarrierUnsupported

    @override
    async def read_received(self, ref: CarrierRef) -> ListedCopy | None:
        raise CarrierUnsupported

    @override
    async def list_message_refs(self, number: PhoneNumber) -> list[CarrierRef]:
        raise CarrierUnsupported

    async def receive(
        self, sender: Peer, to: PhoneNumber, body: str, at: datetime | None = None
    ) -> CarrierRef:
        """Let someone send us a message; it is posted to the one address this carrier has for us."""
        sent = Sent(next(self._refs), Status.RECEIVED)
        self.messages[sent.ref] = Stored(sent, sender)
        if body.upper() == "STOP":
            self.stopped.add((to, sender))
        elif body.upper() == "START":
            self.stopped.discard((to, sender))
        if self.on_message is not None:
            moment = at or self.now()
            await self.on_message(InboundMessage(sent.ref, to, sender, MessageBody(body), received_at=moment))
        return sent.ref

    async def deliver(self) -> None:
        """Let every message that we sent arrive, and say so."""
        for ref, stored in list(self._under_way()):
            for status in (Status.SENT, Status.DELIVERED):
                self.messages[ref] = replace(stored, sent=Sent(ref, status))
                if self.on_receipt is not None:
                    sender = PhoneNumber(stored.sender)
                    await self.on_receipt(DeliveryReceipt(sender, ref, stored.message_id, status))

    def _under_way(self) -> Iterator[tuple[CarrierRef, Stored]]:
        return ((ref, m) for ref, m in self.messages.items() if m.sent.status is Status.QUEUED)

    def _hear(self) -> None:
        if self.outage:
            raise CarrierUnavailable

    def _answer(self) -> None:
        if self.lose_answers:
            self.lose_answers -= 1
            raise CarrierUnavailable
