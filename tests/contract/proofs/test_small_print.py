"""The small print about every day: what lies where, for how long, and what nobody may read."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from adapters.outbound.postgres import keyring
from adapters.outbound.postgres.sealing import FORMAT, AccountVault, SealBroken, Sealer
from adapters.outbound.postgres.store import PostgresStore
from adapters.outbound.postgres.tables import COLUMNS
from application.delivery import PurgeCopy, StatusReport
from application.exports import DownloadExport
from application.inventory import INVENTORY
from application.messaging import DeleteConversation, DeleteMessage
from domain.erasure import Erasure
from domain.exports import ExportNotReady
from domain.kernel import AccountId, ConversationId, ExportId, Kind, MessageId, NotFound
from domain.messaging import Message, Status
from domain.policy import DATA_MAP, END
from domain.retention import Retention
from tests.contract.proofs.lives import lived
from tests.contract.proofs.worlds import ENVIRONMENT, Databases, OnPostgres, Worlds, in_clear
from tests.contract.test_policy import POLICY
from tests.policy import proves
from tests.unit.people import STRANGER, with_line

MOMENT, MINUTE, HOUR, DAY = (
    timedelta(microseconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)

# ------------------------------------------------------------------------------------------- what lies where

SHAPES = {
    Kind.ID: {"uuid"}, Kind.REF: {"character varying"}, Kind.TIME: {"timestamp with time zone", "date"},
    Kind.ENUM: {"USER-DEFINED", "ARRAY", "character varying"}, Kind.COUNT: {"integer"}, Kind.INDEX: {"bytea"},
    Kind.SEALED: {"bytea"},
}  # fmt: skip
MAPPED = sorted(of.name for of in INVENTORY)
ABOUT_PEOPLE = {*MAPPED, "audit_log", "erasures"}
"""Our tables with rows about a person. The queue's own are H18's."""


def has_room_for_notes(stored: Databases) -> Databases:
    return partial(stored, sql="ALTER TABLE accounts ADD COLUMN notes text")


def takes_any_word(stored: Databases) -> Databases:
    return partial(stored, sql="ALTER TABLE messages ALTER COLUMN ref TYPE text")


def takes_plain_text(stored: Databases) -> Databases:
    return partial(stored, sql="ALTER TABLE messages DROP CONSTRAINT messages_body_is_sealed")


@proves("H2", text="23b85e8a6bb6", saboteur=has_room_for_notes)
@proves("H2", text="23b85e8a6bb6", saboteur=takes_any_word)
@proves("H2", text="23b85e8a6bb6", saboteur=takes_plain_text)
@proves("H2", text="23b85e8a6bb6", saboteur=in_clear("phone_lines.label"))
async def test_there_is_nothing_and_no_room_for_anything_but_the_seven_kinds(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        await world.do.start_export(ada.id)
        await world.settle()
        await world.store.checkpoint(Erasure(account_id=ada.id, began_at=world.clock.now()))
        every = await columns(world)
        assert {table for table, _ in every} == COLUMNS.keys() | keyring.COLUMNS.keys()
        assert [
            (table, name) for table, name in every if table in MAPPED and (table, name) not in data_map()
        ] == [(table, "version") for table in MAPPED]
        shapes = {place: shape for place, shape in every.items() if place[0] in ABOUT_PEOPLE}
        kinds = {(table, column): COLUMNS[table].get(column) for table, column in shapes}
        assert [place for place, kind in kinds.items() if not kind or shapes[place] not in SHAPES[kind]] == []
        by_place = {place: kind for place, kind in kinds.items() if kind not in {None, Kind.INDEX}}
        assert [place for place in by_place if await takes_a_sentence(world, *place, shapes[place])] == []
        vault = AccountVault(ENVIRONMENT, ada.id, await world.keyring.open(ada.id))
        for table in sorted(ABOUT_PEOPLE):
            rows = await world.rows(table)
            assert rows, f"{table} was not looked at"
            for row in rows:
                for column, value in row.items():
                    assert value is None or is_of_kind(vault, table, column, row, kinds[table, column])


def data_map() -> set[tuple[str, str]]:
    """Return the columns that PRIVACY.md lists, by table and name."""
    lines = POLICY.partition(DATA_MAP)[2].partition(END)[0].splitlines()[3:]
    cells = (line.strip("| ").split(" | ") for line in lines)
    return {(table, field.replace(", to find it", "_index")) for table, field, *_ in cells}


async def columns(world: OnPostgres) -> dict[tuple[str, str], str]:
    """Return the type of every column there is, by table and name."""
    live = (
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
        " ORDER BY 1, 2"
    )
    return {(table, column): shape for table, column, shape in await world.pool.fetch(live)}


def is_of_kind(
    vault: AccountVault, table: str, column: str, row: Mapping[str, Any], kind: Kind | None
) -> bool:
    """Tell whether a value looks as its kind must; a sealed one must open in its place."""
    value = row[column]
    words = [value] if isinstance(value, str) else value
    match kind:
        case Kind.SEALED:
            looks = value[:1] == FORMAT and opens(vault.column(table, column), row["id"].bytes, value)
        case Kind.INDEX:
            looks = len(value) == 32
        case Kind.REF:
            looks = bool(re.fullmatch(r"[A-Za-z0-9_.:-]{1,64}", value))
        case Kind.COUNT:
            looks = value >= 0
        case Kind.ENUM:
            looks = all(re.fullmatch(r"[a-z_]+|[A-Z]{2}", word) for word in words)
        case _:
            looks = isinstance(value, UUID | date)
    return looks


def opens(sealer: Sealer, row_id: bytes, blob: bytes) -> bool:
    try:
        sealer.open(row_id, blob)
    except SealBroken:
        return False
    return True


async def takes_a_sentence(world: OnPostgres, table: str, column: str, shape: str) -> bool:
    """Tell whether the rows of a table take a sentence that somebody wrote into this column."""
    said = "They said: let us meet at nine at the old bridge, and bring the papers."
    values = {
        "text": said, "character varying": said, "USER-DEFINED": said, "ARRAY": [said], "bytea": said.encode(),
        "jsonb": json.dumps({"exception_message": said}),
    }  # fmt: skip
    if shape not in values:
        return False  # no sentence is a number, a time or a UUID
    async with world.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(
                "SET LOCAL session_replication_role = replica"
            )  # append-only is C14's matter
            return await connection.execute(f"UPDATE {table} SET {column} = $1", values[shape]) != "UPDATE 0"  # noqa: S608
        except (asyncpg.DataError, asyncpg.CheckViolationError):
            return False
        finally:
            await transaction.rollback()


# ------------------------------------------------------------------------------------------ copies at Twilio


class KeepsCopies(PurgeCopy):
    """Leaves the carrier's copies to the carrier."""

    async def __call__(self, account_id: AccountId, message_id: MessageId, ticket: int) -> None:
        await self.commit(account_id, message_id, ticket)


