"""Who works for us: seen from the other side, in the real product before simulated providers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from adapters.outbound.memory.carrier import MemoryCarrier
from adapters.outbound.memory.mail import MemoryMail
from adapters.outbound.sendgrid.mail import SendGridMail
from adapters.outbound.twilio.messages import TwilioMessages
from adapters.outbound.twilio.numbers import TwilioNumbers
from application.line_purchase import CompletePurchase
from application.mail import EraseMailAddress, SendVerificationMail
from application.outbound_messages import SendQueuedMessage
from application.ports.numbers import AvailableNumber, NumberOrder
from domain.kernel import LineId
from domain.values import Capability, Country, Email, Label, Locale, MessageBody, Peer, PhoneNumber
from tests.contract.proofs.conftest import Product
from tests.support.actors import PASSWORD, STRANGER
from tests.support.proofs import proves


class SecondCarrier(MemoryCarrier):
    """Sells any number it is asked for."""

    async def order(self, number: PhoneNumber, line_id: LineId) -> NumberOrder:
        self.on_offer.append(AvailableNumber(number, Country("US"), frozenset(Capability)))
        return await super().order(number, line_id)


def buys_elsewhere(**given: Any) -> CompletePurchase:
    return CompletePurchase(**given | {"numbers": SecondCarrier(given["clock"].now)})


def has_a_second_carrier(product: Product) -> Product:
    return partial(product, replaced={"complete_purchase": buys_elsewhere})


def sends_elsewhere(product: Product) -> Product:
    def sender(**given: Any) -> SendQueuedMessage:
        return SendQueuedMessage(**given | {"carrier": MemoryCarrier(given["clock"].now)})

    return partial(product, replaced={"send_queued_message": sender})


@proves("S1", text="33961980e998", saboteur=sends_elsewhere, says="the message was sent elsewhere")
@proves("S1", text="33961980e998", saboteur=has_a_second_carrier, says="the number was bought elsewhere")
async def test_numbers_and_messages_are_carried_by_twilio_and_nobody_else(product: Product) -> None:
    async with product() as sandbox:
        use_cases, email = sandbox.use_cases, Email("ada@example.org")
        await use_cases.sign_up(email, PASSWORD, Label("Ada"), Locale("en"))
        (mail,) = await until(sandbox.mails)
        me = (await use_cases.verify_account(mail["token"], PASSWORD)).session.account_id
        offer, *_ = await use_cases.search_numbers(Country("US"), None, None, frozenset())
        line = (await use_cases.buy_line(me, offer.number, None, "buy")).line
        held = sandbox.simulator.holdings
        assert line.number in str(held()), "the number was bought elsewhere"
        await use_cases.send_message(me, line.id, STRANGER, MessageBody("to somebody"), "send")
        await until(lambda: seen("to somebody", str(held())), "the message was sent elsewhere")
        await sandbox.sms(STRANGER, line.number, "from somebody")
        (conversation,) = (await use_cases.list_conversations(me, None, None, 9)).items
        assert conversation.peer == Peer(STRANGER)
        parts = {type(part) for part in made_of(use_cases)}
        carriers = {of for of in parts if hasattr(of, "delete_copy") or hasattr(of, "order")}
        assert carriers == {TwilioMessages, TwilioNumbers}, "another carrier is asked"


def made_of(use_cases: object) -> Iterator[object]:
    """Yield what use cases, and what does jobs and purges for them, were made of."""
    for field in fields(use_cases):  # type: ignore[arg-type]  # a dataclass
        part = getattr(use_cases, field.name)
        many = part.values() if isinstance(part, Mapping) else part if isinstance(part, tuple) else [part]
        for one in many:
            yield one
            if is_dataclass(one):
                yield from made_of(one)


async def seen(what: str, where: str) -> bool:
    return what in where


async def until(look: Callable[[], Any], says: str = "nothing came") -> Any:
    """Look until there is something to see, or say what is wrong."""
    try:
        async with asyncio.timeout(5):
            while True:
                if found := await look():
                    return found
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(says)


def mails_elsewhere(product: Product) -> Product:
    def sender(**given: Any) -> SendVerificationMail:
        return SendVerificationMail(**given | {"mail": MemoryMail()})

    return partial(product, replaced={"send_verification_mail": sender})


def leaves_the_address(product: Product) -> Product:
    def eraser(**given: Any) -> EraseMailAddress:
        return EraseMailAddress(**given | {"mail": MemoryMail()})

    return partial(product, replaced={"erase_mail_address": eraser})


@proves("S4", text="3a54f9f7cac3", saboteur=mails_elsewhere, says="no mail came from SendGrid")
async def test_mails_are_delivered_by_sendgrid_and_nobody_else(product: Product) -> None:
    async with product() as sandbox:
        await sandbox.use_cases.sign_up(Email("ada@example.org"), PASSWORD, Label("Ada"), Locale("he"))
        (mail,) = await until(sandbox.mails, "no mail came from SendGrid")
        assert (mail["to"], mail["locale"]) == ("ada@example.org", "he")
        parts = {type(part) for part in made_of(sandbox.use_cases)}
        providers = {of for of in parts if hasattr(of, "shows_what_it_holds")}
        assert providers == {SendGridMail}, "another provider is asked"


@proves("H22", text="3877e70ca2f3", saboteur=leaves_the_address, says="SendGrid was not asked")
async def test_at_hard_deletion_sendgrid_is_asked_to_erase_the_address(product: Product) -> None:
    async with product() as sandbox:
        use_cases, email = sandbox.use_cases, Email("ada@example.org")
        await use_cases.sign_up(email, PASSWORD, Label("Ada"), Locale("en"))
        (mail,) = await until(sandbox.mails)
        me = (await use_cases.verify_account(mail["token"], PASSWORD)).session.account_id
        sandbox.post.bounce(email, "blocks")
        await use_cases.delete_account(me, PASSWORD)
        await sandbox.advance(timedelta(days=30))
        await until(sandbox.erased, "the erasure does not end")
        assert email not in str(sandbox.providers()), "SendGrid was not asked"
