"""A life that leaves a value nobody else has in every field that is about a person."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from application.inbound_calls import IncomingCall
from application.line_settings import LineSettings
from application.ports.numbers import AvailableNumber
from bootstrap.worlds import InMemory
from domain.calls import CallOutcome
from domain.contacts import Card, ContactName, ContactNote, ContactNumbers, SavedNumber
from domain.forwarding import ForwardWhen
from domain.lines import PhoneLine
from domain.quiet_hours import QuietHours
from domain.values import (
    Capability,
    ClientReference,
    Country,
    Email,
    Label,
    Locale,
    Password,
    Peer,
    PhoneNumber,
)
from tests.support.actors import Person


@dataclass(kw_only=True)
class Planted(Person):
    """Somebody whose every value can be told from everybody else's."""

    password: Password
    name: Label
    locale: Locale
    label: Label
    hours: QuietHours
    peer: Peer
    caller: Peer
    forward_to: PhoneNumber
    heard: str
    said: str
    known_as: ContactName
    noted: ContactNote
    referred: ClientReference

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what nobody may read anywhere."""
        return (
            self.email, self.password, self.name, self.locale, self.number, self.label, self.hours, self.peer,
            self.heard, self.said, self.known_as, self.noted, self.referred, self.signed_in.token, self.caller,
            self.forward_to,
        )  # fmt: skip


async def lived(world: InMemory) -> Planted:
    """Let somebody sign up, take a line, save a contact, receive a message and send one; another session has ended."""
    tag = secrets.token_hex
    email, password = Email(f"Ada.{tag(6)}@{tag(4)}.example"), Password(f"pass {tag(8)}")
    name, locale, label = (
        Label(f"Ada {tag(6)}"),
        Locale(f"qaa-Q{letters(3).lower()}-{letters(2)}"),
        Label(f"Line {tag(6)}"),
    )
    await world.use_cases.sign_up(email, password, name, locale)
    await world.settle()
    (link,) = [mail.link_token for mail in world.mail.sent if mail.to == email and mail.link_token]
    signed_in = await world.use_cases.verify_account(link, password)
    ada = Planted(
        world, email, signed_in, password=password, name=name, locale=locale, label=label, peer=some_number(),
        hours=QuietHours(f"22:00-07:00 {tag(6)}"),
        caller=some_number(), forward_to=PhoneNumber(some_number()),
        heard=f"heard {tag(8)}", said=f"said {tag(8)}", known_as=ContactName(f"Known as {tag(6)}"),
        noted=ContactNote(f"noted {tag(6)}"), referred=ClientReference(f"referred {tag(6)}"),
    )  # fmt: skip
    ada.line = await bought(world, ada)
    other = await world.use_cases.sign_in(email, password)
    await world.use_cases.sign_out(ada.id, other.session.id)
    known = Card(ada.known_as, ContactNumbers.of([SavedNumber(ada.peer)]), ada.noted)
    await world.use_cases.add_contact(ada.id, known, tag(8))
    await ada.receives(ada.heard, ada.peer, ref=await world.carrier.receive(ada.peer, ada.number, ada.heard))
    await ada.sends(ada.said, ada.peer, client_reference=ada.referred)
    await world.use_cases.forward_line(ada.id, ada.line.id, ada.forward_to, frozenset({ForwardWhen.BUSY}))
    ref = world.voice.ring(ada.caller, ada.number)
    await world.use_cases.answer_call(IncomingCall(ref, ada.number, ada.caller))
    world.voice.end(ref, CallOutcome.NO_ANSWER)
    await world.settle()
    return ada


async def bought(world: InMemory, by: Planted) -> PhoneLine:
    """Have the carrier offer a number, and buy it; it has quiet hours, in a zone that is nowhere."""
    number, country = PhoneNumber(some_number()), Country("US")
    world.carrier.on_offer.append(AvailableNumber(number, country, frozenset(Capability)))
    line = (await world.use_cases.buy_line(by.id, number, by.label, secrets.token_hex(8))).line
    return await world.use_cases.change_line(by.id, line.id, LineSettings(do_not_disturb=by.hours))


def some_number() -> Peer:
    """Return a number of the United States, whose plan allows it and where messages may be sent."""
    area, exchange = secrets.choice((202, 303, 310, 404, 503, 602, 702, 803)), 200 + secrets.randbelow(800)
    return Peer(f"+1{area}{exchange}{secrets.randbelow(10**4):04}")


def letters(count: int) -> str:
    return "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(count))
