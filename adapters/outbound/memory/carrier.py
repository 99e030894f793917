"""A carrier in memory: numbers, texts, and everything that goes wrong with them, without a wire."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import ClassVar

from typing_extensions import override

from application.inbound_messages import DeliveryReceipt, InboundMessage
from application.ports.carrier import (
    AvailableNumber,
    BadDestination,
    Carrier,
    CarrierRefused,
    CarrierUnavailable,
    NumberTaken,
    OptedOut,
    Purchase,
    Sent,
)
from domain.kernel import CarrierRef, LineId, MessageId
from domain.messages import OptOut, Status, opt_out_of
from domain.values import Capability, Country, MessageBody, Peer, PhoneNumber

EVERYTHING = frozenset(Capability)
ON_OFFER = tuple(
    AvailableNumber(PhoneNumber(f"+1{area}55501{tail:02}"), Country("US"), EVERYTHING)
    for area in ("202", "415", "646")
    for tail in range(100)
)
"""Numbers reserved for fiction (NANPA)."""


@dataclass(frozen=True, slots=True)
class Text:
    """The carrier's copy of a text. `tag` is our own id, if we sent it."""

    ref: CarrierRef
    sender: str
    to: str
    body: MessageBody
    status: Status
    at: datetime
    error: int | None = None
    tag: MessageId | None = None

    @property
    def sent(self) -> Sent:
        """In the port's words."""
        return Sent(self.ref, self.status, self.error)