class AsksOnce(PurgeCopy):
    """Takes "too early" for an answer."""

    async def __call__(self, account_id: AccountId, message_id: MessageId, ticket: int) -> None:
        async with self.store.begin(account_id) as tx:
            message = await tx.any_message(message_id)
        if message.ref and message.purged_at is None:
            await self.carrier.purge(message.ref)
        await self.commit(account_id, message_id, ticket)


def keeps_copies(world: Worlds) -> Worlds:
    return partial(world, purge_copy=KeepsCopies)


def asks_once(world: Worlds) -> Worlds:
    return partial(world, purge_copy=AsksOnce)


@proves("H5", text="ba46b4265e70", saboteur=keeps_copies)
@proves("H5", text="ba46b4265e70", saboteur=asks_once)
async def test_the_carriers_copy_goes_however_often_it_is_too_early(world: Worlds) -> None:
    made = world()
    ada = await with_line(made)
    heard = await made.carrier.receive(STRANGER, ada.number, "heard")
    await ada.texted("heard", ref=heard)
    await ada.texts("said")
    await made.settle()
    (said,) = made.carrier.texts.keys() - {heard}
    made.carrier.too_early = 3
    await made.advance(2 * MINUTE)
    assert heard in made.carrier.texts
    for _ in range(4):
        await made.advance(HOUR)
    assert set(made.carrier.texts) == {said}, "the other text is on its way still"
    await made.do.note_status(StatusReport(ada.number, said, None, Status.DELIVERED))
    await made.advance(2 * MINUTE)
    assert not made.carrier.texts
    assert sorted(await ada.inbox()) == ["heard", "said"]


class DeletesNothing(DeleteMessage):
    """Marks a text for later."""

    async def __call__(self, account_id: AccountId, message_id: MessageId) -> None:
        async with self.store.begin(account_id) as tx:
            await tx.message(message_id)


