"""People for unit tests: what they have, and short ways to give it to them."""

from __future__ import annotations

from dataclasses import dataclass

from application.inbound_messages import InboundMessage
from application.messages import Accepted
from application.sessions import SignedIn
from bootstrap.worlds import InMemory
from domain.kernel import AccountId, CarrierRef, LineId, MessageId
from domain.lines import PhoneLine
from domain.messages import Message
from domain.values import Email, Label, Locale, MessageBody, Password, Peer, PhoneNumber

PASSWORD = Password("correct horse battery staple")
STRANGER = Peer("+13105550178")


async def held() -> None:
    """Hold a job that nobody else could take."""


@dataclass
class Person:
    """Somebody with an account, perhaps a line."""

    world: InMemory
    email: Email
    signed_in: SignedIn
    line: PhoneLine | None = None

    @property
    def id(self) -> AccountId:
        return self.signed_in.session.account_id

    @property
    def line_id(self) -> LineId:
        assert self.line is not None
        return self.line.id

    @property
    def number(self) -> PhoneNumber:
        assert self.line is not None
        return self.line.number

    async def receives(self, body: str, sender: Peer = STRANGER, ref: str | None = None) -> None:
        """Receive a message."""
        reference = CarrierRef(ref or f"SM{self.world.ids.new().hex}")
        await self.world.use_cases.receive_message(
            InboundMessage(reference, self.number, sender, MessageBody(body))
        )

    async def sends(self, body: str, to: Peer = STRANGER, key: str | None = None) -> Accepted:
        """Send a message."""
        key = key or self.world.ids.new().hex
        return await self.world.use_cases.send_message(self.id, self.line_id, to, MessageBody(body), key)

    async def keeps(self, message_id: MessageId) -> Message:
        """Return one of this person's messages as it is kept."""
        async with self.world.store.begin(self.id) as tx:
            return await tx.messages.get_even_broken(message_id)

    async def inbox(self) -> list[str]:
        """Return every message this person can see, as they see it."""
        bodies = []
        for conversation in (await self.world.use_cases.list_conversations(self.id, None, None, 100)).items:
            page = await self.world.use_cases.list_messages(self.id, conversation.id, None, 100)
            bodies += [str(message.body) for message in page.items]
        return bodies


async def sign_up(world: InMemory, name: str = "ada") -> Person:
    """Sign up and verify."""
    email = Email(f"{name}@example.org")
    await world.use_cases.sign_up(email, PASSWORD, Label(name.title()), Locale("en"))
    await world.settle()
    link = next(mail.link_token for mail in reversed(world.mail.sent) if mail.to == email and mail.link_token)
    return Person(world, email, await world.use_cases.verify_account(link, PASSWORD))


async def with_line(world: InMemory, name: str = "ada", number: str = "+12025550143") -> Person:
    """Sign up, verify, buy a line."""
    person = await sign_up(world, name)
    person.line = (
        await world.use_cases.buy_line(person.id, PhoneNumber(number), Label(f"{name}'s line"), f"buy-{name}")
    ).line
    return person
