"""Twilio as our carrier of messages (Twilio: Messages resource)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from typing_extensions import override

from adapters.outbound.twilio.answers import (
    certain,
    code_of,
    count_of,
    instant_of,
    readable,
    ref_of,
    words_of,
)
from adapters.outbound.twilio.api import LONGEST_LIST, RETRIES, TwilioApi
from adapters.outbound.twilio.vocabulary import LIFE, SETTLES_AFTER, Gone, outcome_of
from application.ports.message_carrier import (
    FetchedMedia,
    ListedCopy,
    MediaGone,
    MessageAbilities,
    MessageCarrier,
    ReceivedCopy,
)
from domain.kernel import CarrierRef, MessageId
from domain.media import MOST
from domain.messages import Direction, Sent, Status
from domain.values import MessageBody, Peer, PhoneNumber

CLOCK_SKEW = timedelta(seconds=30)
"""How far Twilio's clock may be from ours. Too wide costs nothing: callers know the messages they have."""


@dataclass(frozen=True, slots=True)
class TwilioMessages(MessageCarrier):
    """Sends, finds and deletes messages; a Twilio SID is a CarrierRef. Twilio has no idempotency key for sends."""

    name: ClassVar[str] = "twilio"
    message_abilities = MessageAbilities(
        can_delete_copies=True,
        can_list=True,
        can_list_received=True,
        can_find_by_pair=True,
        carries_media=True,
        messages_live_for=LIFE,
        copy_settles_after=SETTLES_AFTER,
    )

    api: TwilioApi

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
        """Create the message; the address of its status callback carries our own id."""
        return sent_of(
            await self.api.client.messages.create_async(
                to=to,
                from_=sender,
                body=body,
                status_callback=f"{self.api.webhooks}/message-status?message={message_id}{RETRIES}",
                **({"media_url": list(media)} if media else {}),
            )
        )

    @override
    @certain
    async def find_by_pair(
        self,
        sender: PhoneNumber,
        to: Peer,
        body: MessageBody | None,
        since: datetime,
        until: datetime | None = None,
    ) -> list[Sent]:
        """List the pair's messages and compare bodies. Twilio's clock is not ours: look a little before `since`.

        Not filtered by `DateSent`, which is empty until the message leaves: a queued one would be missed, then
        sent twice. The list stays short, because copies are deleted once the messages have arrived.
        """
        listed = await self.api.client.messages.list_async(
            from_=sender, to=to, limit=LONGEST_LIST, page_size=self.api.page_size
        )
        earliest = since - CLOCK_SKEW
        matching = [
            m
            for m in reversed(listed)
            if ref_of(m)
            and not came_in(m)
            and body in {None, words_of(m.body)}
            and earliest <= created_at(m)
            and (until is None or created_at(m) <= until)
        ]
        return [sent_of(m) for m in sorted(matching, key=created_at)]

    @override
    @certain
    async def look_up(self, ref: CarrierRef) -> Sent | None:
        try:
            return sent_of(await self.api.client.messages(ref).fetch_async())
        except Gone:
            return None

    @override
    @certain
    async def delete_copy(self, ref: CarrierRef) -> None:
        """Delete the message with its media. Twilio refuses until about a minute after its last status."""
        try:
            await self.api.client.messages(ref).delete_async()
        except Gone:
            return

    @override
    @asynccontextmanager
    async def fetch_media(self, ref: CarrierRef, position: int) -> AsyncIterator[FetchedMedia]:
        """Ask which pictures there are, in the order of their references, and open one by its own.

        The address in a webhook's form is never used: who could forge one would have us call him with our credentials.
        """
        refs = [] if await self.look_up(ref) is None else await self._media_refs(ref)
        if position >= len(refs):
            raise MediaGone
        path = f"/2010-04-01/Accounts/{self.api.client.account_sid}/Messages/{ref}/Media/{refs[position]}"
        with suppress(Gone):
            async with self.api.content.open(path, self.api.client.auth) as content:
                yield FetchedMedia(content.type, content.pieces)
            return
        raise MediaGone

    @certain
    async def _media_refs(self, ref: CarrierRef) -> list[CarrierRef]:
        media = self.api.client.messages(ref).media
        listed = await media.list_async(limit=MOST, page_size=self.api.page_size)
        return sorted(ref_of(media) for media in listed)

    @override
    async def list_message_refs(self, number: PhoneNumber) -> list[CarrierRef]:
        return [copy.ref for copy in await self.list_copies(number)]

    @override
    @certain
    async def list_copies(self, number: PhoneNumber) -> list[ListedCopy]:
        """List what was sent from the number, then what came to it. Twilio knows no message from a number to itself.

        A message from one number of ours to another is two messages with the same numbers, one for each.
        """
        messages, size = self.api.client.messages, self.api.page_size
        sent = await messages.list_async(from_=number, limit=LONGEST_LIST, page_size=size)
        received = await messages.list_async(to=number, limit=LONGEST_LIST, page_size=size)
        ours = (*(m for m in sent if not came_in(m)), *(m for m in received if came_in(m)))
        return [copy_of(message) for message in ours]

    @override
    async def list_received(self, since: datetime) -> AsyncIterator[list[ReceivedCopy]]:
        """List everything sent and received since then, because Twilio cannot list one without the other.

        A message that came in has its `DateSent` from the beginning, unlike one that goes out.
        """
        page: Any = None
        while (found := await self._page_of_received(since, page)) is not None:
            page, received = found
            yield received

    @certain
    async def _page_of_received(self, since: datetime, before: Any) -> tuple[Any, list[ReceivedCopy]] | None:  # noqa: ANN401 - as below
        """Return the next page and what it holds that came in; None after the last one."""
        if before is None:
            asked = self.api.client.messages.page_async(date_sent_after=since, page_size=self.api.page_size)
        else:
            asked = before.next_page_async()
        page = await asked
        return None if page is None else (page, [received_of(m) for m in page if came_in(m)])

    @override
    @certain
    async def read_received(self, ref: CarrierRef) -> ListedCopy | None:
        try:
            copy = copy_of(await self.api.client.messages(ref).fetch_async())
        except Gone:
            return None
        return copy if copy.is_inbound else None


