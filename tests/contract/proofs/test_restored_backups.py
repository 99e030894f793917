"""A backup that is restored brings nobody back, and nothing is served before it was looked at."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest
from typing_extensions import override

from application.ports.keyring import KeyGone
from application.ports.ledger import LedgerBehind, LedgerBroken, LedgerOther
from application.restore_gate import Replayed, RestoreGate, Restoring
from application.sessions import Unauthenticated
from bootstrap.admission import Admission
from domain.kernel import SealBroken
from domain.lines import LineNotActive, LineState
from tests.support.backup import Backup
from tests.support.canary_account import Planted, lived
from tests.support.harness import Databases, OnPostgres
from tests.support.http_world import HttpWorld
from tests.support.proofs import proves, refused

DAY = timedelta(days=1)
MANY = int(os.environ.get("PICO_RESTORED_ERASURES", "3"))
"""Erasures after the backup."""


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
