"""One law of accounts that nobody uses, and two oracles of it: what a store finds is what the law says."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from bootstrap.worlds import InMemory
from domain.accounts import Account, AccountState, InboundChoice, Unreachable, Unused, UnusedStep, cutoffs
from domain.accounts.unused import FIRST_WARNING, SECOND_WARNING
from domain.billing import Subscription, SubscriptionState
from domain.documents import Documents
from domain.kernel import AccountId, SessionId
from domain.retention import Retention, unused_after
from domain.sessions import Session
from domain.values import Email, Label, Locale, PasswordHash, SessionToken
from tests.contract.store.test_retention_law import EDGES, INSTANT, world

__all__ = ["world"]


async def kept(world: InMemory, *also: Any, **said: Any) -> AccountId:
    """Keep an account with these fields, and what else it has."""
    account_id = AccountId(world.ids.new())
    await world.keyring.create(account_id)
    account = Account.sign_up(
        account_id, email=Email(f"{account_id}@example.com"), password=PasswordHash("x"),
        display_name=Label("Noa"), locale=Locale("en"), at=EDGES[0], documents=Documents(),
    )  # fmt: skip
    account.verify(EDGES[0])
    for name, value in said.items():
        setattr(account, name, value)

    async def change(tx: Any) -> None:
        tx.save(account)
        for make in also:
            tx.save(make(account_id))

    await world.store.update(account_id, change)
    return account_id


async def test_a_step_is_due_in_the_store_when_it_is_due_by_the_law(world: InMemory) -> None:
    chance = random.Random(5)
    for edge in EDGES[:4]:
        rule = unused_after(timedelta(days=chance.randrange(365, 900)))
        before = {step: cutoffs(step, rule, edge) for step in UnusedStep}

        def near(step: UnusedStep, rule: Any = rule, edge: Any = edge) -> Any:
            ago = {UnusedStep.WARN: FIRST_WARNING, UnusedStep.WARN_AGAIN: SECOND_WARNING}
            return (
                rule.cutoff(edge)
                + ago.get(step, timedelta())
                + chance.choice((-INSTANT, timedelta(), INSTANT))
            )

        lives = dict[AccountId, Unused]()
        for step in UnusedStep:
            for _ in range(4):
                warned = near(step) if step is UnusedStep.WARN else edge - timedelta(days=46)
                unused = Unused(
                    near(step),
                    None if step is UnusedStep.WARN else warned - chance.choice((-INSTANT, timedelta(), INSTANT)),
                    edge - SECOND_WARNING + chance.choice((-INSTANT, timedelta(), INSTANT))
                    if step is UnusedStep.DELETE else None,
                )  # fmt: skip
                account_id = await kept(
                    world, unused_since=unused.since, warned_at=unused.warned_at,
                    warned_again_at=unused.warned_again_at,
                )  # fmt: skip
                lives[account_id] = unused
        await kept(world, unused_since=rule.cutoff(edge), state=AccountState.PENDING_DELETION, erase_at=edge)
        wanted = {each for each, unused in lives.items() if unused.due_step(rule, edge)}
        assert 0 < len(wanted) < len(lives)
        assert set(await world.directory.unused_accounts_due(before, 100)) == wanted
        assert len(await world.directory.unused_accounts_due(before, 1)) == len(
            {lives[each].next_step for each in wanted}
        )
        for each in (*lives,):
            await world.store.delete_rows(each)


async def test_an_account_is_unused_once_nothing_speaks_for_it(world: InMemory) -> None:
    now = EDGES[1]

    def session(ends_at: Any, revoked_at: Any = None) -> Any:
        def make(account_id: AccountId) -> Session:
            made = Session.open(
                account_id, SessionId(world.ids.new()), SessionToken(f"token {account_id}"), EDGES[0], Retention()
            )  # fmt: skip
            made.ends_at, made.revoked_at = ends_at, revoked_at
            return made

        return make

    def subscription(state: SubscriptionState) -> Any:
        def make(account_id: AccountId) -> Subscription:
            made = Subscription.begin(account_id)
            made.state = state
            return made

        return make

    unused = [
        await kept(world),
        await kept(world, session(now)),
        await kept(world, session(now + INSTANT, revoked_at=now)),
        await kept(world, subscription(SubscriptionState.ENDED)),
    ]
    used = [
        await kept(world, session(now + INSTANT)),
        await kept(world, subscription(SubscriptionState.ACTIVE)),
        await kept(world, subscription(SubscriptionState.PAST_DUE)),
        await kept(world, restriction=InboundChoice.ACCEPTED, restricted_at=now),
        await kept(world, unreachable=Unreachable.RETURNED, unreachable_since=now),
        await kept(world, unused_since=now),
        await kept(world, state=AccountState.PENDING_DELETION, erase_at=now),
    ]
    assert await world.directory.unused([*used, *unused, AccountId(world.ids.new())], now) == unused
    assert await world.directory.unused(used, now) == []
