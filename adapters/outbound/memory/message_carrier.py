"""The half of the carrier in memory that takes messages there and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import ClassVar

from typing_extensions import override

from adapters.outbound.memory.carrier_faults import CarrierFaults
from application.inbound_messages import DeliveryReceipt, InboundMessage
from application.ports.message_carrier import (
    FetchedMedia,
    ListedCopy,
    MediaGone,
    MessageAbilities,
    MessageCarrier,
    OptedOut,
    ReceivedCopy,
    SenderRefused,
    TooEarly,
    Unreachable,
)
from domain.failures import FailureReason
from domain.kernel import CarrierRef, MessageId
from domain.keywords import OptOut, opt_out_of
from domain.messages import Direction, Sent, Status
from domain.values import MessageBody, Peer, PhoneNumber

ABILITIES = MessageAbilities(
    can_delete_copies=True,
    can_list=True,
    can_list_received=True,
    can_find_by_pair=True,
    reaches_short_codes=True,
    carries_media=True,
)
PAGE = 50
PAUSE = timedelta(seconds=60)
"""What a deletion that is put off is told to wait."""


@dataclass(frozen=True, slots=True)
class CarrierCopy:
    """The carrier's copy of a message. `message_id` is our own, if we sent it."""

    ref: CarrierRef
    sender: str
    to: str
    body: MessageBody
    status: Status
    at: datetime
    failure: FailureReason | None = None
    message_id: MessageId | None = None
    attachments: int = 0

    @property
    def came_in(self) -> bool:
        """Whether it came to a number of ours."""
        return self.status is Status.RECEIVED

    @property
    def number(self) -> str:
        """Whose copy it is: a message from one number of ours to another has two."""
        return self.to if self.came_in else self.sender

    @property
    def sent(self) -> Sent:
        """In the port's words."""
        return Sent(self.ref, self.status, self.failure)

    @property
    def listed(self) -> ListedCopy:
        """In the port's words, as it is listed."""
        direction, peer = (Direction.INBOUND, self.sender) if self.came_in else (Direction.OUTBOUND, self.to)
        return ListedCopy(self.ref, direction, Peer(peer), self.body, self.at, self.attachments)


@dataclass(frozen=True, slots=True)
class FetchableMedia:
    """A picture, or whatever else the carrier answers when it is asked for one."""

    type: str
    content: bytes