class HidesOnly(PurgeCopy):
    """Has the carrier delete its copy, and keeps ours, out of sight."""

    async def commit(self, account_id: AccountId, message_id: MessageId, ticket: int) -> None:
        async with self.store.begin(account_id, ending=ticket) as tx:
            await tx.any_message(message_id)


def deletes_nothing(world: Worlds) -> Worlds:
    return partial(world, delete_message=DeletesNothing)


def only_hides(world: Worlds) -> Worlds:
    return partial(world, purge_copy=HidesOnly)


class DeletesNoConversation(DeleteConversation):
    """Marks a conversation for later."""

    async def __call__(self, account_id: AccountId, conversation_id: ConversationId) -> None:
        async with self.store.begin(account_id) as tx:
            await tx.conversation(conversation_id)


def deletes_no_conversation(world: Worlds) -> Worlds:
    return partial(world, delete_conversation=DeletesNoConversation)


@proves("H19", text="9da48477c302", saboteur=deletes_nothing)
@proves("H19", text="9da48477c302", saboteur=deletes_no_conversation)
@proves("H19", text="9da48477c302", saboteur=only_hides)
@proves("H19", text="9da48477c302", saboteur=keeps_copies)
async def test_what_you_delete_goes_at_once_here_and_then_everywhere(world: Worlds) -> None:
    made = world()
    ada = await with_line(made)
    await ada.texts("regret")
    await ada.texts("shame")
    await made.settle()
    (conversation,) = (await made.do.list_conversations(ada.id, None, None, 9)).items
    shame, regret = (await made.do.list_messages(ada.id, conversation.id, None, 9)).items
    await made.do.delete_message(ada.id, regret.id)
    assert await ada.inbox() == ["shame"]
    with pytest.raises(NotFound):
        await made.do.read_message(ada.id, regret.id)
    assert "regret" not in {str(text.body) for text in made.store.rows(ada.id)[Message].values()}  # type: ignore[attr-defined]
    await made.do.delete_conversation(ada.id, conversation.id)
    assert await ada.inbox() == []
    with pytest.raises(NotFound):
        await made.do.read_conversation(ada.id, conversation.id)
    for _ in range(3):
        await made.advance(HOUR)
    rows = await made.store.count_rows(ada.id)
    assert (rows["conversations"], rows["messages"]) == (0, 0)
    assert not made.carrier.texts
    assert shame.id not in made.store.rows(ada.id)[Message]


# --------------------------------------------------------------------------------- what is kept for a while


def remembers_requests_for_two_days(stored: Databases) -> Databases:
    return partial(stored, retention=Retention(idempotency=2 * DAY))


def forgets_requests_at_once(stored: Databases) -> Databases:
    return partial(stored, retention=Retention(idempotency=MINUTE))


def forgets_texts_after_a_month(stored: Databases) -> Databases:
    return partial(stored, retention=Retention(carrier_event=30 * DAY))


class PublicVault(AccountVault):
    def fingerprint(self, purpose: str, value: bytes) -> bytes:
        return UUID(int=0).bytes + value[:16].rjust(16)


def notes_requests_as_they_are(stored: Databases) -> Databases:
    def store(world: OnPostgres) -> PostgresStore:
        made = PostgresStore(world.database, world.keyring, world.ids, environment=ENVIRONMENT)
        made._vaults.open = lambda account_id, key: PublicVault(ENVIRONMENT, account_id, key)  # type: ignore[method-assign]
        return made

    return partial(stored, store=store)


