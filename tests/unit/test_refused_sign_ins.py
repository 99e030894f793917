"""A refused sign-in is on the log of whose password was guessed; it costs as much for an address that nobody has."""

from __future__ import annotations

from datetime import timedelta

import pytest

from application.credentials import DECOY, NOTE_REFUSED_SIGN_IN, WrongCredentials
from application.guesses import GUESSES, TooManyGuesses
from bootstrap.worlds import InMemory
from domain.audit import AuditEntry, AuditKind
from domain.kernel import AccountId
from domain.values import Email, Password
from tests.support.actors import PASSWORD, sign_up

WRONG, NOBODY = Password("four boring purple umbrellas"), Email("nobody@example.org")


async def guessed(world: InMemory, email: Email, password: Password = WRONG) -> None:
    with pytest.raises((WrongCredentials, TooManyGuesses)):
        await world.use_cases.sign_in(email, password)


async def refusals(world: InMemory, account_id: AccountId) -> list[AuditEntry]:
    page = await world.use_cases.list_audit_log(account_id, None, 1_000)
    return [entry for entry in page.items if entry.kind is AuditKind.SIGN_IN_REFUSED]


async def test_a_refusal_is_on_the_log_with_the_instant_at_which_it_was_refused(world: InMemory) -> None:
    ada = await sign_up(world)
    at = world.clock.now()
    await guessed(world, ada.email)
    world.clock.advance(timedelta(minutes=3))
    assert await refusals(world, ada.id) == [], "it was done while somebody waited for the answer"
    await world.settle()
    (entry,) = await refusals(world, ada.id)
    assert (entry.subject, entry.at) == (ada.id, at)
    assert entry.commitment in world.store.audit_log.commitments
    await world.use_cases.sign_in(ada.email, PASSWORD)
    await world.settle()
    assert len(await refusals(world, ada.id)) == 1


async def test_an_address_without_account_is_as_much_work_and_leaves_nothing(world: InMemory) -> None:
    ada = await sign_up(world)
    await guessed(world, NOBODY)  # which makes the decoy, once
    before = set(world.store.audit_log.commitments)
    for email, owner in ((NOBODY, DECOY), (ada.email, ada.id)):
        await guessed(world, email)
        (job,) = [job for job in await world.queue.all_of(NOTE_REFUSED_SIGN_IN) if job.account_id == owner]
        assert job.state == "waiting"
        if owner == DECOY:
            await world.settle()
            assert set(world.store.audit_log.commitments) == before, "the log tells of nobody"


async def test_no_stranger_makes_the_log_grow_beyond_the_guesses_there_are(world: InMemory) -> None:
    ada = await sign_up(world)
    for _ in range(40):
        await guessed(world, ada.email)
    await world.settle()
    assert 0 < len(await refusals(world, ada.id)) <= GUESSES.at_once
    world.clock.advance(timedelta(hours=1))
    for _ in range(40):
        await guessed(world, ada.email)
    await world.settle()
    assert len(await refusals(world, ada.id)) <= GUESSES.at_once + GUESSES.most
