"""Another address takes the place of one's own: confirmed, for one account only, and with the old one told."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from application.credentials import WrongCredentials
from application.email_changes import FORMER_KEPT, LINK_LIVES
from application.ports.mail import MailKind
from application.sign_up import BadToken
from bootstrap.worlds import InMemory
from domain.accounts import EmailChangedLately, EmailTaken, LinkUsed
from domain.values import Email, Password
from tests.support.actors import PASSWORD, Person, sign_up

NEW, OTHER = Email("new@example.org"), Email("other@example.org")
WRONG = Password("wrong horse battery staple")
INSTANT = timedelta(microseconds=1)


async def link(person: Person, email: Email = NEW) -> str:
    """Ask for another address, and take the link from its mailbox."""
    await person.world.use_cases.ask_email_change(person.id, email, PASSWORD)
    await person.world.settle()
    mails = [mail for mail in person.world.mail.sent if mail.kind is MailKind.EMAIL_CHANGE]
    assert mails[-1].to == email
    return str(mails[-1].link_token)


async def address(person: Person) -> Email:
    return (await person.world.use_cases.read_account(person.id)).email


def told(world: InMemory, kind: MailKind) -> list[Email]:
    return [mail.to for mail in world.mail.sent if mail.kind is kind]


async def test_the_new_address_signs_in_once_it_is_confirmed_and_the_old_one_no_more(world: InMemory) -> None:
    ada = await sign_up(world)
    token = await link(ada)
    assert await address(ada) == ada.email
    await world.use_cases.sign_in(ada.email, PASSWORD)
    await world.use_cases.verify_email_change(ada.id, token)
    await world.settle()
    assert (await world.use_cases.sign_in(NEW, PASSWORD)).session.account_id == ada.id
    with pytest.raises(WrongCredentials):
        await world.use_cases.sign_in(ada.email, PASSWORD)
    assert told(world, MailKind.EMAIL_CHANGE_ASKED) == [ada.email]
    assert told(world, MailKind.EMAIL_CHANGED) == [ada.email]
    assert (await world.use_cases.authenticate(ada.signed_in.token)).account_id == ada.id


async def test_it_takes_the_password_and_the_session_of_whoever_asked(world: InMemory) -> None:
    ada, ben = await sign_up(world), await sign_up(world, "ben")
    with pytest.raises(WrongCredentials):
        await world.use_cases.ask_email_change(ada.id, NEW, WRONG)
    token = await link(ada)
    with pytest.raises(BadToken):
        await world.use_cases.verify_email_change(ben.id, token)
    for wrong in (
        "",
        "x",
        token[:-1],
        await world.tokens.verification(ada.id, world.clock.now() + LINK_LIVES),
    ):
        with pytest.raises(BadToken):
            await world.use_cases.verify_email_change(ada.id, wrong)


async def test_a_link_works_once_and_dies_with_the_password_and_after_an_hour(world: InMemory) -> None:
    ada = await sign_up(world)
    token = await link(ada)
    answers = await asyncio.gather(
        *(world.use_cases.verify_email_change(ada.id, token) for _ in range(20)), return_exceptions=True
    )
    assert sum(not isinstance(answer, BaseException) for answer in answers) == 1
    assert {type(answer) for answer in answers if isinstance(answer, BaseException)} == {LinkUsed}
    ben = await sign_up(world, "ben")
    token = await link(ben, OTHER)
    await world.use_cases.change_password(ben.id, PASSWORD, Password("four boring purple umbrellas"))
    with pytest.raises(LinkUsed):
        await world.use_cases.verify_email_change(ben.id, token)
    eva = await sign_up(world, "eva")
    token = await link(eva, OTHER)
    world.clock.advance(LINK_LIVES)
    with pytest.raises(BadToken):
        await world.use_cases.verify_email_change(eva.id, token)


async def test_a_link_to_reset_the_password_dies_with_the_address_it_was_mailed_to(world: InMemory) -> None:
    ada = await sign_up(world)
    await world.use_cases.ask_password_reset(ada.email)
    await world.settle()
    reset = str(world.mail.sent[-1].link_token)
    await world.use_cases.verify_email_change(ada.id, await link(ada))
    with pytest.raises(LinkUsed):
        await world.use_cases.reset_password(reset, WRONG)


async def test_of_all_who_want_an_address_one_gets_it(world: InMemory) -> None:
    people = [await sign_up(world, f"person{number}") for number in range(8)]
    links = [await link(person) for person in people[:3]]  # so many mails go to one address in a day
    answers = await asyncio.gather(
        *(
            world.use_cases.verify_email_change(person.id, token)
            for person, token in zip(people, links, strict=False)
        ),
        return_exceptions=True,
    )
    assert sum(not isinstance(answer, BaseException) for answer in answers) == 1
    assert {type(answer) for answer in answers if isinstance(answer, BaseException)} == {EmailTaken}
    assert [await address(person) for person in people].count(NEW) == 1
    for person in people:
        email = await address(person)
        assert (await world.use_cases.sign_in(email, PASSWORD)).session.account_id == person.id


async def test_an_address_that_has_its_account_is_answered_alike_and_not_taken(world: InMemory) -> None:
    ada, ben = await sign_up(world), await sign_up(world, "ben")
    token = await link(ada, ben.email)
    with pytest.raises(EmailTaken):
        await world.use_cases.verify_email_change(ada.id, token)
    assert (await world.use_cases.sign_in(ben.email, PASSWORD)).session.account_id == ben.id


async def test_the_former_address_is_kept_seven_days_and_then_forgotten_by_the_provider_too(
    world: InMemory,
) -> None:
    ada = await sign_up(world)
    await world.use_cases.verify_email_change(ada.id, await link(ada))
    with pytest.raises(EmailChangedLately):
        await world.use_cases.ask_email_change(ada.id, OTHER, PASSWORD)
    await world.advance(FORMER_KEPT - INSTANT)
    assert (await world.use_cases.read_account(ada.id)).former_email == ada.email
    assert await world.mail.holds(ada.email)
    await world.advance(INSTANT)
    assert (await world.use_cases.read_account(ada.id)).former_email is None
    assert not await world.mail.holds(ada.email)
    assert await world.mail.holds(NEW)
    await link(ada, OTHER)


async def test_an_address_that_was_not_confirmed_is_forgotten_after_an_hour(world: InMemory) -> None:
    ada = await sign_up(world)
    await link(ada)
    with pytest.raises(EmailChangedLately):
        await world.use_cases.ask_email_change(ada.id, OTHER, PASSWORD)
    await link(ada)  # the same again
    await world.advance(LINK_LIVES - INSTANT)
    assert await world.mail.holds(NEW)
    await world.advance(INSTANT)
    assert (await world.use_cases.read_account(ada.id)).new_email is None
    assert not await world.mail.holds(NEW)
    await link(ada, OTHER)


async def test_erasure_has_the_provider_forget_every_address(world: InMemory) -> None:
    ada = await sign_up(world)
    await world.use_cases.verify_email_change(ada.id, await link(ada))
    await world.settle()
    await world.use_cases.delete_account(ada.id, PASSWORD)
    async with world.store.begin(ada.id) as tx:  # as if its seven days were not over
        account = await tx.accounts.get()
        account.former_email, account.new_email = ada.email, OTHER
        tx.save(account)
    await world.advance(timedelta(days=30))
    await world.advance(timedelta(days=1))
    for email in (ada.email, NEW, OTHER):
        assert not await world.mail.holds(email)


async def test_a_former_address_that_another_took_meanwhile_keeps_its_mails(world: InMemory) -> None:
    ada = await sign_up(world)
    await world.use_cases.verify_email_change(ada.id, await link(ada))
    await world.settle()
    world.limits.full_at.clear()
    other = await sign_up(world)
    assert (other.id, other.email) != (ada.id, NEW)
    await world.advance(FORMER_KEPT)
    assert await world.mail.holds(ada.email), "it is another's now"
    assert (await world.use_cases.read_account(ada.id)).former_email is None
