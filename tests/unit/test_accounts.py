"""Signing up, coming in, leaving, coming back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from application.credentials import WrongCredentials
from application.ports.mail import MailKind
from application.sessions import MOST_SESSIONS, Unauthenticated
from application.sign_up import BadToken
from bootstrap.worlds import InMemory
from domain.accounts import AccountState, NotPendingDeletion, PendingDeletion
from domain.lines import LineState
from domain.values import Email, Label, Locale, Password
from tests.support.actors import PASSWORD, sign_up, with_line

ADA = Email("ada@example.org")


def last_link(world: InMemory) -> str:
    """Return the token in the newest mail that has one."""
    return next(mail.link_token for mail in reversed(world.mail.sent) if mail.link_token)


async def test_signing_up_mails_a_link_that_signs_in_once(world: InMemory) -> None:
    ada = await sign_up(world)
    assert (await world.use_cases.authenticate(ada.signed_in.token)).account_id == ada.id
    with pytest.raises(WrongCredentials):
        await world.use_cases.verify_account(last_link(world), PASSWORD)


async def test_signing_up_with_a_known_address_changes_nothing_and_mails_its_owner(world: InMemory) -> None:
    ada = await sign_up(world)
    await world.use_cases.sign_up(
        Email("ADA@example.org"), Password("another password"), Label("Eve"), Locale("fr")
    )
    await world.settle()
    assert world.mail.sent[-1].kind is MailKind.ALREADY_REGISTERED
    assert (await world.use_cases.read_account(ada.id)).display_name == "Ada"
    await world.use_cases.sign_in(ADA, PASSWORD)


async def test_signing_up_again_before_verifying_mails_another_link(world: InMemory) -> None:
    for _ in range(2):
        await world.use_cases.sign_up(ADA, PASSWORD, Label("Ada"), Locale("en"))
    await world.settle()
    assert [mail.kind for mail in world.mail.sent] == [MailKind.VERIFY, MailKind.VERIFY]
    await world.use_cases.verify_account(last_link(world), PASSWORD)


async def test_a_mail_outage_delays_the_link_and_loses_nothing(world: InMemory) -> None:
    world.mail.outage = True
    await world.use_cases.sign_up(ADA, PASSWORD, Label("Ada"), Locale("en"))
    await world.settle()
    assert not world.mail.sent
    world.mail.outage = False
    await world.advance(timedelta(minutes=1))
    await world.use_cases.verify_account(last_link(world), PASSWORD)


async def test_an_unverified_account_cannot_sign_in(world: InMemory) -> None:
    await world.use_cases.sign_up(ADA, PASSWORD, Label("Ada"), Locale("en"))
    with pytest.raises(WrongCredentials):
        await world.use_cases.sign_in(ADA, PASSWORD)


async def test_a_link_dies_after_a_day(world: InMemory) -> None:
    await world.use_cases.sign_up(ADA, PASSWORD, Label("Ada"), Locale("en"))
    await world.settle()
    world.clock.advance(timedelta(hours=24))
    with pytest.raises(BadToken):
        await world.use_cases.verify_account(last_link(world), PASSWORD)


async def test_signing_in_needs_address_and_password(world: InMemory) -> None:
    await sign_up(world)
    for email, password in ((ADA, Password("wrong password")), (Email("eve@example.org"), PASSWORD)):
        with pytest.raises(WrongCredentials):
            await world.use_cases.sign_in(email, password)


async def test_an_old_hash_is_renewed_when_its_owner_signs_in(world: InMemory) -> None:
    ada = await sign_up(world)
    world.hasher.strength += 1
    assert world.hasher.outdated((await world.use_cases.read_account(ada.id)).password)
    await world.use_cases.sign_in(ADA, PASSWORD)
    assert not world.hasher.outdated((await world.use_cases.read_account(ada.id)).password)
    await world.use_cases.sign_in(ADA, PASSWORD)


async def test_signing_out_revokes_exactly_that_session_and_loses_no_data(world: InMemory) -> None:
    ada = await with_line(world)
    await ada.receives("hello")
    other = await world.use_cases.sign_in(ADA, PASSWORD)
    await world.use_cases.sign_out(ada.id, ada.signed_in.session.id)
    with pytest.raises(Unauthenticated):
        await world.use_cases.authenticate(ada.signed_in.token)
    await world.use_cases.authenticate(other.token)
    assert await ada.inbox() == ["hello"]


async def test_signing_out_the_others_leaves_the_caller_in(world: InMemory) -> None:
    ada = await sign_up(world)
    other = await world.use_cases.sign_in(ADA, PASSWORD)
    await world.use_cases.sign_out_others(ada.id, ada.signed_in.session.id)
    assert [session.id for session in await world.use_cases.list_sessions(ada.id)] == [
        ada.signed_in.session.id
    ]
    with pytest.raises(Unauthenticated):
        await world.use_cases.authenticate(other.token)


async def test_one_session_too_many_revokes_the_oldest(world: InMemory) -> None:
    ada = await sign_up(world)
    for _ in range(MOST_SESSIONS - 1):
        await world.use_cases.sign_in(ADA, PASSWORD)
    assert (await world.use_cases.authenticate(ada.signed_in.token)).account_id == ada.id
    newest = await world.use_cases.sign_in(ADA, PASSWORD)
    with pytest.raises(Unauthenticated):
        await world.use_cases.authenticate(ada.signed_in.token)
    await world.use_cases.authenticate(newest.token)
    assert len(await world.use_cases.list_sessions(ada.id)) == MOST_SESSIONS


async def test_while_rows_wait_for_erasure_the_address_is_as_good_as_unknown(world: InMemory) -> None:
    ada = await sign_up(world)
    await world.keyring.destroy(ada.id)
    for come_in in (world.use_cases.sign_in, world.use_cases.recover_account):
        with pytest.raises(WrongCredentials):
            await come_in(ADA, PASSWORD)
    await world.use_cases.sign_up(ADA, PASSWORD, Label("Ada"), Locale("en"))


async def test_a_password_is_the_same_however_its_letters_are_composed(world: InMemory) -> None:
    composed, decomposed = "caf\u00e9 caf\u00e9 caf\u00e9", "cafe\u0301 cafe\u0301 cafe\u0301"
    assert Password.parse(composed) == Password.parse(decomposed)
    assert Email("\u00e9@example.org").canonical == Email("e\u0301@example.org").canonical


async def test_deleting_shuts_everything_at_once(world: InMemory) -> None:
    ada = await with_line(world)
    other = await world.use_cases.sign_in(ADA, PASSWORD)
    preview = await world.use_cases.delete_account(ada.id, PASSWORD)
    assert preview.erase_at == world.clock.now() + timedelta(days=30)
    assert preview.lines == 1
    for token in (ada.signed_in.token, other.token):
        with pytest.raises(Unauthenticated):
            await world.use_cases.authenticate(token)
    with pytest.raises(PendingDeletion):
        await world.use_cases.sign_in(ADA, PASSWORD)
    await ada.receives("too late")
    assert await ada.inbox() == []
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.SUSPENDED


async def test_deleting_needs_the_password(world: InMemory) -> None:
    ada = await sign_up(world)
    with pytest.raises(WrongCredentials):
        await world.use_cases.delete_account(ada.id, Password("wrong password"))
    assert (await world.use_cases.read_account(ada.id)).state is AccountState.ACTIVE


async def test_deleting_again_does_not_move_the_due_time(world: InMemory) -> None:
    ada = await sign_up(world)
    first = await world.use_cases.delete_account(ada.id, PASSWORD)
    world.clock.advance(timedelta(days=3))
    assert await world.use_cases.delete_account(ada.id, PASSWORD) == first


async def test_coming_back_within_the_period_brings_everything_back(world: InMemory) -> None:
    ada = await with_line(world)
    await ada.receives("before")
    await world.use_cases.delete_account(ada.id, PASSWORD)
    await world.advance(timedelta(days=30) - timedelta(microseconds=1))
    back = await world.use_cases.recover_account(ADA, PASSWORD)
    await world.use_cases.authenticate(back.token)
    await ada.receives("after")
    assert sorted(await ada.inbox()) == ["after", "before"]
    await world.advance(timedelta(days=60))
    assert (await world.use_cases.read_account(ada.id)).state is AccountState.ACTIVE


async def test_coming_back_needs_the_password(world: InMemory) -> None:
    ada = await sign_up(world)
    with pytest.raises(NotPendingDeletion):
        await world.use_cases.recover_account(ADA, PASSWORD)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    with pytest.raises(WrongCredentials):
        await world.use_cases.recover_account(ADA, Password("wrong password"))


async def test_there_is_no_way_back_once_the_time_has_come(world: InMemory) -> None:
    ada = await sign_up(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    world.clock.advance(timedelta(days=30))
    with pytest.raises(NotPendingDeletion):
        await world.use_cases.recover_account(ADA, PASSWORD)
    await world.advance(timedelta())
    with pytest.raises(WrongCredentials):
        await world.use_cases.recover_account(ADA, PASSWORD)


async def test_correcting_the_profile(world: InMemory) -> None:
    ada = await sign_up(world)
    await world.use_cases.change_profile(ada.id, Label("Ada Lovelace"), None)
    account = await world.use_cases.change_profile(ada.id, None, Locale("he-IL"))
    assert (account.display_name, account.locale) == ("Ada Lovelace", "he-IL")
