"""Readiness of PostgreSQL: what a full disk, an outage and a refusal to write look like from outside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest

from adapters.outbound.postgres.pool import Database, StatementRefused, connect
from adapters.outbound.postgres.readiness import LOOK_SECONDS, Readiness
from application.ports.store import StoreFull, StoreUnavailable
from tests.contract.conftest import Postgres

FULL = """
CREATE FUNCTION no_room() RETURNS event_trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE 'could not extend file' USING ERRCODE = '{sqlstate}'; END $$;
CREATE EVENT TRIGGER no_room ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION no_room();
"""
"""What a database does that has no room left: it reads, and makes no file longer."""
ROOM = "DROP EVENT TRIGGER no_room; DROP FUNCTION no_room()"


@dataclass
class Probed:
    """Two databases, as the product has, and the clock by which they are looked at."""

    postgres: Postgres
    addresses: tuple[str, ...]
    databases: tuple[Database, ...]
    now: float = 0.0

    def __post_init__(self) -> None:
        self.ready = Readiness(self.databases, monotonic=lambda: self.now)

    async def tell(self, which: int, statements: str) -> None:
        connection = await asyncpg.connect(self.addresses[which])
        await connection.execute(statements)
        await connection.close()


@pytest.fixture
async def probed(postgres: Postgres) -> AsyncIterator[Probed]:
    addresses = await postgres.bare("ready"), await postgres.bare("ready_keys")
    async with connect(addresses[0], least=1, most=4) as rows, connect(addresses[1], least=1, most=4) as keys:
        yield Probed(postgres, addresses, (rows, keys))


@pytest.mark.parametrize("which", [0, 1])
async def test_a_full_disk_is_told_and_so_is_room(probed: Probed, which: int) -> None:
    await probed.ready()
    await probed.tell(which, FULL.format(sqlstate="53100"))
    probed.now += LOOK_SECONDS
    for _ in range(2):
        with pytest.raises(StoreFull):
            await probed.ready()
    await probed.tell(which, ROOM)
    probed.now += LOOK_SECONDS
    await probed.ready()


async def test_a_database_that_takes_no_writes_is_not_ready(probed: Probed) -> None:
    await probed.tell(0, FULL.format(sqlstate="58030"))
    with pytest.raises(StoreUnavailable):
        await probed.ready()


async def test_every_write_tells_a_full_disk_from_an_outage(probed: Probed) -> None:
    await probed.tell(0, FULL.format(sqlstate="53100"))
    with pytest.raises(StoreFull):
        await probed.databases[0].fetch("CREATE TABLE more (it text)")


@pytest.mark.parametrize("which", [0, 1])
async def test_an_outage_is_told_at_once_and_so_is_its_end(probed: Probed, which: int) -> None:
    await probed.ready()
    async with probed.postgres.hidden(probed.addresses[which]):
        with pytest.raises(StoreUnavailable):
            await probed.ready()
    await probed.ready()


async def test_many_who_ask_at_once_cost_one_write_which_leaves_nothing(probed: Probed) -> None:
    made = "CREATE TABLE writes (at timestamptz); CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql AS"
    made += " $$ BEGIN INSERT INTO writes VALUES (now()); END $$;"
    made += (
        " CREATE EVENT TRIGGER noted ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION noted()"
    )
    await probed.tell(0, made)
    await asyncio.gather(*(probed.ready() for _ in range(50)))
    assert (await probed.databases[0].first("SELECT count(*) FROM writes"))[0] == 1
    left = "SELECT count(*) FROM pg_class WHERE relname = 'pico_probe'"
    assert (await probed.databases[0].first(left))[0] == 0


async def test_a_defect_is_not_called_an_outage(probed: Probed) -> None:
    with pytest.raises(StatementRefused):
        await probed.databases[0].fetch("SELECT nonsense")
