"""The PostgreSQL store under the contract, and what only a real database can show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.memory.limits import MemoryLimits
from adapters.outbound.memory.system import CountingIds, HandClock
from adapters.outbound.postgres.backlog import PostgresBacklog
from adapters.outbound.postgres.directory import REMEMBERED_SECONDS, PostgresDirectory
from adapters.outbound.postgres.erasing import BATCH
from adapters.outbound.postgres.limits import PostgresLimits
from adapters.outbound.postgres.pool import Database, StatementRefused, connect
from adapters.outbound.postgres.queue import PostgresQueue
from adapters.outbound.postgres.store import CipherCache, PostgresStore
from adapters.outbound.postgres.tables import COLUMNS
from application.inventory import BY_TYPE
from application.ports.backlog import Backlog
from application.ports.jobs import Done, Job, JobLease, LeasedJob, Outcome
from application.ports.keyring import AccountKey
from application.ports.store import JobGone, StoreUnavailable, VersionConflict
from domain.audit import AuditEntry, AuditKind
from domain.idempotency import Operation
from domain.kernel import AccountId, CarrierRef, LineId, SealBroken
from domain.lines import PhoneLine
from domain.residue import Residue
from domain.values import Label
from tests.contract.conftest import Postgres
from tests.contract.store.charges import ChargePromises
from tests.contract.store.contract import StoreContract, World
from tests.contract.store.world import opened

ENVIRONMENT = "test"
PUBLIC = "SELECT commitment FROM audit_recent UNION ALL SELECT commitment FROM audit_log"


@dataclass(kw_only=True)
class PostgresWorld(World):
    queue: PostgresQueue
    database: Database
    dsn: str
    postgres: Postgres

    @property
    def backlog(self) -> Backlog:
        return PostgresBacklog(self.database)

    async def entries(self, account_id: AccountId) -> list[AuditEntry]:
        async with self.store.begin(account_id) as tx:
            rows = await tx.records.page(BY_TYPE[AuditEntry], None, 100)
        return [AuditEntry(**{**row, "kind": AuditKind(row["kind"])}) for row in rows]

    async def public_log(self) -> set[bytes]:
        return {row[0] for row in await self.database.fetch(PUBLIC)}

    async def strike(self) -> None:
        await self.postgres.drop(self.dsn)


class DriversIds(CountingIds):
    """Ids of the driver's own subclass of UUID: in C, equal and alike in all but name, they cost a page much less."""

    def new(self, after: datetime | None = None) -> UUID:
        return asyncpg.pgproto.pgproto.UUID(super().new(after).bytes)


@asynccontextmanager
async def fresh(postgres: Postgres) -> AsyncIterator[PostgresWorld]:
    dsn = await postgres.database("store")
    clock, keyring = HandClock(), MemoryKeyring()
    ids = DriversIds(clock)
    async with connect(dsn, least=1, most=4) as database:
        store = PostgresStore(database, keyring, ids, environment=ENVIRONMENT)
        directory, queue = (
            PostgresDirectory(database, keyring, environment=ENVIRONMENT),
            PostgresQueue(database),
        )
        yield PostgresWorld(
            store=store, directory=directory, queue=queue, keyring=keyring, clock=clock, ids=ids,
            database=database, dsn=dsn, postgres=postgres, limits=PostgresLimits(database, keyring),
        )  # fmt: skip
    await postgres.drop(dsn)  # it lies in memory: some 18 MB


@pytest.fixture
async def world(postgres: Postgres) -> AsyncIterator[PostgresWorld]:
    async with fresh(postgres) as made:
        yield made


class TestPostgresStore(StoreContract):
    pass


async def test_two_commits_cannot_each_rely_on_what_the_other_changes(world: PostgresWorld) -> None:
    account_id = await world.account()
    one, two = await world.line(account_id), await world.line(account_id)

    async def change(written: PhoneLine, required_unchanged: PhoneLine) -> None:
        async with world.store.begin(account_id) as tx:
            mine = await tx.lines.get(written.id)
            mine.relabel(Label("changed"))
            tx.save(mine)
            tx.require_unchanged(await tx.lines.get(required_unchanged.id))

    # A third party holds `two` back, so that both statements are under way before either can end.
    gate = await asyncpg.connect(world.dsn)
    try:
        async with gate.transaction():
            await gate.execute("SELECT FROM phone_lines WHERE id = $1 FOR UPDATE", two.id)
            first = asyncio.create_task(change(two, one))
            await waiting_for_locks(world, 1)
            second = asyncio.create_task(change(one, two))
            await waiting_for_locks(world, 2)
    finally:
        await gate.close()
    ways = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(way) for way in ways].count(VersionConflict) == 1


