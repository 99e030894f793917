"""Accounts that nobody uses go where a period is set, after two warnings, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from application.ports.mail import MailKind
from application.ports.store import Tx
from application.sessions import SignIn
from application.unused_accounts import WatchUnusedAccounts
from bootstrap.worlds import InMemory
from domain.accounts import AccountState, Cutoffs, InboundChoice
from domain.billing import Subscription, SubscriptionState
from domain.data_requests import DataRequestKind
from domain.kernel import AccountId
from domain.retention import Retention, RetentionRule, unused_after
from tests.support.actors import PASSWORD, Person, sign_up
from tests.support.harness import Anywhere
from tests.support.proofs import proves

DAY, MOMENT = timedelta(days=1), timedelta(microseconds=1)
YEAR = 365 * DAY
SET = replace(Retention(), unused_account=unused_after(YEAR))
WARNINGS = [MailKind.UNUSED, MailKind.UNUSED_STILL]


class Impatient(WatchUnusedAccounts):
    """Takes each step a moment before its time."""

    async def _take_step(self, account_id: AccountId, rule: RetentionRule, now: datetime) -> bool:
        return await super()._take_step(account_id, rule, now + MOMENT)

    async def __call__(self, now: datetime, limit: int) -> Any:
        self.directory = Hasty(self.directory)
        return await super().__call__(now, limit)


class Hasty:
    """A directory that shows what is due a moment later."""

    def __init__(self, honest: Any) -> None:
        self.honest = honest

    def __getattr__(self, name: str) -> Any:
        return getattr(self.honest, name)

    async def unused_accounts_due(self, due: Any, limit: int) -> Any:
        soon = {step: Cutoffs(*(at and at + MOMENT for at in before)) for step, before in due.items()}
        return await self.honest.unused_accounts_due(soon, limit)


class Hushed(WatchUnusedAccounts):
    """Deletes without a word."""

    async def _take_step(self, account_id: AccountId, rule: RetentionRule, now: datetime) -> bool:
        await self.delete_account.note_and_commit(account_id, self.retention.soft_deleted.ends(now))
        return True


class Blind(WatchUnusedAccounts):
    """Does not see that somebody pays, or asked for something."""

    async def _is_used(self, tx: Tx, now: datetime) -> bool:
        return False


class Forgets(WatchUnusedAccounts):
    """Never looks who uses nothing."""

    async def _found(self, now: datetime, limit: int) -> list[AccountId]:
        return []


class AlwaysSet(WatchUnusedAccounts):
    """Has a period of its own where none is set."""

    async def __call__(self, now: datetime, limit: int) -> Any:
        self.retention = SET
        return await super().__call__(now, limit)


class Grudging(SignIn):
    """Signs in, and leaves what was noted as it is."""

    async def _open(self, account_id: AccountId, label: Any) -> Any:
        async with self.store.begin(account_id) as tx:
            before = await tx.accounts.get()
        signed_in = await super()._open(account_id, label)

        async def put_back(tx: Tx) -> None:
            account = await tx.accounts.get()
            account.unused_since, account.warned_at = before.unused_since, before.warned_at
            account.warned_again_at = before.warned_again_at
            tx.save(account)

        await self.store.update(account_id, put_back)
        return signed_in


def a_moment_early(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, watch_unused_accounts=Impatient)


def without_a_word(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, watch_unused_accounts=Hushed)


def never(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, watch_unused_accounts=Forgets)


def whoever_signs_in(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, sign_in=Grudging)


def whoever_pays(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, watch_unused_accounts=Blind)


def without_a_period(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, watch_unused_accounts=AlwaysSet)


async def state(world: InMemory, ada: Person) -> AccountState:
    async with world.store.begin(ada.id) as tx:
        return (await tx.accounts.get()).state


def mails(world: InMemory, ada: Person) -> list[MailKind]:
    return [mail.kind for mail in world.mail.sent if mail.to == ada.email and mail.kind in WARNINGS]


async def signed_out(world: InMemory, name: str) -> Person:
    """Return somebody who signed up, and signed out again."""
    ada = await sign_up(world, name)
    await world.use_cases.sign_out(ada.id, ada.signed_in.session.id)
    return ada


@proves("T15", text="a4d3b80a701d", saboteur=a_moment_early, says="a step was taken early")
@proves("H35", text="69530ed7d644", saboteur=without_a_word, says="nobody was warned")
@proves("H35", text="69530ed7d644", saboteur=never, says="nobody was warned")
@proves(
    "T15",
    text="a4d3b80a701d",
    saboteur=whoever_signs_in,
    says="an account goes although its person signed in",
)
async def test_an_account_that_nobody_uses_goes_after_two_warnings(anywhere: Anywhere) -> None:
    async with anywhere(retention=SET) as world:
        ada, boris = await signed_out(world, "ada"), await signed_out(world, "boris")
        await world.advance(timedelta(hours=1))
        taken = [(305 * DAY, MailKind.UNUSED), (46 * DAY, MailKind.UNUSED_STILL)]
        for number, (later, mail) in enumerate(taken):
            await world.advance(later - MOMENT)
            assert (len(mails(world, ada)), await state(world, ada)) == (number, AccountState.ACTIVE), (
                "a step was taken early"
            )
            await world.advance(MOMENT)
            assert mails(world, ada)[number:] == [mail], "nobody was warned"
            assert mails(world, boris)[number:] == [mail]
        again = await world.use_cases.sign_in(boris.email, PASSWORD)
        await world.use_cases.sign_out(boris.id, again.session.id)
        await world.advance(14 * DAY - MOMENT)
        assert await state(world, ada) is AccountState.ACTIVE, "a step was taken early"
        await world.advance(MOMENT)
        assert await state(world, ada) is AccountState.PENDING_DELETION
        assert await state(world, boris) is AccountState.ACTIVE, (
            "an account goes although its person signed in"
        )
        told = [mail.kind for mail in world.mail.sent if mail.to == ada.email]
        assert told[-1] is MailKind.DELETION_SCHEDULED
        back = await world.use_cases.recover_account(ada.email, PASSWORD)
        await world.use_cases.sign_out(ada.id, back.session.id)
        await world.advance(DAY)
        await world.advance(305 * DAY - MOMENT)
        assert mails(world, ada) == WARNINGS
        for later in (MOMENT, 46 * DAY, 14 * DAY, 30 * DAY):
            await world.advance(later)
        assert not await world.keyring.count(ada.id), "it is deleted as any other"


@proves("T15", text="a4d3b80a701d", saboteur=whoever_pays, says="an account goes that speaks for itself")
async def test_whoever_pays_is_frozen_or_asked_for_something_is_not_unused(anywhere: Anywhere) -> None:
    async with anywhere(retention=SET) as world:
        payer, frozen, asker = [await sign_up(world, name) for name in ("payer", "frozen", "asker")]
        noted = [await signed_out(world, name) for name in ("starts", "freezes", "asks")]
        await world.use_cases.restrict_account(frozen.id, InboundChoice.ACCEPTED)
        await paid(world, payer)
        for one in (payer, frozen, asker):
            await world.use_cases.sign_out(one.id, one.signed_in.session.id)
        await world.advance(DAY)
        starts, freezes, asks = noted
        await paid(world, starts)
        await world.use_cases.restrict_account(freezes.id, InboundChoice.ACCEPTED)
        for one in (asker, asks):
            await world.use_cases.open_data_request(DataRequestKind.ACCESS, one.id, None)
        for later in (306 * DAY, 46 * DAY, 14 * DAY):
            await world.advance(later)
        everybody = (payer, frozen, asker, *noted)
        assert [mails(world, one) for one in everybody] == [[]] * 6, "an account goes that speaks for itself"


async def paid(world: InMemory, ada: Person) -> None:
    """Have somebody pay for ever."""

    async def change(tx: Tx) -> None:
        subscription = Subscription.begin(ada.id)
        subscription.state = SubscriptionState.ACTIVE
        tx.save(subscription)

    await world.store.update(ada.id, change)


@proves(
    "T15", text="a4d3b80a701d", saboteur=without_a_period, says="an account went although no period is set"
)
async def test_without_a_period_no_account_goes_for_not_being_used(anywhere: Anywhere) -> None:
    async with anywhere() as world:
        ada = await signed_out(world, "ada")
        for later in (DAY, 3650 * DAY, 60 * DAY, 60 * DAY):
            await world.advance(later)
        assert await state(world, ada) is AccountState.ACTIVE, "an account went although no period is set"
        async with world.store.begin(ada.id) as tx:
            assert (await tx.accounts.get()).unused is None