class MemoryCarrier(Carrier):
    """`Carrier` in memory, with knobs. Nothing moves by itself: `receive` and `report` play the network.

    Knobs, to be set at any time: `outage` (nothing is done, every method raises CarrierUnavailable),
    `lose_answers` (so many writes are done and then raise CarrierUnavailable), `too_early` (so many purges are
    put off), `lies` (release and purge answer well and do nothing), `on_offer`, `taken`, `unreachable`,
    `opted_out`. To look at: `calls`, the names of the operations asked for, and what is held, `numbers` and
    `texts`. `on_text` and `on_status` are where the carrier's webhooks would lead.
    """

    name: ClassVar[str] = "memory"

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Take the clock that stamps texts."""
        self.outage = self.lies = False
        self.lose_answers = self.too_early = 0
        self.on_offer: list[AvailableNumber] = list(ON_OFFER)
        self.taken: set[str] = set()
        self.unreachable: set[str] = set()
        self.opted_out: set[tuple[str, str]] = set()
        self.calls: list[str] = []
        self.numbers: dict[CarrierRef, tuple[Purchase, LineId]] = {}
        self.texts: dict[CarrierRef, Text] = {}
        self.on_text: Callable[[InboundMessage], Awaitable[None]] | None = None
        self.on_status: Callable[[DeliveryReceipt], Awaitable[None]] | None = None
        self._now = now
        self._serial = count(1)

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
        """`contains` is taken as plain digits."""
        self._hear("search")
        gone = self.taken | {purchase.number for purchase, _ in self.numbers.values()}
        return [
            offer
            for offer in self.on_offer
            if offer.country == country
            and offer.number not in gone
            and capabilities <= offer.capabilities
            and (area_code is None or offer.number.startswith(f"+1{area_code}"))
            and (contains is None or contains in offer.number)
        ][:limit]

    @override
    async def buy(self, number: PhoneNumber, line_id: LineId) -> Purchase:
        """A number has the same reference whoever buys it, and whenever."""
        self._hear("buy")
        offer = next((offer for offer in self.on_offer if offer.number == number), None)
        ref = CarrierRef(f"number-{[offer.number for offer in self.on_offer].index(number)}" if offer else "")
        if offer is None or number in self.taken or ref in self.numbers:
            raise NumberTaken
        purchase = Purchase(ref, number, offer.capabilities)
        self.numbers[ref] = (purchase, line_id)
        self._answer()
        return purchase

    @override
    async def find_purchase(self, number: PhoneNumber, line_id: LineId) -> Purchase | None:
        self._hear("find_purchase")
        wanted = (number, line_id)
        return next(
            (bought for bought, line in self.numbers.values() if (bought.number, line) == wanted), None
        )

    @override
    async def release(self, ref: CarrierRef) -> None:
        """What the other sides asked of the number goes with it."""
        self._hear("release")
        if ref in self.numbers and not self.lies:
            released = self.numbers.pop(ref)[0].number
            self.opted_out = {pair for pair in self.opted_out if pair[0] != released}
        self._answer()

    @override
    async def owns(self, ref: CarrierRef) -> bool:
        self._hear("owns")
        return ref in self.numbers

    @override
    async def send(self, message_id: MessageId, sender: PhoneNumber, to: Peer, body: MessageBody) -> Sent:
        self._hear("send")
        if to in self.unreachable:
            raise BadDestination
        if (sender, to) in self.opted_out:
            raise OptedOut
        if not self._ours(sender):
            raise CarrierRefused
        text = self._keep(Text(self._ref(), sender, to, body, Status.QUEUED, self._now(), tag=message_id))
        self._answer()
        return text.sent

    @override
    async def find_sent(
        self,
        sender: PhoneNumber,
        to: Peer,
        body: MessageBody | None,
        since: datetime,
        until: datetime | None = None,
    ) -> list[Sent]:
        self._hear("find_sent")
        return [
            text.sent
            for text in self.texts.values()
            if (text.sender, text.to) == (sender, to) and body in {None, text.body}
            if since <= text.at and (until is None or text.at <= until)
        ]

    @override
    async def look_up(self, ref: CarrierRef) -> Sent | None:
        self._hear("look_up")
        return self.texts[ref].sent if ref in self.texts else None

    @override
    async def purge(self, ref: CarrierRef) -> timedelta | None:
        self._hear("purge")
        if ref in self.texts and self.too_early > 0:
            self.too_early -= 1
            return timedelta(seconds=60)
        if not self.lies:
            self.texts.pop(ref, None)
        self._answer()
        return None

    @override
    async def list_message_refs(self, number: PhoneNumber) -> list[CarrierRef]:
        self._hear("list_message_refs")
        return [text.ref for text in self.texts.values() if number in {text.sender, text.to}]

    async def receive(self, sender: Peer, to: PhoneNumber, body: str) -> CarrierRef:
        """Let someone text a number; a keyword opts them out or in again, as carriers have it."""
        text = self._keep(Text(self._ref(), sender, to, MessageBody(body), Status.RECEIVED, self._now()))
        if opt_out_of(body) is OptOut.STOP:
            self.opted_out.add((to, sender))
        elif opt_out_of(body) is OptOut.START:
            self.opted_out.discard((to, sender))
        if self.on_text is not None and self._ours(to):
            await self.on_text(InboundMessage(text.ref, to, sender, text.body))
        return text.ref

    async def report(self, ref: CarrierRef, status: Status, error: int | None = None) -> None:
        """Move a sent text to `status` and say so. Raises KeyError when it was purged."""
        text = self._keep(replace(self.texts[ref], status=status, error=error))
        if self.on_status is not None:
            await self.on_status(DeliveryReceipt(PhoneNumber(text.sender), ref, text.tag, status, error))

    def _hear(self, operation: str) -> None:
        self.calls.append(operation)
        if self.outage:
            raise CarrierUnavailable

    def _answer(self) -> None:
        if self.lose_answers > 0:
            self.lose_answers -= 1
            raise CarrierUnavailable

    def _keep(self, text: Text) -> Text:
        self.texts[text.ref] = text
        return text

    def _ref(self) -> CarrierRef:
        return CarrierRef(f"text-{next(self._serial)}")

    def _ours(self, number: str) -> bool:
        return any(purchase.number == number for purchase, _ in self.numbers.values())
