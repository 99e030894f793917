"""Several carriers of messages behind one port, for what is done for an account as a whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from typing_extensions import override

from adapters.outbound.several.references import owner_of
from application.ports.carrier_errors import CarrierUnsupported
from application.ports.message_carrier import (
    FetchedMedia,
    ListedCopy,
    MessageAbilities,
    MessageCarrier,
    ReceivedCopy,
    TooEarly,
)
from domain.kernel import CarrierRef, MessageId
from domain.messages import Sent
from domain.values import MessageBody, Peer, PhoneNumber

LOOKED_AT_AGAIN = timedelta(days=1)
"""When a copy is asked about again whose carrier deletes none, and lets it lapse in time."""


@dataclass(slots=True)
class EveryCarrier(MessageCarrier):
    """Looks up, lists and deletes at each carrier what is its own: for an erasure, and never for a line.

    A copy at a carrier that deletes none is too young to be deleted until it is gone by itself: so what waits for all
    copies to be gone waits for this one as well, and looks. What is done for one line is done with its own carrier.
    """

    name: ClassVar[str] = "several"
    by_name: Mapping[str, MessageCarrier]
    message_abilities: MessageAbilities = field(init=False)
    """What one of them offers is offered, as far as copies go; nothing is sent or fetched here."""

    def __post_init__(self) -> None:
        """Put together what they offer."""
        each = [carrier.message_abilities for carrier in self.by_name.values()]
        self.message_abilities = MessageAbilities(
            can_delete_copies=any(abilities.can_delete_copies for abilities in each),
            can_list=any(abilities.can_list for abilities in each),
            messages_live_for=max(abilities.messages_live_for for abilities in each),
            copy_settles_after=max(abilities.copy_settles_after for abilities in each),
        )

    @override
    async def send(
        self,
        message_id: MessageId,
        sender: PhoneNumber,
        to: Peer,
        body: MessageBody,
        media: Sequence[str] = (),
    ) -> Sent:
        raise CarrierUnsupported

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
        return await owner_of(ref, self.by_name).look_up(ref)

    @override
    async def delete_copy(self, ref: CarrierRef) -> None:
        carrier = owner_of(ref, self.by_name)
        if carrier.message_abilities.can_delete_copies:
            await carrier.delete_copy(ref)
        elif await carrier.look_up(ref) is not None:
            raise TooEarly(LOOKED_AT_AGAIN)

    @override
    def fetch_media(self, ref: CarrierRef, position: int) -> AbstractAsyncContextManager[FetchedMedia]:
        raise CarrierUnsupported

    @override
    async def list_copies(self, number: PhoneNumber) -> list[ListedCopy]:
        """List what each of them has that lists: a number may have been with one, and then with another."""
        listing = [carrier for carrier in self.by_name.values() if carrier.message_abilities.can_list]
        return [copy for carrier in listing for copy in await carrier.list_copies(number)]

    @override
    def list_received(self, since: datetime) -> AsyncIterator[list[ReceivedCopy]]:
        """Refuse: each of them is caught up with by itself, and has come as far as it has."""
        raise CarrierUnsupported

    @override
    async def read_received(self, ref: CarrierRef) -> ListedCopy | None:
        raise CarrierUnsupported

    @override
    async def list_message_refs(self, number: PhoneNumber) -> list[CarrierRef]:
        return [copy.ref for copy in await self.list_copies(number)]
