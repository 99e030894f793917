"""The small print about how things lie there: no room for anything but ids, times, words, counts and ciphertext."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg

from adapters.outbound.postgres import keyring_tables
from adapters.outbound.postgres.sealing import FORMAT, AccountCipher, ColumnCipher, blind_index
from adapters.outbound.postgres.store import PostgresStore
from adapters.outbound.postgres.tables import COLUMNS
from adapters.tones import tone
from application.inventory import INVENTORY
from application.sessions import Caller
from bootstrap.policy import DATA_MAP, END
from domain.billing import PlanName
from domain.classification import StorageKind
from domain.data_requests import DataRequestKind
from domain.erasure import Erasure
from domain.greetings import GreetingText
from domain.kernel import AccountId, CarrierRef, SealBroken
from domain.push import DeviceToken, Platform
from domain.residue import Residue
from domain.values import Peer, PhoneNumber
from domain.webhook_endpoints import WebhookUrl
from pico_testkit.contracts.porting import DETAILS, NUMBER
from tests.contract.architecture.test_policy import POLICY
from tests.contract.proofs.test_search import indexed
from tests.support.actors import STRANGER
from tests.support.canary_account import lived
from tests.support.harness import ENVIRONMENT, Databases, OnPostgres, beside, in_clear, with_cipher
from tests.support.photographs import a_picture
from tests.support.proofs import proves

DAY = timedelta(days=1)

SHAPES = {
    StorageKind.ID: {"uuid"}, StorageKind.REF: {"character varying"},
    StorageKind.TIME: {"timestamp with time zone", "date"},
    StorageKind.ENUM: {"USER-DEFINED", "ARRAY", "character varying"}, StorageKind.COUNT: {"integer"},
    StorageKind.INDEX: {"bytea"},
    StorageKind.SEALED: {"bytea"},
}  # fmt: skip
MAPPED = sorted(of.name for of in INVENTORY)
ABOUT_PEOPLE = {*MAPPED, "audit_recent", "audit_log", "erasures", "residue", "limits", "data_requests"}
"""Our tables with rows about a person. The queue's own are H18's."""


def has_room_for_notes(stored: Databases) -> Databases:
    return partial(stored, sql="ALTER TABLE accounts ADD COLUMN notes text")


def takes_any_word(stored: Databases) -> Databases:
    return partial(stored, sql="ALTER TABLE messages ALTER COLUMN ref TYPE text")


def takes_plain_text(stored: Databases) -> Databases:
    return partial(stored, sql="ALTER TABLE messages DROP CONSTRAINT messages_body_is_sealed")


@proves(
    "H2", text="65145dc05c85", saboteur=has_room_for_notes, says="a column that the data map does not list"
)
@proves("H2", text="65145dc05c85", saboteur=takes_any_word, says="a column of a shape that is no kind's")
@proves("H2", text="65145dc05c85", saboteur=takes_plain_text, says="a column that takes a sentence")
@proves(
    "H2", text="65145dc05c85", saboteur=in_clear("phone_lines.label"), says="a value that is not of its kind"
)
async def test_there_is_nothing_and_no_room_for_anything_but_the_seven_kinds(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        await indexed(world, ada)
        assert world.audit_log is not None
        assert await world.audit_log.draw(world.clock.now().date(), 1) > 0
        await ada.receives("STOP", STRANGER)
        (stopped, _) = (await world.use_cases.list_conversations(ada.id, None, None, 9)).items
        await world.use_cases.delete_conversation(ada.id, stopped.id)
        await world.use_cases.block_number(ada.id, PhoneNumber(STRANGER))
        await world.use_cases.upload_media(ada.id, a_picture())
        await world.use_cases.write_greeting(ada.id, ada.line_id, GreetingText("This is Ada."))
        left = await world.recordings.leave(Peer("+12025550148"), ada.number, tone(2))
        await world.settle()
        await world.recordings.transcribe(left, "It is Noa.")
        ios = DeviceToken("0a" * 32)
        caller = Caller(ada.id, ada.signed_in.session.id)
        await world.use_cases.register_push_token(caller, Platform.IOS, ios)
        await world.use_cases.open_checkout(ada.id, PlanName.BASIC, "key")
        hook = WebhookUrl("https://hooks.example.org/ada")
        await world.use_cases.add_webhook_endpoint(ada.id, hook, frozenset(), "hook")
        await world.use_cases.request_port(ada.id, NUMBER, DETAILS.subscriber, "port")
        await world.live_events.head(ada.id)
        await world.use_cases.start_export(ada.id)
        await world.settle()
        await world.use_cases.open_data_request(DataRequestKind.ACCESS, ada.id, None)
        await world.store.checkpoint(Erasure(account_id=ada.id, began_at=world.clock.now()))
        await world.store.add_residue([Residue.number(ada.id, CarrierRef("PN1"), ada.line_id)])
        every = await columns(world)
        assert {table for table, _ in every} == COLUMNS.keys() | keyring_tables.COLUMNS.keys()
        assert [
            (table, name) for table, name in every if table in MAPPED and (table, name) not in data_map()
        ] == [("accounts", "sealed_under"), *((table, "version") for table in MAPPED)], (
            "a column that the data map does not list"
        )
        shapes = {place: shape for place, shape in every.items() if place[0] in ABOUT_PEOPLE}
        kinds = {(table, column): COLUMNS[table].get(column) for table, column in shapes}
        assert [
            place for place, kind in kinds.items() if not kind or shapes[place] not in SHAPES[kind]
        ] == [], "a column of a shape that is no kind's"
        by_place = {place: kind for place, kind in kinds.items() if kind not in {None, StorageKind.INDEX}}
        assert [place for place in by_place if await takes_a_sentence(world, *place, shapes[place])] == [], (
            "a column that takes a sentence"
        )
        cipher = AccountCipher(ENVIRONMENT, ada.id, await world.keyring.open(ada.id))
        for table in sorted(ABOUT_PEOPLE):
            rows = await world.rows(table)
            assert rows, f"{table} was not looked at"
            for row in rows:
                for column, value in row.items():
                    assert value is None or is_of_kind(cipher, table, column, row, kinds[table, column]), (
                        "a value that is not of its kind"
                    )


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
    cipher: AccountCipher, table: str, column: str, row: Mapping[str, Any], kind: StorageKind | None
) -> bool:
    """Tell whether a value looks as its kind must; a sealed one must open in its place."""
    value = row[column]
    words = [value] if isinstance(value, str) else value
    match kind:
        case StorageKind.SEALED:
            looks = value[:1] == FORMAT and opens(
                cipher.column(table, column), row, value, beside(table, column, row)
            )
        case StorageKind.INDEX:
            looks = len(value) == 32
        case StorageKind.REF:
            looks = bool(re.fullmatch(r"[A-Za-z0-9_.:-]{1,64}", value))
        case StorageKind.COUNT:
            looks = value >= 0
        case StorageKind.ENUM:
            looks = all(re.fullmatch(r"[a-z_]+(\.[a-z_]+)?|[A-Z]{2}|\dxx", word) for word in words)
        case _:
            looks = isinstance(value, UUID | date)
    return looks


def opens(column_cipher: ColumnCipher, row: Mapping[str, Any], blob: bytes, beside: bytes) -> bool:
    try:
        column_cipher.open(row["id"].bytes, blob, beside)
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


class OneIndexKey(AccountCipher):
    """Looks things up by one key for all."""

    def blind_index(self, purpose: str, value: bytes) -> bytes:
        return blind_index(b"one key for all", purpose, value)


def compares_everybody(stored: Databases) -> Databases:
    return with_cipher(OneIndexKey, stored)


def lists_messages_peers(stored: Databases) -> Databases:
    return partial(stored, sql=LISTS_PEERS)


LISTS_PEERS = """
    CREATE FUNCTION list_peer() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
        INSERT INTO directory (kind, key, account_id, subject_id)
        VALUES (''sessions.token'', sha256(new.peer), new.account_id, new.id); RETURN new; END';
    CREATE TRIGGER list_peer BEFORE INSERT ON conversations FOR EACH ROW EXECUTE FUNCTION list_peer()
