"""Telnyx as our carrier of messages (Telnyx: messages, detail records)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from typing_extensions import override

from adapters.outbound.telnyx.answers import (
    Resource,
    certain,
    code_of,
    id_of,
    instant_of,
    list_of,
    readable,
    ref_of,
    resource_of,
    words_of,
)
from adapters.outbound.telnyx.api import TelnyxApi
from adapters.outbound.telnyx.vocabulary import KEY_HOLDS, LIFE, SHOWN_FOR, Gone, outcome_of
from application.ports.carrier_errors import CarrierUnavailable, CarrierUnsupported
from application.ports.message_carrier import (
    FetchedMedia,
    ListedCopy,
    MediaGone,
    MessageAbilities,
    MessageCarrier,
    ReceivedCopy,
)
from domain.kernel import CarrierRef, MessageId
from domain.messages import Direction, Sent, Status
from domain.values import MessageBody, Peer, PhoneNumber


@dataclass(frozen=True, slots=True)
class TelnyxMessages(MessageCarrier):
    """Sends messages under their own id as idempotency key. Telnyx deletes none, and shows none after ten days."""

    name: ClassVar[str] = "telnyx"
    message_abilities = MessageAbilities(
        can_list=True,
        can_list_received=True,
        carries_media=True,
        sends_idempotent_for=KEY_HOLDS,
        messages_live_for=LIFE,
    )

    api: TelnyxApi

    @override
    @certain
    async def send(
        self,
        message_id: MessageId,
        sender: PhoneNumber,
        to: Peer,
        body: MessageBody,
        media: Sequence[str] = (),
    ) -> Sent:
        """Send it; the address of its webhooks carries our own id, and no other address is told of it."""
        sent = await self.api.http.post(
            "/messages",
            {
                "from": str(sender),
                "to": str(to),
                "text": str(body),
                "webhook_url": f"{self.api.webhooks}?message={message_id}",
                "use_profile_webhooks": False,
                **({"media_urls": list(media)} if media else {}),
            },
            key=str(message_id),
        )
        return sent_of(sent)

    @override
    async def find_by_pair(
        self,
        sender: PhoneNumber,
        to: Peer,
        body: MessageBody | None,
        since: datetime,
        until: datetime | None = None,
    ) -> list[Sent]:
        """Refuse: what Telnyx lists may lag, and the idempotency key is certain."""
        raise CarrierUnsupported

    @override
    @certain
    async def look_up(self, ref: CarrierRef) -> Sent | None:
        message = await self._message(ref)
        return None if message is None else sent_of(message)

    @override
    async def delete_copy(self, ref: CarrierRef) -> None:
        """Refuse: Telnyx offers no deletion (it cancels what is scheduled, and nothing else)."""
        raise CarrierUnsupported

    @override
    @asynccontextmanager
    async def fetch_media(self, ref: CarrierRef, position: int) -> AsyncIterator[FetchedMedia]:
        """Ask the API where the picture lies now: its address expires, and a webhook's is never used."""
        addresses = await self._addresses(ref)
        if position >= len(addresses):
            raise MediaGone
        with suppress(Gone):
            async with self.api.content.open(addresses[position]) as content:
                yield FetchedMedia(content.type, content.pieces)
            return
        raise MediaGone

    @certain
    async def _addresses(self, ref: CarrierRef) -> list[str]:
        message = await self._message(ref)
        return [] if message is None else [words_of(media.get("url")) for media in media_of(message)]

    @override
    async def list_message_refs(self, number: PhoneNumber) -> list[CarrierRef]:
        return [copy.ref for copy in await self.list_copies(number)]

    @override
    @certain
    async def list_copies(self, number: PhoneNumber) -> list[ListedCopy]:
        """Read the detail records of what the number sent and received, then each message that is still shown.

        A message from one number of ours to another is two messages with the same numbers, one for each.
        """
        copies: list[ListedCopy] = []
        for direction, side in ((Direction.OUTBOUND, "cli"), (Direction.INBOUND, "cld")):
            async for record in self.api.http.items(
                "/detail_records",
                (
                    ("filter[record_type]", "messaging"),
                    ("filter[date_range]", f"last_{SHOWN_FOR.days + 1}_days"),
                    ("filter[direction]", direction.value),
                    (f"filter[{side}]", str(number)),
                ),
            ):
                ref, went = ref_of(record.get("uuid")), Direction(words_of(record.get("direction")))
                if went is direction and words_of(record.get(side)) == number:
                    message = await self._message(ref)
                    copies += [copy_of(message, direction)] if message is not None else []
        return copies

    @override
    async def list_received(self, since: datetime) -> AsyncIterator[list[ReceivedCopy]]:
        """Read the detail records of what came in, the newest first, until one is older. They say whom, not what."""
        number, more = 1, True
        while more:
            found, more = await self._page_of_received(since, number)
            yield found
            number += 1

    @certain
    async def _page_of_received(self, since: datetime, number: int) -> tuple[list[ReceivedCopy], bool]:
        """Return what a page of detail records holds from `since` on, and whether the next one may hold more."""
        records = await self.api.http.page(
            "/detail_records",
            (
                ("filter[record_type]", "messaging"),
                ("filter[date_range]", f"last_{SHOWN_FOR.days + 1}_days"),
                ("filter[direction]", Direction.INBOUND.value),
                ("sort", "-created_at"),
                ("page[number]", str(number)),
                ("page[size]", str(self.api.http.page_size)),
            ),
        )
        listed = [received_of(record) for record in records]
        received = [copy for copy in listed if copy.at >= since]
        return received, 0 < len(listed) == len(received)

    @override
    @certain
    async def read_received(self, ref: CarrierRef) -> ListedCopy | None:
        message = await self._message(ref)
        return None if message is None or not came_in(message) else copy_of(message, Direction.INBOUND)

    async def _message(self, ref: CarrierRef) -> Resource | None:
        """Return a message, if Telnyx still shows it. Raises CarrierUnavailable when it shows another."""
        message_id = id_of(ref)
        if message_id is None:
            return None
        try:
            message = await self.api.http.get(f"/messages/{message_id}")
        except Gone:
            return None
        if ref_of(message.get("id")) != ref:
            raise CarrierUnavailable
        return message


