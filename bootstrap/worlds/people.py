"""The people of a world in memory: what they have, and short ways to do what they do.

Everything is given as plain text and parsed: what could not be typed into an app is refused here as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from adapters.inbound.email_addresses import email_address
from application.account_deletion import DeletionPreview
from application.inbound_messages import InboundMessage
from application.messages import Accepted
from application.sessions import SignedIn
from domain.kernel import AccountId, CarrierRef, LineId, MessageId
from domain.lines import PhoneLine
from domain.messages import Message
from domain.values import (
    ClientReference,
    Country,
    Email,
    Label,
    Locale,
    MessageBody,
    Password,
    Peer,
    PhoneNumber,
    SessionToken,
)

if TYPE_CHECKING:
    from bootstrap.worlds.memory import InMemory

PASSWORD = Password("correct horse battery staple")
STRANGER = Peer("+13105550178")


@dataclass
class Person:
    """Somebody with an account, perhaps a line."""

    world: InMemory = field(repr=False)
    email: Email
    signed_in: SignedIn = field(repr=False)
    line: PhoneLine | None = None

    @property
    def id(self) -> AccountId:
        """Their account."""
        return self.signed_in.session.account_id

    @property
    def token(self) -> SessionToken:
        """What their session is known by, over HTTP."""
        return self.signed_in.token

    @property
    def line_id(self) -> LineId:
        """Their line. Raises LookupError before there is one."""
        return self._leased().id

    @property
    def number(self) -> PhoneNumber:
        """Their line's number. Raises LookupError before there is one."""
        return self._leased().number

    async def with_line(self, number: str = "", label: str = "flat hunting") -> Person:
        """Buy a number, or the first on offer, and return the same person. Raises what buying raises."""
        wanted = PhoneNumber.parse(number) if number else await self._first_on_offer()
        key = self.world.ids.new().hex
        bought = await self.world.use_cases.buy_line(self.id, wanted, Label.parse(label), key)
        self.line = bought.line
        return self

    async def receives(self, body: str, sender: str = STRANGER, ref: str | None = None) -> None:
        """Receive a message."""
        reference = CarrierRef(ref or f"SM{self.world.ids.new().hex}")
        await self.world.use_cases.receive_message(
            InboundMessage(reference, self.number, Peer.parse(sender), MessageBody(body))
        )

    async def sends(
        self,
        body: str,
        to: str = STRANGER,
        key: str | None = None,
        client_reference: str | None = None,
        send_at: datetime | None = None,
    ) -> Accepted:
        """Send a message: it goes out as the world settles. Raises what sending raises."""
        return await self.world.use_cases.send_message(
            self.id,
            self.line_id,
            Peer.destination(to),
            MessageBody.parse(body),
            key or self.world.ids.new().hex,
            client_reference=None if client_reference is None else ClientReference.parse(client_reference),
            send_at=send_at,
        )

    async def keeps(self, message_id: MessageId) -> Message:
        """Return one of this person's messages as it is kept. Raises NotFound."""
        async with self.world.store.begin(self.id) as tx:
            return await tx.messages.get_even_broken(message_id)

    async def gives_up(self) -> None:
        """Release the line, and let the time go by in which it could be taken back."""
        await self.world.use_cases.release_line(self.id, self.line_id)
        self.world.clock.advance(self.world.retention.released_number.keep)

    async def inbox(self) -> list[str]:
        """Return every message this person can see, as they see it: newest first in each conversation."""
        bodies = []
        for conversation in (await self.world.use_cases.list_conversations(self.id, None, None, 100)).items:
            page = await self.world.use_cases.list_messages(self.id, conversation.id, None, 100)
            bodies += [str(message.body) for message in page.items]
        return bodies

    async def deletes_account(self) -> DeletionPreview:
        """Delete the account, to be erased in 30 days."""
        return await self.world.use_cases.delete_account(self.id, PASSWORD)

    def _leased(self) -> PhoneLine:
        if self.line is None:
            raise LookupError("no line yet: await person.with_line()")
        return self.line

    async def _first_on_offer(self) -> PhoneNumber:
        [first, *_] = await self.world.use_cases.search_numbers(Country("US"), None, None, frozenset())
        return first.number


async def signed_up(world: InMemory, name: str) -> Person:
    """Have somebody sign up as `<name>@example.org` and verify.

    Raises InvalidEmail, and LookupError when no mail came.
    """
    email = email_address(f"{name}@example.org")
    await world.use_cases.sign_up(email, PASSWORD, Label.parse(name.title()), Locale("en"))
    await world.settle()
    links = [mail.link_token for mail in world.mail.sent if mail.to == email and mail.link_token]
    if not links:
        raise LookupError("no mail came")
    return Person(world, email, await world.use_cases.verify_account(links[-1], PASSWORD))
