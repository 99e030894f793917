"""Choosing another password: with the one before, or with a link that works once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from application.credentials import DECOY, WrongCredentials
from application.guesses import TooManyGuesses
from application.inventory import BY_TYPE
from application.mail import MAILS, RESET_LINK_LIVES
from application.ports.mail import MailKind
from application.sessions import Unauthenticated
from application.sign_up import BadToken
from bootstrap.worlds import InMemory
from domain.accounts import Account, LinkUsed, PendingDeletion
from domain.audit import AuditEntry, AuditKind
from domain.guessing import GuessablePassword
from domain.kernel import ChangedMeanwhile, PicoError
from domain.values import Email, Password
from tests.support.actors import PASSWORD, Person, sign_up

NEW, OTHER = Password("four boring purple umbrellas"), Password("five loud yellow curtains")
WRONG = Password("wrong horse battery staple")
INSTANT = timedelta(microseconds=1)


async def link(world: InMemory, email: Email) -> str:
    """Ask for a link, and take it from the mailbox."""
    await world.use_cases.ask_password_reset(email)
    await world.settle()
    assert world.mail.sent[-1].kind is MailKind.PASSWORD_RESET
    return str(world.mail.sent[-1].link_token)


async def signs_in(world: InMemory, person: Person, password: Password) -> bool:
    try:
        await world.use_cases.sign_in(person.email, password)
    except WrongCredentials:
        return False
    return True


async def kinds(world: InMemory, person: Person) -> list[AuditKind]:
    async with world.store.begin(person.id) as tx:
        return [entry["kind"] for entry in await tx.records.page(BY_TYPE[AuditEntry], None, 100)]


async def test_another_password_ends_every_session_and_opens_one(world: InMemory) -> None:
    ada = await sign_up(world)
    elsewhere = await world.use_cases.sign_in(ada.email, PASSWORD)
    changed = await world.use_cases.change_password(ada.id, PASSWORD, NEW)
    for old in (ada.signed_in.token, elsewhere.token):
        with pytest.raises(Unauthenticated):
            await world.use_cases.authenticate(old)
    assert (await world.use_cases.authenticate(changed.token)).account_id == ada.id
    assert (await signs_in(world, ada, PASSWORD), await signs_in(world, ada, NEW)) == (False, True)
    assert AuditKind.PASSWORD_CHANGED in await kinds(world, ada)
    await world.settle()
    assert world.mail.sent[-1].kind is MailKind.PASSWORD_CHANGED


async def test_another_password_takes_the_one_before_and_is_none_that_is_guessed(world: InMemory) -> None:
    ada = await sign_up(world)
    with pytest.raises(WrongCredentials):
        await world.use_cases.change_password(ada.id, WRONG, NEW)
    for guessable in (Password("password1234"), Password("ada@example.org")):
        with pytest.raises(GuessablePassword):
            await world.use_cases.change_password(ada.id, PASSWORD, guessable)
    assert await signs_in(world, ada, PASSWORD)


async def test_of_two_changes_at_once_one_is_taken(world: InMemory) -> None:
    ada = await sign_up(world)
    answers = await asyncio.gather(
        *(world.use_cases.change_password(ada.id, PASSWORD, new) for new in (NEW, OTHER)),
        return_exceptions=True,
    )
    (refused,) = [answer for answer in answers if isinstance(answer, BaseException)]
    assert isinstance(refused, ChangedMeanwhile | WrongCredentials)
    taken = [await signs_in(world, ada, password) for password in (PASSWORD, NEW, OTHER)]
    assert taken.count(True) == 1
    assert not taken[0]


async def test_a_link_from_the_mailbox_ends_every_session_and_opens_one(world: InMemory) -> None:
    ada = await sign_up(world)
    token = await link(world, ada.email)
    signed_in = await world.use_cases.reset_password(token, NEW)
    with pytest.raises(Unauthenticated):
        await world.use_cases.authenticate(ada.signed_in.token)
    assert (await world.use_cases.authenticate(signed_in.token)).account_id == ada.id
    assert (await signs_in(world, ada, PASSWORD), await signs_in(world, ada, NEW)) == (False, True)
    assert AuditKind.PASSWORD_RESET in await kinds(world, ada)
    await world.settle()
    assert world.mail.sent[-1].kind is MailKind.PASSWORD_CHANGED


async def test_a_link_works_once_also_when_used_fifty_times_at_once(world: InMemory) -> None:
    ada = await sign_up(world)
    token = await link(world, ada.email)
    passwords = [Password(f"{number} boring purple umbrellas") for number in range(50)]
    answers = await asyncio.gather(
        *(world.use_cases.reset_password(token, password) for password in passwords), return_exceptions=True
    )
    assert sum(not isinstance(answer, BaseException) for answer in answers) == 1
    assert {type(answer) for answer in answers if isinstance(answer, BaseException)} == {LinkUsed}
    assert len(await world.use_cases.list_sessions(ada.id)) == 1


async def test_a_link_dies_with_the_password_it_was_made_for(world: InMemory) -> None:
    ada = await sign_up(world)
    first, second = await link(world, ada.email), await link(world, ada.email)
    await world.use_cases.change_password(ada.id, PASSWORD, NEW)
    for token in (first, second):
        with pytest.raises(LinkUsed):
            await world.use_cases.reset_password(token, OTHER)
    assert await signs_in(world, ada, NEW)


async def test_a_link_expires_and_one_of_another_kind_is_none(world: InMemory) -> None:
    ada = await sign_up(world)
    token = await link(world, ada.email)
    verification = await world.tokens.verification(ada.id, world.clock.now() + RESET_LINK_LIVES)
    for wrong in ("", "x", token[:-1], f"{token}x", verification, ada.signed_in.token):
        with pytest.raises(BadToken):
            await world.use_cases.reset_password(wrong, NEW)
    world.clock.advance(RESET_LINK_LIVES - INSTANT)
    with pytest.raises(GuessablePassword):
        await world.use_cases.reset_password(token, Password("password1234"))
    world.clock.advance(INSTANT)
    with pytest.raises(BadToken):
        await world.use_cases.reset_password(token, NEW)


async def test_whoever_uses_up_a_days_mails_keeps_nobody_from_a_link_that_works(world: InMemory) -> None:
    ada = await sign_up(world)
    assert MAILS.every <= RESET_LINK_LIVES
    for _ in range(60):
        await world.use_cases.ask_password_reset(ada.email)
        await world.advance(timedelta(hours=1))
        newest = next(
            mail.link_token for mail in reversed(world.mail.sent) if mail.kind is MailKind.PASSWORD_RESET
        )
        named = await world.tokens.read("r", str(newest), world.clock.now() - timedelta(hours=1))  # type: ignore[arg-type]
        assert named is not None
    sent = [mail for mail in world.mail.sent if mail.kind is MailKind.PASSWORD_RESET]
    assert len(sent) <= 5 * 60 / 24


async def test_an_account_that_waits_to_be_deleted_takes_a_password_and_comes_back_with_it(
    world: InMemory,
) -> None:
    ada = await sign_up(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    token = await link(world, ada.email)
    with pytest.raises(PendingDeletion):
        await world.use_cases.reset_password(token, NEW)
    assert not (await world.use_cases.read_account(ada.id)).is_active
    await world.use_cases.recover_account(ada.email, NEW)
    assert (await world.use_cases.read_account(ada.id)).is_active


async def test_a_link_opens_the_account_while_strangers_keep_guessing(world: InMemory) -> None:
    ada = await sign_up(world)
    token = await link(world, ada.email)
    for _ in range(7):
        with pytest.raises((WrongCredentials, TooManyGuesses)):
            await world.use_cases.sign_in(ada.email, WRONG)
    signed_in = await world.use_cases.reset_password(token, NEW)
    assert (await world.use_cases.authenticate(signed_in.token)).account_id == ada.id


async def test_for_an_address_without_account_nothing_is_mailed_and_nobody_is_made(world: InMemory) -> None:
    nobody = Email("nobody@example.org")
    for _ in range(3):
        await world.use_cases.ask_password_reset(nobody)
        await world.settle()
    assert world.mail.sent == []
    assert await world.directory.account_by_email("nobody@invalid") is None
    for email in (nobody, Email("nobody@invalid")):
        with pytest.raises(WrongCredentials):
            await world.use_cases.sign_in(email, Password("!"))
    await world.advance(timedelta(days=400))
    assert list(world.store.rows(DECOY)[Account]) == [DECOY], "the decoy is nobody whose time runs out"


async def test_an_erased_account_s_link_is_none(world: InMemory) -> None:
    ada = await sign_up(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    await world.advance(timedelta(days=29, hours=23))
    token = await link(world, ada.email)
    await world.advance(timedelta(hours=2))
    with pytest.raises(BadToken):
        await world.use_cases.reset_password(token, NEW)
    with pytest.raises(PicoError):
        await world.use_cases.sign_in(ada.email, NEW)