class MemoryMessageCarrier(CarrierFaults, MessageCarrier):
    """Takes messages, and lets them lie as they are until `report` moves them."""

    name: ClassVar[str] = "memory"

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Begin without a message."""
        super().__init__(now)
        self.message_abilities = ABILITIES
        self.too_early = 0
        self.silent = False
        self.unreachable: set[str] = set()
        self.messages: dict[CarrierRef, CarrierCopy] = {}
        self.offered: dict[CarrierRef, list[str]] = {}
        """Where the pictures of a sent message were to be fetched."""
        self.media: dict[CarrierRef, Sequence[FetchableMedia]] = {}
        self.on_message: Callable[[InboundMessage], Awaitable[None]] | None = None
        self.on_receipt: Callable[[DeliveryReceipt], Awaitable[None]] | None = None
        self._serial = count(1)

    @override
    async def send(
        self,
        message_id: MessageId,
        sender: PhoneNumber,
        to: Peer,
        body: MessageBody,
        media: Sequence[str] = (),
    ) -> Sent:
        self.hear("send")
        if to in self.unreachable:
            raise Unreachable
        if (sender, to) in self.opted_out:
            raise OptedOut
        if sender not in self.owners:
            raise SenderRefused
        copy = self._keep(sender, to, body, Status.QUEUED, message_id, len(media))
        self.offered[copy.ref] = list(media)
        self.answer()
        return copy.sent

    @override
    async def find_by_pair(
        self,
        sender: PhoneNumber,
        to: Peer,
        body: MessageBody | None,
        since: datetime,
        until: datetime | None = None,
    ) -> list[Sent]:
        self.hear("find_by_pair")
        return [
            copy.sent
            for copy in self.messages.values()
            if (copy.sender, copy.to, copy.came_in) == (sender, to, False) and body in {None, copy.body}
            if since <= copy.at and (until is None or copy.at <= until)
        ]

    @override
    async def look_up(self, ref: CarrierRef) -> Sent | None:
        self.hear("look_up")
        return self.messages[ref].sent if ref in self.messages else None

    @override
    async def delete_copy(self, ref: CarrierRef) -> None:
        self.hear("delete_copy")
        if ref in self.messages and self.too_early > 0:
            self.too_early -= 1
            raise TooEarly(PAUSE)
        if not self.lies:
            self.messages.pop(ref, None)
            self.media.pop(ref, None)
        self.answer()

    @override
    @asynccontextmanager
    async def fetch_media(self, ref: CarrierRef, position: int) -> AsyncIterator[FetchedMedia]:
        self.hear("fetch_media")
        held = self.media.get(ref, ())
        if position >= len(held):
            raise MediaGone

        async def content() -> AsyncIterator[bytes]:
            for at in range(0, len(held[position].content), 1 << 14):
                yield held[position].content[at : at + (1 << 14)]

        yield FetchedMedia(held[position].type, content())

    @override
    async def list_copies(self, number: PhoneNumber) -> list[ListedCopy]:
        self.hear("list_copies")
        return [copy.listed for copy in self.messages.values() if copy.number == number]

    @override
    async def list_received(self, since: datetime) -> AsyncIterator[list[ReceivedCopy]]:
        self.hear("list_received")
        received = [copy for copy in self.messages.values() if copy.came_in and copy.at >= since]
        for at in range(0, len(received), PAGE):
            yield [
                ReceivedCopy(copy.ref, PhoneNumber(copy.to), copy.at, copy.listed)
                for copy in received[at : at + PAGE]
            ]

    @override
    async def read_received(self, ref: CarrierRef) -> ListedCopy | None:
        self.hear("read_received")
        copy = self.messages.get(ref)
        return None if copy is None or not copy.came_in else copy.listed

    @override
    async def list_message_refs(self, number: PhoneNumber) -> list[CarrierRef]:
        self.hear("list_message_refs")
        return [copy.ref for copy in self.messages.values() if copy.number == number]

    async def receive(
        self, sender: Peer, to: PhoneNumber, body: str, media: Sequence[FetchableMedia] = ()
    ) -> CarrierRef:
        """Let someone send a number a message; a keyword opts them out or in again, as carriers have it."""
        copy = self._keep(sender, to, MessageBody(body), Status.RECEIVED, attachments=len(media))
        if media:
            self.media[copy.ref] = media
        if opt_out_of(body) is OptOut.STOP:
            self.opted_out.add((to, sender))
        elif opt_out_of(body) is OptOut.START:
            self.opted_out.discard((to, sender))
        if self.on_message is not None and to in self.owners and not self.silent:
            await self.on_message(
                InboundMessage(
                    copy.ref, to, sender, copy.body, attachments=copy.attachments, line_id=self.owners[to]
                )
            )
        return copy.ref

    async def deliver(self, sender: str, to: str, body: str) -> CarrierRef:
        """Let someone send a number a message, all of it as text. Raises InvalidPeer, InvalidPhoneNumber."""
        return await self.receive(Peer.parse(sender), PhoneNumber.parse(to), body)

    async def report(self, ref: CarrierRef, status: Status, failure: FailureReason | None = None) -> None:
        """Move a sent message to `status` and say so. Raises KeyError when the copy was deleted."""
        copy = self.messages[ref] = replace(self.messages[ref], status=status, failure=failure)
        if self.on_receipt is not None and not self.silent:
            sender = PhoneNumber(copy.sender)
            await self.on_receipt(DeliveryReceipt(sender, ref, copy.message_id, status, failure))

    def _keep(
        self,
        sender: str,
        to: str,
        body: MessageBody,
        status: Status,
        message_id: MessageId | None = None,
        attachments: int = 0,
    ) -> CarrierCopy:
        ref = CarrierRef(f"SM{next(self._serial):032x}")
        self.messages[ref] = CarrierCopy(
            ref, sender, to, body, status, self.now(), message_id=message_id, attachments=attachments
        )
        return self.messages[ref]
