"""Backups: how long they are kept, what they hold, and that one that is restored brings nobody back."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest
from typing_extensions import override

from adapters.outbound.postgres.schema import migrate, migrate_keyring
from application.ports.keyring import KeyGone
from application.ports.ledger import LedgerBehind, LedgerBroken, LedgerOther
from application.restore_gate import Replayed, RestoreGate, Restoring
from application.sessions import Unauthenticated
from bootstrap.admission import Admission
from bootstrap.backups import Backups, Kind, made_at, restore
from bootstrap.postgres_cluster import our_programs
from domain.kernel import SealBroken
from domain.lines import LineNotActive, LineState
from domain.retention import Retention
from tests.contract.conftest import Postgres
from tests.support.backup import Backup
from tests.support.canary_account import Planted, lived
from tests.support.harness import Databases, OnPostgres
from tests.support.http_world import HttpWorld
from tests.support.proofs import proves, refused

AT = datetime(2027, 3, 1, 12, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
MANY = int(os.environ.get("PICO_RESTORED_ERASURES", "3"))
"""Erasures after the backup."""

# ------------------------------------------------------------------------------------------- how long, and what


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


# ------------------------------------------------------------------------------------------- what comes back


class OpensAtOnce(RestoreGate):
    """Serves what there is."""

    @override
    async def is_behind(self) -> bool:
        return False


class OnlyLooks(RestoreGate):
    """Opens, and leaves what came back where it is."""

    @override
    async def __call__(self) -> Replayed:
        return Replayed()


class KeepsRows(RestoreGate):
    """Their keys are gone: is that not enough?"""

    @override
    async def _erase_again(self, *_: object, **__: object) -> bool:
        return False


def serves_at_once(stored: Databases) -> Databases:
    return partial(stored, restore_gate=OpensAtOnce)


def leaves_what_came_back(stored: Databases) -> Databases:
    return partial(stored, restore_gate=OnlyLooks)


def keeps_rows(stored: Databases) -> Databases:
    return partial(stored, restore_gate=KeepsRows)


async def erased(world: OnPostgres, people: list[Planted]) -> None:
    """Have people delete their accounts, and wait until they are erased."""
    for each in people:
        await world.use_cases.delete_account(each.id, each.password)
    await world.advance(30 * DAY)
    for each in people:
        assert await world.ledger.receipt(await world.fingerprint(each.id))


@proves("H12", text="953dfe32a9b9", saboteur=serves_at_once, says="it was served before it was looked at")
@proves("H12", text="953dfe32a9b9", saboteur=leaves_what_came_back, says="an erased account is back")
@proves("H12", text="953dfe32a9b9", saboteur=keeps_rows, says="an erased account is back")
async def test_a_restored_backup_serves_nobody_who_was_erased_after_it(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        leaving = [await lived(world) for _ in range(MANY)]
        wrapped = [await world.row("account_keys", account_id=each.id) for each in leaving]
        backup = await Backup.of(world)
        await erased(world, leaving)
        await backup.restore()
        assert len(await world.rows("messages", account_id=leaving[0].id)) == 2
        await world.pool.executemany(  # and somebody restored the keys, too
            "INSERT INTO account_keys (account_id, version, key_id, master, wrapped) VALUES ($1, $2, $3, $4, $5)",
            [
                [row[name] for name in ("account_id", "version", "key_id", "master", "wrapped")]
                for row in wrapped
            ],
        )

        admission = Admission(world.use_cases.restore_gate)
        begun: list[bool] = []

        async def admitted() -> None:
            if begun:  # whoever tests has read the document by then
                await admission()

        async with HttpWorld.running(world, admitted=admitted) as http:
            await admission.check()
            begun.append(True)
            for path in ("/v1/account", "/v1/sessions", "/nowhere", "/docs", "/openapi.json", "/"):
                for each in (*leaving, ada):
                    answer = await http.call("GET", path, token=str(each.token))
                    assert answer.status == 503, "it was served before it was looked at"
                    assert (answer.code, "Retry-After" in answer.headers) == ("restoring", True)
            credentials = {"email": str(leaving[0].email), "password": str(leaving[0].password)}
            assert (await http.call("POST", "/v1/sessions", credentials)).status == 503
            assert (await http.call("GET", "/healthz")).status == 200

            await admission.until_open()
            for each in leaving:
                rows = await world.store.count_rows(each.id)
                assert sum(rows.values()) == 0, "an erased account is back"
                with pytest.raises(KeyGone):
                    await world.opened(each.id)
            assert (await http.call("POST", "/v1/sessions", credentials)).status == 401
            credentials = {"email": str(ada.email), "password": str(ada.password)}
            assert (await http.call("POST", "/v1/sessions", credentials)).status == 201
        assert ada.heard in await world.opened(ada.id)
        assert not await world.use_cases.restore_gate.is_behind()
        assert await world.use_cases.restore_gate() == Replayed()


async def test_what_was_over_stays_over_in_a_restored_backup(stored: Databases) -> None:
    async with stored() as world:
        ada, ben = await lived(world), await lived(world)
        (conversation,) = (await world.use_cases.list_conversations(ada.id, None, None, 9)).items
        gone, kept = (await world.use_cases.list_messages(ada.id, conversation.id, None, 9)).items
        backup = await Backup.of(world)
        await world.use_cases.delete_message(ada.id, gone.id)
        other = await world.use_cases.sign_in(ada.email, ada.password)
        await world.use_cases.sign_out(ada.id, ada.signed_in.session.id)
        await ada.gives_up()
        await world.advance(8 * DAY)
        assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.RELEASED
        await world.use_cases.delete_account(ben.id, ben.password)
        await backup.restore()

        admission = Admission(world.use_cases.restore_gate)
        await admission.check()
        assert not admission.is_open
        await admission.until_open()
        page = await world.use_cases.list_messages(ada.id, conversation.id, None, 9)
        shown = [message.body for message in page.items if message.id == gone.id]
        assert shown in ([], [None]), "a deleted message can be read again"
        assert kept.id in {message.id for message in page.items}
        assert await world.use_cases.list_sessions(ada.id) is not None
        for token in (ada.token, other.token):
            with pytest.raises(Unauthenticated):
                await world.use_cases.authenticate(token)
        with pytest.raises((LineNotActive, SealBroken)):
            await ada.sends("from a number that is somebody else's by now")
        async with world.store.begin(ben.id) as tx:
            assert not (await tx.accounts.get_even_broken()).is_active, (
                "who asked to be erased has to ask again"
            )
        await world.advance(31 * DAY)
        assert await world.ledger.receipt(await world.fingerprint(ben.id)), (
            "nobody was erased who asked for it"
        )


async def test_an_erasure_that_was_under_way_at_the_backup_is_finished(stored: Databases) -> None:
    """Its keys went after the backup: its own steps could not be taken again."""
    async with stored() as world:
        ada = await lived(world)
        await world.use_cases.delete_account(ada.id, ada.password)
        world.clock.advance(30 * DAY)
        await world.use_cases.sweep()
        backup = await Backup.of(world)
        await world.settle()
        await world.advance(DAY)
        assert await world.ledger.receipt(await world.fingerprint(ada.id))
        await backup.restore()
        await Admission(world.use_cases.restore_gate).until_open()
        assert sum((await world.store.count_rows(ada.id)).values()) == 0
        await world.advance(DAY)
        assert await world.ledger.pending() == []


def missing(file: Path) -> None:
    file.unlink()


def cut_short(file: Path) -> None:
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))


def edited(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b'"keys":1', b'"keys":0'))


def another_one(file: Path) -> None:
    """Write it as if it were from before records were chained."""
    lines = [line.partition(b',"chain"')[0] + b"}" for line in file.read_bytes().splitlines()]
    file.write_bytes(b"\n".join([lines[0].replace(b"2026", b"2025"), *lines[1:]]) + b"\n")


@pytest.mark.parametrize(
    ("damage", "error"),
    [(missing, LedgerBehind), (cut_short, LedgerBehind), (edited, LedgerBroken), (another_one, LedgerOther)],
)
async def test_with_a_ledger_that_is_not_the_one_it_knows_nothing_starts(
    stored: Databases, damage: Callable[[Path], None], error: type[Exception]
) -> None:
    async with stored() as world:
        await erased(world, [await lived(world)])
        file = world.folder / "ledger" / "erasures.jsonl"
        damage(file)
        with refused(error, "it starts all the same"):
            await Admission(world.use_cases.restore_gate).check()
        assert error.__doc__
        assert "served" in error.__doc__, "it does not say why"


async def test_while_the_gate_is_closed_it_tries_again(stored: Databases) -> None:
    class Failing(RestoreGate):
        failures: ClassVar = [LedgerBroken, LedgerBroken]

        @override
        async def __call__(self) -> Replayed:
            if self.failures:
                raise self.failures.pop()
            return await super().__call__()

    async with stored(restore_gate=Failing) as world:
        await lived(world)
        admission = Admission(world.use_cases.restore_gate, timedelta())
        with refused(Restoring, "it is open before it was looked at"):
            await admission()
        await admission.until_open()
        await admission()


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