@proves("H6", text="79563d44f80a", saboteur=remembers_requests_for_two_days)
@proves("H6", text="79563d44f80a", saboteur=forgets_requests_at_once)
@proves("H6", text="79563d44f80a", saboteur=forgets_texts_after_a_month)
@proves("H6", text="79563d44f80a", saboteur=notes_requests_as_they_are)
async def test_fingerprints_of_requests_and_texts_are_kept_for_a_while(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        await world.advance(30 * DAY)
        assert len(await world.rows("once")) == 1, "that of the text which was delivered"
        ref, key = f"SM{secrets.token_hex(16)}", f"key {secrets.token_hex(8)}"
        await ada.texted("hello", ref=ref)
        await ada.texts("hello", key=key)
        made = {row["id"] for row in await world.rows("once")}
        assert len(made) == 3
        assert await world.traces(key, f"receive:{ref}", f"send:{key}"[:16], f"receive:{ref}"[:16]) == set()
        await world.advance(DAY - MOMENT)
        assert {row["id"] for row in await world.rows("once")} == made
        await world.advance(MOMENT)
        assert len(await world.rows("once")) == 2
        await world.advance(59 * DAY - MOMENT)
        (left,) = await world.rows("once")
        await ada.texted("hello", ref=ref)
        assert (await ada.inbox()).count("hello") == 2, "the text came in twice"
        await world.advance(MOMENT)
        assert left["id"] not in {row["id"] for row in await world.rows("once")}


class HandsOverAgain(DownloadExport):
    """Whoever asks twice gets it twice."""

    async def take(self, account_id: AccountId, export_id: ExportId) -> None:
        async with self.store.begin(account_id) as tx:
            await tx.export(export_id)


def hands_exports_over_again(stored: Databases) -> Databases:
    return partial(stored, download_export=HandsOverAgain)


def keeps_exports_for_two_days(stored: Databases) -> Databases:
    return partial(stored, retention=Retention(export=2 * DAY))


@proves("H15", text="c3a3e2c96414", saboteur=in_clear("export_parts.content"))
@proves("H15", text="c3a3e2c96414", saboteur=hands_exports_over_again)
@proves("H15", text="c3a3e2c96414", saboteur=keeps_exports_for_two_days)
async def test_an_export_is_sealed_handed_over_once_and_gone_in_a_day(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        taken = await world.do.start_export(ada.id)
        await world.settle()
        assert await world.rows("export_parts")
        assert await world.traces(*ada.secrets) == set()
        assert [part async for part in await world.do.download_export(ada.id, taken.id, ada.password)]
        assert await world.rows("export_parts") == []
        with pytest.raises(ExportNotReady):
            await world.do.download_export(ada.id, taken.id, ada.password)
        broken_off = await world.do.start_export(ada.id)
        await world.settle()
        await (await world.do.download_export(ada.id, broken_off.id, ada.password)).aclose()
        await world.do.start_export(ada.id)  # and one that nobody fetches
        await world.settle()
        await world.advance(DAY - MOMENT)
        assert await world.rows("export_parts")
        await world.advance(MOMENT)
        assert await world.rows("export_parts") == []


# ---------------------------------------------------------------------------------------------- jobs and logs


class LeavesJobs(PostgresStore):
    """Deletes what an account has, and not what is still to be done for it."""

    async def delete_rows(self, account_id: AccountId) -> dict[str, int]:
        waiting = await self._database.fetch("SELECT payload FROM pgqueuer")
        gone = await super().delete_rows(account_id)
        for (payload,) in waiting:
            await self._database.execute(_AGAIN, payload)
        return gone


_AGAIN = """
    INSERT INTO pgqueuer (priority, status, entrypoint, payload, execute_after)
    VALUES (0, 'queued', 'purge_copy', $1, now() + interval '1 day')
"""


def leaves_jobs(stored: Databases) -> Databases:
    return partial(
        stored,
        store=lambda world: LeavesJobs(world.database, world.keyring, world.ids, environment=ENVIRONMENT),
    )


def lets_jobs_carry_more(stored: Databases) -> Databases:
    return partial(stored, sql="ALTER TABLE pgqueuer DROP CONSTRAINT pgqueuer_payload_is_two_ids")


def lets_jobs_have_notes(stored: Databases) -> Databases:
    return partial(stored, sql="ALTER TABLE pgqueuer ADD COLUMN notes text")


@proves("H18", text="c6334efec616", saboteur=leaves_jobs)
@proves("H18", text="c6334efec616", saboteur=lets_jobs_carry_more)
@proves("H18", text="c6334efec616", saboteur=lets_jobs_have_notes)
async def test_what_waits_to_be_done_is_ids_and_times_and_goes_with_the_account(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        waiting = await world.rows("pgqueuer")
        assert {(job["payload"][:16], len(job["payload"])) for job in waiting} == {(ada.id.bytes, 32)}
        shapes = {place: shape for place, shape in (await columns(world)).items() if place[0] == "pgqueuer"}
        assert {column for _, column in shapes} == COLUMNS["pgqueuer"].keys()
        assert [
            place for place, shape in shapes.items() if await takes_a_sentence(world, *place, shape)
        ] == []
        world.mail.outage = True
        await world.do.delete_account(ada.id, ada.password)
        await world.settle()
        assert len(await world.rows("pgqueuer")) > len(waiting), "the farewell waits"
        await world.pool.execute("UPDATE pgqueuer SET execute_after = now() + interval '1 year'")
        world.mail.outage = False
        await world.advance(30 * DAY)
        assert await world.rows("accounts") == [], "the account was not erased"
        assert await world.rows("pgqueuer") == []