async def test_a_commit_under_way_is_erased_with_the_rest_or_refused(world: PostgresWorld) -> None:
    account_id = await world.account()
    await world.keyring.open(account_id)
    gate = await asyncpg.connect(world.dsn)
    try:
        async with gate.transaction():
            await gate.execute("SELECT FROM accounts WHERE id = $1 FOR UPDATE", account_id)
            late = asyncio.create_task(world.commit(account_id, world.new_session(account_id)))
            await waiting_for_locks(world, 1)
            erasing = asyncio.create_task(world.store.delete_rows(account_id))
            await waiting_for_locks(world, 2)
    finally:
        await gate.close()
    await asyncio.wait({late, erasing})
    assert late.exception() is None or isinstance(late.exception(), VersionConflict)
    assert sum((await world.store.count_rows(account_id)).values()) == 0


async def waiting_for_locks(world: PostgresWorld, sessions: int) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(5):
        while (await world.database.first(waiting))[0] != sessions:  # noqa: ASYNC110 - PostgreSQL sets no event
            await asyncio.sleep(0.005)


async def test_a_lease_that_passed_on_ends_nothing(world: PostgresWorld) -> None:
    job = await one_job(world)
    (first,) = await world.queue.take(1)
    await world.database.execute("UPDATE jobs SET due_at = now()")  # the first worker was silent for too long
    (second,) = await world.queue.take(1)
    assert (second.job, second.lease.job_id) == (job, first.lease.job_id)
    assert second.lease.token > first.lease.token
    before = await world.traces(job.account_id)
    with pytest.raises(JobGone):
        await end(world, first)
    assert await world.traces(job.account_id) == before
    assert not await world.queue.holds(job.account_id, first.lease)
    assert await world.queue.holds(job.account_id, second.lease)
    await end(world, second)
    assert await world.queue.waiting() == 0


async def test_a_commit_that_holds_a_job_renews_its_lease_and_says_so_in_time(world: PostgresWorld) -> None:
    job = await one_job(world)
    (leased,) = await world.queue.take(1)
    ends = "SELECT due_at - now() FROM jobs"
    for lasts in (timedelta(hours=1), timedelta(hours=2)):
        async with world.store.begin(job.account_id) as tx:
            tx.hold(replace(leased.lease, lasts=lasts))
        assert timedelta() < lasts - (await world.database.first(ends))[0] < timedelta(minutes=5)
    with pytest.raises(StoreUnavailable):
        async with world.store.begin(job.account_id) as tx:
            tx.hold(replace(leased.lease, lasts=timedelta(microseconds=3)))


async def test_a_job_that_was_not_leased_cannot_be_ended(world: PostgresWorld) -> None:
    job = await one_job(world)
    row = await world.database.first("SELECT id, token FROM jobs")
    with pytest.raises(JobGone):
        await end(world, LeasedJob(job, JobLease(*row), 0, world.clock.now()))
    assert await world.queue.waiting() == 1


