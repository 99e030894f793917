"""The floors of two benchmarks do what the product does, of every kind of record: else their ratios mean nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.outbound.memory.byte_store import MemoryByteStore
from adapters.outbound.sealed.objects import SealedObjects
from application import export_building
from application.export_building import BuildExport
from benchmarks import exports
from benchmarks.check import Unequal
from benchmarks.deletions import deletions
from benchmarks.floor import exporting
from benchmarks.floor.exporting import Exporter
from benchmarks.floor.shown import TABLES, Vault
from benchmarks.population import Population
from benchmarks.product import Ground
from benchmarks.seed import seed
from domain.kernel import AccountId
from domain.retention import Retention
from domain.voicemail import VoicemailState
from tests.contract.conftest import Postgres
from tests.contract.store.test_postgres import ENVIRONMENT, PostgresWorld, fresh

SAID = ('=1+1, "quoted"', "-5", "@SUM(A1)\r\nand more", 'quotes " \\ and \x01 \u2028 שלום 👋')


@pytest.fixture
async def world(postgres: Postgres) -> AsyncIterator[PostgresWorld]:
    async with fresh(postgres) as made:
        yield made


@pytest.fixture
async def floor(world: PostgresWorld) -> AsyncIterator[Exporter]:
    async with exports.by_hand(world.dsn, ENVIRONMENT) as made:
        yield made


def build(world: PostgresWorld) -> BuildExport:
    objects = SealedObjects(MemoryByteStore(), world.keyring, ENVIRONMENT)
    return BuildExport(
        store=world.store, objects=objects, clock=world.clock, ids=world.ids, retention=Retention()
    )


async def vault(world: PostgresWorld, account_id: AccountId) -> Vault:
    return Vault(ENVIRONMENT.encode(), account_id, await world.keyring.open(account_id))


async def one_of_everything(world: PostgresWorld) -> AccountId:
    """Store it, but for files: the floor knows none."""
    has = await world.belongings()
    await world.commit(has.account_id, *(world.new_message(has.conversation, body=said) for said in SAID))
    async with world.store.begin(has.account_id) as tx:
        tx.remove(await tx.voicemails.get(has.voicemail.id))
    gone = world.new_voicemail(has.line)
    gone.state = VoicemailState.EXPIRED
    await world.commit(has.account_id, gone)
    return has.account_id


async def test_both_export_every_kind_of_record_and_every_page_for_people_alike(
    world: PostgresWorld, floor: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_building, "ROWS", 2)
    monkeypatch.setattr(exporting, "ROWS", 3)
    account_id = await one_of_everything(world)
    kinds = await world.store.count_rows(account_id)
    assert all(kinds[table.name] for table in TABLES)
    rows = await exports.compared(build(world), floor, await vault(world, account_id))
    assert rows == sum(kinds[table.name] for table in TABLES)


async def test_both_name_what_does_not_open_alike(world: PostgresWorld, floor: Exporter) -> None:
    account_id = await one_of_everything(world)
    for table, column in (
        ("messages", "body"),
        ("contacts", "note"),
        ("media", "seal"),
        ("sessions", "label"),
    ):
        await world.database.execute(f"UPDATE {table} SET {column} = {column} || '\\x00'::bytea")  # noqa: S608
    key = await vault(world, account_id)
    await exports.compared(build(world), floor, key)
    assert {table for table, _ in key.unreadable} == {"messages", "contacts", "media", "sessions"}


async def test_a_kind_of_record_that_the_floor_leaves_out_is_seen(
    world: PostgresWorld, floor: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    account_id = await one_of_everything(world)
    monkeypatch.setattr(exporting, "TABLES", [table for table in TABLES if table.name != "calls"])
    with pytest.raises(Unequal, match=r"export\.json"):
        await exports.compared(build(world), floor, await vault(world, account_id))


async def test_both_benchmarks_run(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for of in (export_building, exporting):  # several parts of several pages
        monkeypatch.setattr(of, "ROWS", 50)
        monkeypatch.setattr(of, "PART", 4_000)
    ground = Ground(
        Population(6, 360, 2_400), tmp_path / "kms", await postgres.database(), await postgres.bare()
    )
    await seed(ground.database_url, ground.keyring_url, ground.kms, ground.size, processes=1)
    made = await exports.exports(ground, 1)
    assert made.rows > 1_000
    assert len(made.ratios) == 1
    erased, purged = await deletions(ground, 1)
    assert erased.rows > 400
    assert len(purged.ratios) == 1