"""
FIND_ACCOUNTS = {
    "accounts.email",
    "accounts.place",
    "phone_lines.number",
    "push_tokens.token",
    "sessions.token",
    "subscriptions.payer",
    "subscriptions.buyer",
}


@proves(
    "H23",
    text="90f98c267aba",
    saboteur=compares_everybody,
    says="a fingerprint is comparable across accounts",
)
@proves("H23", text="90f98c267aba", saboteur=lists_messages_peers, says="something else finds an account")
async def test_only_what_finds_an_account_is_comparable_across_accounts(stored: Databases) -> None:
    async with stored() as world:
        ada, boris = await lived(world), await lived(world)
        for person in (ada, boris):  # the same number, reference and key
            await person.receives("the same", STRANGER, ref=f"SM{1:032x}")
            await person.sends("the same", STRANGER, key="the same key")
            await person.receives("STOP", STRANGER)
        system = [await world.keyring.system(name) for name in ("index", "erasure", "verification", "ledger")]
        same = {STRANGER, f"receive:SM{1:032x}", "send:the same key", "the same key", f"SM{1:032x}"}
        for of in INVENTORY:
            fingerprints = [column for column, kind in COLUMNS[of.name].items() if kind is StorageKind.INDEX]
            for column in fingerprints:
                hers, his = [
                    {row[column] for row in await world.rows(of.name, **{of.owner: who.id})} - {None}
                    for who in (ada, boris)
                ]
                purposes = (f"{of.name}.{column.removesuffix('_index')}", "")
                values = [(purpose, value.encode()) for purpose in purposes for value in same]
                made = {blind_index(key, *value) for key in system for value in values}
                assert not (hers & his) | (hers & made), "a fingerprint is comparable across accounts"
        listed = await world.rows("directory")
        assert {row["kind"] for row in listed} <= FIND_ACCOUNTS, "something else finds an account"
        lasting = [row for row in listed if row["kind"] == "sessions.token"]
        subjects = {row["id"] for row in await world.rows("sessions")}
        assert {row["subject_id"] for row in lasting} <= subjects, "something else finds an account"


class LeavesJobs(PostgresStore):
    """Deletes what an account has, and not what is still to be done for it."""

    async def delete_rows(self, account_id: AccountId) -> dict[str, int]:
        await self._database.fetch("CREATE TABLE kept AS TABLE jobs")
        gone = await super().delete_rows(account_id)
        await self._database.fetch("INSERT INTO jobs TABLE kept ON CONFLICT DO NOTHING")
        await self._database.fetch("DROP TABLE kept")
        return gone


def leaves_jobs(stored: Databases) -> Databases:
    return partial(
        stored,
        store=lambda world: LeavesJobs(world.database, world.keyring, world.ids, environment=ENVIRONMENT),
    )


def lets_jobs_carry_more(stored: Databases) -> Databases:
    return partial(
        stored, sql="ALTER TABLE jobs ALTER name TYPE varchar(99), DROP CONSTRAINT jobs_name_is_enum"
    )


def lets_jobs_have_notes(stored: Databases) -> Databases:
    return partial(stored, sql="ALTER TABLE jobs ADD COLUMN notes text")


@proves("H18", text="c6334efec616", saboteur=leaves_jobs, says="jobs outlive their account")
@proves("H18", text="c6334efec616", saboteur=lets_jobs_carry_more, says="a job takes a sentence")
@proves("H18", text="c6334efec616", saboteur=lets_jobs_have_notes, says="a column that jobs do not need")
async def test_what_waits_to_be_done_is_ids_and_times_and_goes_with_the_account(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        waiting = await world.rows("jobs")
        assert {job["account_id"] for job in waiting} == {ada.id}
        shapes = {place: shape for place, shape in (await columns(world)).items() if place[0] == "jobs"}
        assert {column for _, column in shapes} == COLUMNS["jobs"].keys(), "a column that jobs do not need"
        assert [
            place for place, shape in shapes.items() if await takes_a_sentence(world, *place, shape)
        ] == [], "a job takes a sentence"
        world.mail.outage = True
        await world.use_cases.delete_account(ada.id, ada.password)
        await world.settle()
        assert len(await world.rows("jobs")) > len(waiting), "the farewell waits"
        await world.pool.execute("UPDATE jobs SET due_at = now() + interval '1 year'")
        world.mail.outage = False
        await world.advance(30 * DAY)
        assert await world.rows("accounts") == [], "the account was not erased"
        assert await world.rows("jobs") == [], "jobs outlive their account"
