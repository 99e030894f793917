"""A carrier of messages. What it cannot do it declares: use cases then do without, and receipts say so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable
from domain.failures import FailureReason
from domain.kernel import CarrierRef, MessageId
from domain.messages import Direction, Sent
from domain.values import MessageBody, Peer, PhoneNumber


class OptedOut(CarrierRefused):
    """The other side asked not to get messages from this line."""

    code = "opted_out"
    failure = FailureReason.OPTED_OUT


class Unreachable(CarrierRefused):
    """The destination cannot be reached from this line."""

    code = "unreachable"
    failure = FailureReason.UNREACHABLE


class SenderRefused(CarrierRefused):
    """The carrier sends nothing from this number: it is not ours any more, or carries no messages."""

    code = "sender_refused"
    failure = FailureReason.UNSUPPORTED


class MediaGone(CarrierRefused):
    """The carrier does not have this picture."""

    code = "media_gone"


class MediaUnfit(CarrierRefused):
    """The carrier answered with something else than the picture, or sent us to somebody else for it."""

    code = "media_unfit"


class TooEarly(CarrierUnavailable):
    """The carrier will delete its copy later: `retry_after` says when to ask again."""

    code = "too_early"

    def __init__(self, after: timedelta) -> None:
        """Have it asked again `after`."""
        self.retry_after = after
        super().__init__()


@dataclass(frozen=True, slots=True)
class MessageAbilities:
    """What a carrier of messages offers, and how it behaves."""

    can_delete_copies: bool = False
    """It deletes its copy of a message when asked."""
    can_list: bool = False
    """It lists the messages of a number."""
    can_list_received: bool = False
    """It lists what came to any number of ours since an instant."""
    can_find_by_pair: bool = False
    """It finds the messages from one number to another: how a send whose answer was lost is looked up."""
    sends_idempotent_for: timedelta = timedelta()
    """How long it takes a send with the same message id for the same send; zero: it knows no idempotency key."""
    messages_live_for: timedelta = timedelta(hours=24)
    """How long it tries to deliver a message; what became of it is known by then, or never."""
    reaches_short_codes: bool = False
    """It sends to short codes, and not only to numbers."""
    carries_media: bool = False
    """It brings pictures with messages, and hands them over."""
    copy_settles_after: timedelta = timedelta()
    """A younger message is not deleted: asking for it is of no use."""


@dataclass(frozen=True, slots=True)
class ListedCopy:
    """What the carrier still holds of a message from or to a number of ours. `at`: when the carrier took it."""

    ref: CarrierRef
    direction: Direction
    peer: Peer
    body: MessageBody
    at: datetime
    attachments: int = 0

    @property
    def is_inbound(self) -> bool:
        """Whether it came in."""
        return self.direction is Direction.INBOUND


@dataclass(frozen=True, slots=True)
class ReceivedCopy:
    """A message that came to `number`, as a carrier lists what it received since an instant."""

    ref: CarrierRef
    number: PhoneNumber
    at: datetime
    """When the carrier received it."""
    copy: ListedCopy | None = None
    """What it says; None where that must be asked for."""


@dataclass(frozen=True, slots=True)
class FetchedMedia:
    """A picture as it comes over the wire: the media type that the carrier says it is of, and its bytes."""

    type: str
    content: AsyncIterator[bytes]
    """Raises CarrierUnavailable when it breaks off."""


class MessageCarrier(Protocol):
    """Every method raises CarrierUnavailable when no certain answer came (after its own bounded retries of reads).

    Writes are never repeated by an adapter. What is not among `message_abilities` raises CarrierUnsupported.
    """

    name: ClassVar[str]
    message_abilities: MessageAbilities

    async def send(
        self,
        message_id: MessageId,
        sender: PhoneNumber,
        to: Peer,
        body: MessageBody,
        media: Sequence[str] = (),
    ) -> Sent:
        """Send one message; delivery receipts come to our webhook.

        `media` are addresses from which the carrier fetches its pictures, within the hour. Needs `carries_media`.

        Raises OptedOut, Unreachable, SenderRefused, CarrierRefused; CarrierUnavailable: the outcome is unknown.
        Repeatable only within `sends_idempotent_for`.
        """
        ...

    async def find_by_pair(
        self,
        sender: PhoneNumber,
        to: Peer,
        body: MessageBody | None,
        since: datetime,
        until: datetime | None = None,
    ) -> list[Sent]:
        """Return messages with just this sender, destination and body that the carrier took from `since` until `until`.

        Oldest first, and only sent ones: what another number of ours received from this one is another message. No
        body: whatever they say. Clocks differ, so messages of up to a minute earlier may be among them. Needs
        `can_find_by_pair`. Repeating is harmless.
        """
        ...

    async def look_up(self, ref: CarrierRef) -> Sent | None:
        """Return the message's present state, or None when the carrier holds no such one. Repeating is harmless."""
        ...

    async def delete_copy(self, ref: CarrierRef) -> None:
        """Delete the carrier's copy of a message, media included; it may have been gone already.

        Raises TooEarly. Needs `can_delete_copies`. Repeating is harmless.
        """
        ...

    def fetch_media(self, ref: CarrierRef, position: int) -> AbstractAsyncContextManager[FetchedMedia]:
        """Open the picture at `position`, from 0, of a message; the order never changes.

        It is asked for at the carrier, by references alone, and nowhere else. Size and kind are the caller's to check.
        Raises MediaGone, MediaUnfit. Needs `carries_media`. Repeating is harmless.
        """
        ...

    async def list_copies(self, number: PhoneNumber) -> list[ListedCopy]:
        """Return what the carrier still holds of the messages from or to our number.

        Needs `can_list`. Repeating is harmless.
        """
        ...

    def list_received(self, since: datetime) -> AsyncIterator[list[ReceivedCopy]]:
        """Yield, page by page, what came to any number of ours at or after `since` that the carrier still holds.

        What is a few minutes old may be missing still, and clocks differ by up to a minute. In no order. Needs
        `can_list_received`. Repeating is harmless.
        """
        ...

    async def read_received(self, ref: CarrierRef) -> ListedCopy | None:
        """Return a message that came in, or None when the carrier holds no such one.

        Needs `can_list_received`. Repeating is harmless.
        """
        ...

    async def list_message_refs(self, number: PhoneNumber) -> list[CarrierRef]:
        """Return the messages our number sent or received that the carrier still holds, and no other number's.

        Needs `can_list`. Repeating is harmless.
        """
        ...
