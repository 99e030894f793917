"""A carrier under contract: its two ports, the network behind it, and us in front of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest

from application.ports.message_carrier import MessageAbilities, MessageCarrier
from application.ports.numbers import NumberAbilities, NumberOrder, NumberProvider
from domain.kernel import CarrierRef, LineId, MessageId, PicoError
from domain.messages import Status
from domain.values import Capability, Country, MessageBody, Peer, PhoneNumber

LINE = LineId(UUID("01890000-0000-7000-8000-000000000001"))
OTHER_LINE = LineId(UUID("01890000-0000-7000-8000-000000000002"))
MESSAGE = MessageId(UUID("01890000-0000-7000-8000-0000000000a1"))
OTHER_MESSAGE = MessageId(UUID("01890000-0000-7000-8000-0000000000a2"))
NUMBER, OTHER_NUMBER = PhoneNumber("+12025550143"), PhoneNumber("+14155550126")
PEER, OTHER_PEER = Peer("+13105550178"), Peer("+447700900461")
BODY = MessageBody("See you at café Ωmega, 7 o'clock & bring the keys 🗝️")
US, SMS = Country("US"), frozenset({Capability.SMS})
START = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)


Picture = tuple[str, bytes]
"""Media type and content."""


class CarrierWorld(ABC):
    """What a suite asks of the surroundings of a carrier."""

    numbers: NumberProvider
    carrier: MessageCarrier
    unreachable: Peer
    """A destination the carrier cannot reach."""

    def __init__(self) -> None:
        self.now = START
        self.inbox: list[tuple[str, str, str]] = []
        """Messages that came in to us: sender, our number, body."""
        self.proofs: list[LineId | datetime | None] = []
        """What came with each of them to prove whose it is: the line in the webhook's address, or when it was sent."""
        self.receipts: list[tuple[MessageId | None, CarrierRef, Status]] = []
        """Delivery receipts that came in to us."""

    @abstractmethod
    def outage(self, *, on: bool) -> None:
        """Let nothing be done and nothing be answered."""

    @abstractmethod
    def lose_next_answer(self) -> None:
        """Let the next write be done, and its answer be lost."""

    @abstractmethod
    def take(self, number: PhoneNumber) -> None:
        """Let somebody else buy the number that is ordered next."""

    @abstractmethod
    def lie(self) -> None:
        """Let deletions and releases be answered well and not be done."""

    @abstractmethod
    def too_early(self) -> None:
        """Let the next deletion of a copy be put off."""

    oddities: tuple[str, ...] = ()
    """What nonsense the carrier may answer; none where there is no wire."""

    def babble(self, oddity: str) -> None:
        """Let every answer be nonsense of this kind; with "", make sense again."""
        assert not oddity or oddity in self.oddities

    @abstractmethod
    async def receive(
        self, sender: Peer, to: PhoneNumber, body: str, media: Sequence[Picture] = ()
    ) -> CarrierRef:
        """Let someone send a message to a number of ours, with pictures where the carrier brings some."""

    @abstractmethod
    async def settle(self) -> None:
        """Let every message under way arrive, and every pending order be decided."""

    @property
    def number_abilities(self) -> NumberAbilities:
        return self.numbers.number_abilities

    @property
    def message_abilities(self) -> MessageAbilities:
        return self.carrier.message_abilities

    async def ordered(self, number: PhoneNumber = NUMBER, line_id: LineId = LINE) -> NumberOrder:
        """Order a number, and wait until it is decided."""
        order = await self.numbers.order(number, line_id)
        assert self.number_abilities.orders_take_time or not order.is_pending
        if order.is_pending:
            await self.settle()
            decided = await self.numbers.find_order(number, line_id)
            assert decided is not None
            assert not decided.is_pending
            order = decided
        return order

    async def bought(self, number: PhoneNumber = NUMBER, line_id: LineId = LINE) -> CarrierRef:
        """Order a number that is sold to us, and return its reference."""
        order = await self.ordered(number, line_id)
        assert order.ref is not None
        return order.ref

    async def holds(self, number: PhoneNumber, line_id: LineId) -> bool:
        """Tell whether the provider says that it holds this number for this line."""
        order = await self.numbers.find_order(number, line_id)
        return order is not None and order.ref is not None

    async def sent(self, message_id: MessageId = MESSAGE, to: Peer = PEER) -> CarrierRef:
        """Send a message that arrives."""
        sent = await self.carrier.send(message_id, NUMBER, to, BODY)
        await self.settle()
        return sent.ref


async def error_of(ask: Awaitable[object]) -> PicoError:
    """Return the error that comes of it."""
    with pytest.raises(PicoError) as raised:
        await ask
    return raised.value