def sent_of(message: Resource) -> Sent:
    """Translate a message. A status that Telnyx has added since ranks lowest: it moves nothing."""
    ref = ref_of(message.get("id"))
    if came_in(message):
        return Sent(ref, Status.RECEIVED)
    outcome = outcome_of(status_of(message), code_of(message.get("errors")))
    return Sent(ref, *(outcome or (Status.QUEUED, None)))


def copy_of(message: Resource, direction: Direction) -> ListedCopy:
    """Translate a message as it is listed. Raises CarrierUnavailable unless it went in this direction."""
    inbound = came_in(message)
    if inbound is not (direction is Direction.INBOUND):
        raise CarrierUnavailable
    sender = words_of(resource_of(message.get("from")).get("phone_number"))
    return ListedCopy(
        ref=ref_of(message.get("id")),
        direction=direction,
        peer=Peer.of_sender(readable(sender)) if inbound else Peer(addressee(message)),
        body=MessageBody(readable(message.get("text"))),
        at=instant_of(message.get("received_at")),
        attachments=len(media_of(message)),
    )


def received_of(record: Resource) -> ReceivedCopy:
    """Translate the detail record of a message that came in. Raises CarrierUnavailable for any other."""
    if not came_in(record):
        raise CarrierUnavailable
    number = PhoneNumber(words_of(record.get("cld")))
    return ReceivedCopy(ref_of(record.get("uuid")), number, instant_of(record.get("created_at")))


def came_in(message: Resource) -> bool:
    """Tell whether a message came to a number of ours."""
    return words_of(message.get("direction")) == "inbound"


def media_of(message: Resource) -> list[Resource]:
    """Return what lies beside a message; nothing is a list or null."""
    media = message.get("media")
    return list_of(media) if media is not None else []


def status_of(message: Resource) -> str:
    """Return Telnyx's word for where a sent message stands. Raises CarrierUnavailable."""
    return words_of(_first(message).get("status"))


def addressee(message: Resource) -> str:
    """Return whom a message was sent to. Raises CarrierUnavailable."""
    return words_of(_first(message).get("phone_number"))


def _first(message: Resource) -> Resource:
    to = list_of(message.get("to"))
    if not to:
        raise CarrierUnavailable
    return to[0]