def sent_of(resource: Any) -> Sent:  # noqa: ANN401 - the SDK has no types
    """Translate a message. A status that Twilio has added since ranks lowest: it moves nothing."""
    outcome = outcome_of(words_of(resource.status), code_of(resource.error_code))
    return Sent(ref_of(resource), *(outcome or (Status.QUEUED, None)))


def copy_of(message: Any) -> ListedCopy:  # noqa: ANN401 - as above
    """Translate a message as it is listed."""
    inbound = came_in(message)
    return ListedCopy(
        ref=ref_of(message),
        direction=Direction.INBOUND if inbound else Direction.OUTBOUND,
        peer=Peer.of_sender(words_of(message.from_)) if inbound else Peer(words_of(message.to)),
        body=MessageBody(readable(message.body)),
        at=created_at(message),
        attachments=count_of(message.num_media),
    )


def received_of(message: Any) -> ReceivedCopy:  # noqa: ANN401 - as above
    """Translate a message that came in."""
    return ReceivedCopy(
        ref_of(message), PhoneNumber(words_of(message.to)), created_at(message), copy_of(message)
    )


def came_in(message: Any) -> bool:  # noqa: ANN401 - as above
    """Tell whether a message came to a number of ours (Twilio: `inbound`, `outbound-api`, `-call`, `-reply`)."""
    return words_of(message.direction) == "inbound"


def created_at(message: Any) -> datetime:  # noqa: ANN401 - the SDK has no types
    """Return the instant of acceptance."""
    return instant_of(message.date_created)