async def test_a_job_that_its_commit_has_ended_costs_no_further_statement(
    world: PostgresWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, execute, began = [], Database.execute, asyncio.Event()

    async def noted(database: Database, statement: str, *values: object) -> int:
        asked.append(statement)
        return await execute(database, statement, *values)

    async def handle(delivery: LeasedJob) -> Outcome:
        await end(world, delivery)
        began.set()
        return Done()

    await one_job(world)
    monkeypatch.setattr(Database, "execute", noted)
    running = asyncio.create_task(world.queue.run(handle))
    await asyncio.wait_for(began.wait(), world.patience)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await world.queue.waiting() == 0
    assert asked == []
    assert world.database.ended == set(), "what is over is not remembered"


async def one_job(world: PostgresWorld) -> Job:
    account_id = await world.account()
    line = world.ordered_line(account_id)
    await world.commit(account_id, line)
    await world.queue.shift(timedelta(hours=1))
    return Job("complete_purchase", account_id, line.id)


async def end(world: PostgresWorld, delivery: LeasedJob) -> None:
    async with world.store.begin(delivery.job.account_id, completing=delivery.lease) as tx:
        tx.save(world.new_line(delivery.job.account_id))


async def test_only_what_changed_is_sealed_anew(world: PostgresWorld) -> None:
    account_id = await world.account()
    select = "SELECT password, locale, display_name FROM accounts"
    before = await world.database.first(select)
    async with world.store.begin(account_id) as tx:
        account = await tx.accounts.get()
        account.change_profile(Label("changed"), None, world.clock.now())
        tx.save(account)
    after = await world.database.first(select)
    assert (after["password"], after["locale"]) == (before["password"], before["locale"])
    assert after["display_name"] != before["display_name"]


async def test_a_ciphertext_moved_to_another_row_or_column_does_not_open(world: PostgresWorld) -> None:
    account_id = await world.account()
    one, two = await world.line(account_id), await world.line(account_id)
    for move in (
        "UPDATE phone_lines a SET number = b.number FROM phone_lines b WHERE a.id = $1 AND b.id <> $1",
        "UPDATE phone_lines SET label = number WHERE id = $1",
    ):
        await world.database.execute(move, one.id)
        with pytest.raises(SealBroken):
            await world.read_line(one)
    await world.read_line(two)


async def test_nothing_personal_lies_in_any_column(world: PostgresWorld) -> None:
    has = await world.belongings()
    account_id = await world.account(email="noa@example.com")
    await world.commit(account_id, world.new_record(account_id, Operation("key of noa", "request of noa")))
    planted = [
        has.line.number,
        has.conversation.peer,
        has.message.body,
        has.session.token or "",
        "key of",
        "request of",
    ]
    planted += ["noa@example.com", "Noa", "he-IL", "argon2id"]
    for table in (name for name in COLUMNS if name != "alembic_version"):
        for row in await world.database.fetch(f"SELECT * FROM {table}"):  # noqa: S608 - of constants
            for value in row.values():
                raw = value if isinstance(value, bytes) else str(value).encode()
                assert not any(text.encode() in raw for text in planted), table
    async with world.store.begin(account_id) as tx:
        assert (await tx.accounts.get()).email == "noa@example.com"


async def test_errors_quote_nothing_and_carry_nothing_along(world: PostgresWorld) -> None:
    secret = "+15551234567"
    for statement, *values in (
        (
            "INSERT INTO directory VALUES ($1, '', gen_random_uuid(), gen_random_uuid())",
            secret,
        ),
        ("SELECT $1::integer", secret),
        ("SELECT $1::text::integer", secret),
    ):
        with pytest.raises(StatementRefused) as refused:
            await world.database.fetch(statement, *values)
        assert secret not in f"{refused.value!r}"
        assert (refused.value.__context__, refused.value.__cause__) == (None, None)
    account_id = await world.account(email=f"{secret}@example.com")
    with pytest.raises(VersionConflict) as stale:
        await world.commit(
            account_id, replace(world.new_account(email=f"{secret}@example.com"), id=account_id)
        )
    assert (str(stale.value), stale.value.__context__, stale.value.__cause__) == (
        str(VersionConflict()),
        None,
        None,
    )


async def test_a_connection_that_failed_otherwise_than_by_the_database_is_dropped(postgres: Postgres) -> None:
    async with connect(await postgres.database("dropped"), least=1, most=1) as database:
        pid = "SELECT pg_backend_pid()"
        first = (await database.first(pid))[0]
        with pytest.raises(StatementRefused):
            await database.fetch("SELECT 1/0")
        assert (await database.first(pid))[0] == first, (
            "what the database refuses says nothing about the connection"
        )
        with pytest.raises(StoreUnavailable):
            await database.fetch("SELECT $1::integer", 1, 2)
        assert (await database.first(pid))[0] != first


async def test_a_connection_whose_statement_was_cancelled_is_dropped_and_its_statement_ended(
    postgres: Postgres,
) -> None:
    async with connect(await postgres.database("cancel"), least=1, most=1) as database:
        pid = "SELECT pg_backend_pid()"
        for _ in range(3):
            before = (await database.first(pid))[0]
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await database.fetch("SELECT pg_sleep(5)")
            assert (await database.first(pid))[0] != before
            asleep = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1"
            assert (await database.first(asleep, before))[0] == 0, "it took its place until it had ended"


@pytest.mark.parametrize(
    "failure", [asyncpg.InternalClientError, asyncpg.ProtocolError, asyncpg.InterfaceError, RuntimeError]
)
async def test_what_the_driver_fails_with_is_an_outage_and_costs_the_connection(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    async def fails(*_: object) -> None:
        raise failure("+15551234567")

    async with connect(await postgres.database("driver"), least=1, most=1) as database:
        before = (await database.first("SELECT pg_backend_pid()"))[0]
        with monkeypatch.context() as patch:
            patch.setattr(asyncpg.Connection, "fetch", fails)
            with pytest.raises(StoreUnavailable) as told:
                await database.fetch("SELECT 1")
        assert (told.value.__context__, told.value.__cause__) == (None, None)
        assert (await database.first("SELECT pg_backend_pid()"))[0] != before


async def test_connections_are_few_and_come_back_after_they_were_cut(postgres: Postgres) -> None:
    dsn = await postgres.database("few")
    async with connect(dsn, least=2, most=3) as database:
        count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        assert (await database.first(count))[0] == 2
        await asyncio.gather(*(database.fetch("SELECT pg_sleep(0.02)") for _ in range(12)))
        assert (await database.first(count))[0] == 3
        await postgres.interrupt(dsn)
        await asyncio.sleep(0.1)
        assert (await database.first("SELECT 1"))[0] == 1
    with pytest.raises(StoreUnavailable):
        await database.fetch("SELECT 1")


async def test_a_database_that_cannot_be_reached_is_unavailable(postgres: Postgres) -> None:
    dsn = await postgres.database("gone")
    await postgres.drop(dsn)
    for nowhere in (dsn, "postgresql://pico@127.0.0.1:1/pico", "postgresql://pico@/pico?host=/nowhere"):
        with pytest.raises(StoreUnavailable):
            async with connect(nowhere, least=1):
                pass


async def test_more_rows_than_a_batch_are_deleted_and_counted(world: PostgresWorld) -> None:
    account_id = await world.account()
    rows = (
        "INSERT INTO idempotency_records (account_id, id, resource_id, expires_at, key, request, seal, version)"
        " SELECT $1, gen_random_uuid(), $1, now(), int4send(n), '', '', 1 FROM generate_series(1, $2::int) n"
    )
    await world.database.execute(rows, account_id, BATCH * 2 + 1)
    assert (await world.store.delete_rows(account_id))["idempotency_records"] == BATCH * 2 + 1
    assert sum((await world.store.count_rows(account_id)).values()) == 0


async def test_a_line_is_remembered_for_a_while_unless_asked_for_afresh(world: PostgresWorld) -> None:
    now = 0.0
    directory = PostgresDirectory(
        world.database, world.keyring, environment=ENVIRONMENT, monotonic=lambda: now
    )
    line = await world.line(await world.account())
    assert await directory.line(line.number) == (line.account_id, line.id)
    async with world.store.begin(line.account_id) as tx:
        mine = await tx.lines.get(line.id)
        mine.released(world.clock.now())
        tx.save(mine)
    assert await directory.line(line.number) == (line.account_id, line.id)
    now = REMEMBERED_SECONDS
    assert await directory.line(line.number) is None
    heir = await world.line(line.account_id, number=line.number)
    assert await directory.line(line.number) == (heir.account_id, heir.id)
    await world.store.delete_rows(line.account_id)
    assert await directory.line(line.number, fresh=True) is None
    assert await directory.line(line.number) is None, "what was found out afresh is remembered"


async def test_a_remembered_token_opens_nothing_once_its_session_was_revoked_elsewhere(
    world: PostgresWorld,
) -> None:
    account_id = await world.account()
    session = world.new_session(account_id, token="pico_s1_here")
    await world.commit(account_id, session)
    here, elsewhere = (
        PostgresDirectory(world.database, world.keyring, environment=ENVIRONMENT) for _ in range(2)
    )
    for directory in (here, here, elsewhere):
        assert await directory.session("pico_s1_here") == opened(session)
    async with world.store.begin(account_id) as tx:
        mine = await tx.sessions.get(session.id)
        mine.revoke(world.clock.now())
        tx.save(mine)
    for directory in (here, elsewhere, here):
        assert await directory.session("pico_s1_here") is None


def test_working_keys_are_kept_as_long_as_the_very_key() -> None:
    one = AccountId(uuid4())
    key, same = AccountKey(1, bytes(32)), AccountKey(1, bytes(32))
    ciphers = CipherCache("test")
    first = ciphers.open(one, key)
    assert ciphers.open(one, key) is first
    assert ciphers.open(one, same) is not first, "the keyring has let go of the key meanwhile"
    assert ciphers.kept == 2
    del key
    assert ciphers.kept == 1


async def test_a_residue_list_that_somebody_altered_is_not_believed(world: PostgresWorld) -> None:
    entry = Residue.number(AccountId(uuid4()), CarrierRef("PN1"), LineId(uuid4())).missed(world.clock.now())
    alterations = [
        f"account_id = '{uuid4()}'", "ref = 'PN2'", f"line_id = '{uuid4()}'", "line_id = NULL", "state = 'settled'",
        "gone_at = gone_at - interval '1 day'", "gone_at = NULL", "holding = 'message'", r"seal = '\x00'",
    ]  # fmt: skip
    for altered in alterations:
        await world.database.execute("DELETE FROM residue")
        await world.store.add_residue([entry])
        await world.database.execute(f"UPDATE residue SET {altered}")  # noqa: S608 - all of them stand here
        (account_id,) = await world.database.first("SELECT account_id FROM residue")
        with pytest.raises(SealBroken):
            await world.store.residue(AccountId(account_id), None, 9)


async def test_limits_that_are_counted_elsewhere_are_taken_before_the_commit(world: PostgresWorld) -> None:
    elsewhere = replace(world, limits=MemoryLimits())
    await ChargePromises().test_what_is_not_left_is_refused_and_nothing_of_the_commit_is_kept(elsewhere)
    await ChargePromises().test_a_lost_race_takes_once_and_what_fails_takes_nothing(elsewhere)
