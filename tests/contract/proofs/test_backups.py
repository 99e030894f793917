"""Backups: how long they are kept, what they hold, and that a set restores as it was."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from adapters.outbound.postgres.schema import migrate, migrate_keyring
from bootstrap.backups import Backups, Kind, made_at, restore
from bootstrap.postgres_cluster import our_programs
from domain.retention import Retention
from tests.contract.conftest import Postgres
from tests.support.proofs import proves

AT = datetime(2027, 3, 1, 12, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@dataclass(frozen=True)
class Shelf:
    """Makes backups. A saboteur hands over another class, or other periods."""

    postgres: Postgres
    folder: Path
    made: type[Backups] = Backups
    retention: Retention = field(default_factory=Retention)

    def backups(self) -> Backups:
        return self.made(self.folder, self.retention)

    async def urls(self) -> dict[Kind, str]:
        """Return two databases with something in them."""
        found = {
            Kind.STORE: await self.postgres.database("store"),
            Kind.KEYRING: await self.postgres.bare("keys"),
        }
        await migrate(found[Kind.STORE])
        await migrate_keyring(found[Kind.KEYRING])
        return found


@pytest.fixture
def shelf(postgres: Postgres, tmp_path: Path) -> Shelf:
    return Shelf(postgres, tmp_path / "backups")


class KeepsAll(Backups):
    """Who knows when a backup will be needed?"""

    @override
    def remove_old(self, now: datetime) -> list[Path]:
        return []


class AllInOne(Backups):
    """One folder is easier to look after."""

    @override
    def back_up(self, urls: dict[Kind, str], now: datetime) -> list[Path]:  # type: ignore[override]
        made = super().back_up(urls, now)
        return [path.rename(self.folder / path.name) for path in made]


def keeps_all(shelf: Shelf) -> Shelf:
    return replace(shelf, made=KeepsAll)


def all_in_one(shelf: Shelf) -> Shelf:
    return replace(shelf, made=AllInOne)


def hurries(shelf: Shelf) -> Shelf:
    """Keep backups for a day."""
    rule = replace(Retention().backup, keep=DAY)
    return replace(shelf, retention=replace(Retention(), backup=rule))


def keeps_keys_as_long(shelf: Shelf) -> Shelf:
    """Keep keys for as long as rows."""
    rule = replace(Retention().keyring_backup, keep=30 * DAY)
    return replace(shelf, retention=replace(Retention(), keyring_backup=rule))


def listed(path: Path) -> str:
    """Return what a set says that it holds."""
    command = [str(our_programs() / "pg_restore"), "--list", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@proves("T4", text="9b614f4e75ca", saboteur=keeps_all, says="a backup is kept for too long")
@proves("T4", text="9b614f4e75ca", saboteur=hurries, says="a backup went before its time")
async def test_a_backup_is_kept_for_thirty_days_and_no_longer(shelf: Shelf) -> None:
    backups, urls = shelf.backups(), await shelf.urls()
    (made,) = backups.back_up({Kind.STORE: urls[Kind.STORE]}, AT)
    assert made_at(made) == AT
    assert made.stat().st_mode & 0o777 == 0o600
    backups.remove_old(AT + 30 * DAY - SECOND)
    assert made.exists(), "a backup went before its time"
    backups.remove_old(AT + 30 * DAY)
    assert not made.exists(), "a backup is kept for too long"


@proves("H20", text="5ceed54c215f", saboteur=keeps_keys_as_long, says="a backup of keys is kept for too long")
@proves("H20", text="5ceed54c215f", saboteur=all_in_one, says="keys lie beside what they open")
async def test_keys_are_backed_up_apart_and_for_seven_days(shelf: Shelf) -> None:
    backups, urls = shelf.backups(), await shelf.urls()
    made = backups.back_up(urls, AT)
    assert len({path.parent for path in made}) == 2, "keys lie beside what they open"
    rows, keys = map(listed, made)
    assert ("account_keys" in rows, "account_keys" in keys) == (False, True)
    assert ("messages" in rows, "messages" in keys) == (True, False)
    backups.remove_old(AT + 7 * DAY - SECOND)
    assert all(path.exists() for path in made)
    backups.remove_old(AT + 7 * DAY)
    assert not backups.sets(Kind.KEYRING), "a backup of keys is kept for too long"
    assert backups.sets(Kind.STORE) == [made[0]]


async def test_a_set_restores_as_it_was_and_a_damaged_one_changes_nothing(
    postgres: Postgres, tmp_path: Path
) -> None:
    import asyncpg

    from bootstrap.backups import BackupFailed

    shelf = Shelf(postgres, tmp_path / "backups")
    urls, backups = await shelf.urls(), shelf.backups()
    connection = await asyncpg.connect(urls[Kind.STORE])
    await connection.execute("INSERT INTO ledger_place VALUES (1, 1, 'head')")
    (made,) = backups.back_up({Kind.STORE: urls[Kind.STORE]}, AT)
    await connection.execute("UPDATE ledger_place SET number = 2; CREATE TABLE later (id int)")
    damaged = made.with_name("store-damaged.dump")
    damaged.write_bytes(made.read_bytes()[:200])
    with pytest.raises(BackupFailed):
        await restore(damaged, urls[Kind.STORE])
    assert await connection.fetchval("SELECT number FROM ledger_place") == 2
    await restore(made, urls[Kind.STORE])
    assert await connection.fetchval("SELECT number FROM ledger_place") == 1
    assert await connection.fetchval("SELECT to_regclass('later')") is None
    await connection.close()
    busy = await asyncpg.connect(urls[Kind.STORE], server_settings={"application_name": "pico"})
    with pytest.raises(BackupFailed, match="stop it first"):
        await restore(made, urls[Kind.STORE])
    await busy.close()
