"""The small print about whoever can write to the database: what they alter, or bring back, counts for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

from structlog.testing import capture_logs

from adapters.outbound.local.kms import LocalKms
from adapters.outbound.postgres.keyring import PostgresKeyring
from adapters.outbound.postgres.sealing import AccountCipher, ColumnCipher
from application.inventory import INVENTORY
from application.ports.keyring import Ending
from domain.classification import Field, StorageKind
from domain.kernel import AccountId
from domain.retention import Retention
from tests.support.actors import STRANGER
from tests.support.canary_account import lived
from tests.support.harness import Databases, OnPostgres, with_cipher
from tests.support.proofs import proves

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
LONGEST = Retention().session.keep


class SealsNothingElse:
    """Seals each value for its place, whatever stands beside it."""

    def __init__(self, honest: ColumnCipher) -> None:
        self._honest = honest

    def seal(self, row_id: bytes, plaintext: bytes, _bound: bytes = b"") -> bytes:
        return self._honest.seal(row_id, plaintext)

    def open(self, row_id: bytes, blob: bytes, _bound: bytes = b"") -> bytes:
        return self._honest.open(row_id, blob)


class BindsNothing(AccountCipher):
    """Believes every plain value."""

    def column(self, table: str, column: str) -> Any:
        return SealsNothingElse(super().column(table, column))


def believes_plain_values(stored: Databases) -> Databases:
    return with_cipher(BindsNothing, stored)


@proves("H40", text="6b832066c9e8", saboteur=believes_plain_values, says="an altered value was believed")
async def test_whatever_decides_is_not_believed_once_it_is_altered_and_nothing_is_lost(
    stored: Databases,
) -> None:
    async with stored() as world:
        ada = await lived(world)
        await ada.receives("hello", STRANGER)
        before = await world.opened(ada.id)
        altered = 0
        for of in INVENTORY:
            for field in of.columns:
                if field.policy.bound and (rows := await world.rows(of.name, **{of.owner: ada.id})):
                    other = another(field, rows[0][field.name])
                    change = f"UPDATE {of.name} SET {field.name} = $1 WHERE id = $2"  # noqa: S608 - names of our own
                    await world.database.execute(change, other, rows[0]["id"])
                    with capture_logs() as logs:
                        assert "unreadable" in await world.opened(ada.id), "an altered value was believed"
                    assert {entry["event"] for entry in logs} == {"seal broken"}, "nobody was told"
                    await world.database.execute(change, rows[0][field.name], rows[0]["id"])
                    altered += 1
        assert altered > 20
        assert await world.opened(ada.id) == before, "something was lost"


def another(field: Field, value: Any) -> Any:
    """Return another value that the column takes."""
    match field.policy.kind:
        case StorageKind.ID:
            return uuid4()
        case StorageKind.ENUM:
            return next(member.value for member in field.type if member.value != value)
        case StorageKind.COUNT:
            return value + 1
        case StorageKind.TIME:
            return None if value is not None and field.optional else LONG_AGO
        case _:
            return "PN0"


class ForgetsEndings(PostgresKeyring):
    """Does not remember that something is over."""

    async def note_endings(self, account_id: AccountId, endings: Sequence[Ending]) -> None:
        """Note nothing."""


def forgets_what_is_over(stored: Databases) -> Databases:
    def keyring(world: OnPostgres) -> PostgresKeyring:
        return ForgetsEndings(world.database, LocalKms(world.folder / "kms", world.clock.now))

    return partial(stored, keyring=keyring)


class KeepsEndings(PostgresKeyring):
    """Forgets nothing."""

    async def purge_endings(self, until: datetime, limit: int) -> int:
        return 0


def keeps_every_mark(stored: Databases) -> Databases:
    def keyring(world: OnPostgres) -> PostgresKeyring:
        return KeepsEndings(world.database, LocalKms(world.folder / "kms", world.clock.now))

    return partial(stored, keyring=keyring)


@proves("H41", text="cedd560655b4", saboteur=keeps_every_mark, says="a session's mark stays")
@proves("H41", text="cedd560655b4", saboteur=forgets_what_is_over, says="a deleted message came back")
async def test_no_earlier_copy_of_a_row_brings_back_what_is_over(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        await ada.receives("hello", STRANGER)
        (conversation, *_) = (await world.use_cases.list_conversations(ada.id, None, None, 9)).items
        (message, *_) = (await world.use_cases.list_messages(ada.id, conversation.id, None, 9)).items
        row = await world.row("messages", id=message.id)
        await world.use_cases.delete_message(ada.id, message.id)
        marks = await world.rows("endings", account_id=ada.id)
        assert message.id.bytes not in {mark["mark"] for mark in marks}, "the mark tells what it stands for"
        await world.database.execute("DELETE FROM messages WHERE id = $1", message.id)
        places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
        await world.database.execute(
            f"INSERT INTO messages ({', '.join(row.keys())}) VALUES ({places})",  # noqa: S608 - names of our own
            *row.values(),
        )
        shown = (await world.use_cases.list_messages(ada.id, conversation.id, None, 9)).items
        assert "hello" not in {each.body for each in shown}, "a deleted message came back"
        await world.use_cases.sign_out(ada.id, ada.signed_in.session.id)
        world.clock.advance(LONGEST)
        await world.use_cases.sweep()
        kept = await world.rows("endings", account_id=ada.id)
        assert [mark for mark in kept if mark["until"] is not None] == [], "a session's mark stays"
        assert len(kept) >= 2, "the message's and the address's"
        await world.keyring.destroy(ada.id)
        assert await world.rows("endings", account_id=ada.id) == [], "it outlives the key"
