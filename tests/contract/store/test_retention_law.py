"""One law of retention and two oracles of it: what a store deletes by the clock is what the law says."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from application.inventory import INVENTORY
from bootstrap.worlds import InMemory
from domain.accounts import Account, AccountState
from domain.documents import Documents
from domain.idempotency import IdempotencyRecord
from domain.kernel import AccountId, IdempotencyRecordId, SessionId
from domain.retention import Retention, RetentionRule, due
from domain.sessions import Session
from domain.values import Email, Label, Locale, PasswordHash, SessionToken
from pico_testkit import Person
from tests.contract.conftest import Postgres
from tests.support.harness import in_memory, on_postgres

INSTANT, DAY = timedelta(microseconds=1), timedelta(days=1)
NEW_YORK, JERUSALEM = ZoneInfo("America/New_York"), ZoneInfo("Asia/Jerusalem")
EDGES = (
    datetime(2028, 2, 29, 23, 59, 59, 999999, tzinfo=UTC),  # a leap day
    datetime(2028, 3, 1, tzinfo=UTC),
    datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2027, 3, 14, 1, 59, 59, 999999, tzinfo=NEW_YORK).astimezone(UTC),  # the hour that there is not
    datetime(2027, 3, 14, 3, tzinfo=NEW_YORK).astimezone(UTC),
    datetime(2027, 11, 7, 1, 30, tzinfo=NEW_YORK).astimezone(UTC),  # the hour that there is twice
    datetime(2027, 11, 7, 1, 30, tzinfo=NEW_YORK, fold=1).astimezone(UTC),
    datetime(2027, 3, 26, 2, tzinfo=JERUSALEM).astimezone(UTC),
    datetime(2038, 1, 19, 3, 14, 7, 999999, tzinfo=UTC),
)
OFFSETS = (-INSTANT, timedelta(), INSTANT, -DAY, DAY, timedelta(hours=1), -timedelta(hours=1))
EXAMPLES = 25


@pytest.fixture(params=["memory", "postgres"])
async def world(
    request: pytest.FixtureRequest, postgres: Postgres, tmp_path: Path
) -> AsyncIterator[InMemory]:
    if request.param == "memory":
        yield in_memory()
        return
    async with on_postgres(postgres, tmp_path) as world:
        yield world


def ended(ada: Person, revoked_at: datetime) -> Session:
    """Return a session that was revoked at an instant."""
    token = SessionToken(f"token {ada.world.ids.random_id()}")
    session = Session.open(
        ada.id, SessionId(ada.world.ids.new()), token, revoked_at - timedelta(hours=2), Retention()
    )
    session.revoke(revoked_at)
    return session


async def sessions(world: InMemory, ada: Person) -> set[SessionId]:
    async with world.store.begin(ada.id) as tx:
        found = await tx.records.page(next(s for s in INVENTORY if s.of is Session), None, 10_000)
    return {SessionId(row["id"]) for row in found}


@pytest.mark.parametrize("seed", range(2))
async def test_what_ended_goes_at_its_very_instant_and_nothing_goes_before(
    world: InMemory, seed: int
) -> None:
    chance, ada = random.Random(seed), await world.signed_up("ada")
    mine = await sessions(world, ada)
    for _ in range(EXAMPLES):
        keep = timedelta(days=chance.randrange(1, 400), microseconds=chance.randrange(2))
        rule = RetentionRule("T5", keep, "sessions")
        now = chance.choice(EDGES) + timedelta(microseconds=chance.randrange(3))
        made = [ended(ada, rule.cutoff(now) + chance.choice(OFFSETS)) for _ in range(6)]

        async def change(tx: object, made: list[Session] = made) -> None:
            for each in made:
                tx.save(each)  # type: ignore[attr-defined]  # a unit of work

        await world.store.update(ada.id, change)
        wanted = {each.id for each in made if not due(each.revoked_at or now, keep, now)}
        early = now - timedelta(microseconds=chance.randrange(10**9))  # a clock that was set back
        await world.store.purge(Session, "revoked_at", rule.cutoff(early), 100)
        kept = await sessions(world, ada) - mine
        assert kept >= wanted, "one went before its time"
        assert kept == {each.id for each in made if not due(each.revoked_at or now, keep, early)}
        longer = RetentionRule("T5", keep + timedelta(microseconds=chance.randrange(10**6)), "sessions")
        await world.store.purge(Session, "revoked_at", longer.cutoff(now), 100)
        assert await sessions(world, ada) - mine >= wanted, "what is kept for longer went sooner"
        while await world.store.purge(Session, "revoked_at", rule.cutoff(now), chance.randrange(1, 4)):
            assert await sessions(world, ada) - mine >= wanted, "one went before its time"
        assert await sessions(world, ada) - mine == wanted, "one is there after its time"
        await world.store.purge(Session, "revoked_at", now + 1_000 * DAY, 100)
        assert await sessions(world, ada) == mine, "a session that is open went"


async def test_what_is_done_once_is_remembered_to_the_microsecond(world: InMemory) -> None:
    chance, ada = random.Random(3), await world.signed_up("ada")
    for edge in EDGES:
        at = [edge + chance.choice(OFFSETS) for _ in range(5)]
        made = [
            IdempotencyRecord(
                account_id=ada.id, id=IdempotencyRecordId(world.ids.random_id()), key=f"{edge} {n}", request="r",
                resource_id=world.ids.random_id(), expires_at=each,
            )
            for n, each in enumerate(at)
        ]  # fmt: skip

        async def change(tx: object, made: list[IdempotencyRecord] = made) -> None:
            for each in made:
                tx.save(each)  # type: ignore[attr-defined]  # a unit of work

        await world.store.update(ada.id, change)
        before = (await world.store.count_rows(ada.id))["idempotency_records"]
        gone = sum([await world.store.purge(IdempotencyRecord, "expires_at", edge, 2) for _ in range(5)])
        assert gone == sum(each <= edge for each in at)
        assert (await world.store.count_rows(ada.id))["idempotency_records"] == before - gone
        await world.store.purge(IdempotencyRecord, "expires_at", edge + 2 * DAY, 100)


async def test_accounts_are_due_to_the_microsecond_the_longest_wait_first(world: InMemory) -> None:
    chance = random.Random(4)
    for number, edge in enumerate(EDGES):
        leaving = dict[AccountId, datetime]()
        for n in range(4):
            account_id, due_at = AccountId(world.ids.new()), edge + chance.choice(OFFSETS)
            await world.keyring.create(account_id)
            account = Account.sign_up(
                account_id, email=Email(f"a{number}.{n}@example.com"), password=PasswordHash("x"),
                display_name=Label("Noa"), locale=Locale("en"), at=edge, documents=Documents(),
            )  # fmt: skip
            account.state, account.erase_at = AccountState.PENDING_DELETION, due_at

            async def change(tx: object, account: Account = account) -> None:
                tx.save(account)  # type: ignore[attr-defined]  # a unit of work

            await world.store.update(account_id, change)
            leaving[account_id] = due_at
        found = await world.directory.accounts_to_erase(edge, edge - 9_000 * DAY, 100)
        mine = [each for each in found if each in leaving]
        assert set(mine) == {each for each, at in leaving.items() if at <= edge}
        assert [leaving[each] for each in mine] == sorted(leaving[each] for each in mine)
        for each in leaving:
            await world.store.delete_rows(each)
