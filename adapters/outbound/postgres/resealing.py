"""What is sealed on PostgreSQL, from under one key of an account to under the next.

A key is changed seldom: the statements over every table are composed with the first one, not with every start.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from typing_extensions import override

from adapters.outbound.postgres.codec import CODECS, Codec
from adapters.outbound.postgres.pool import Database, closed, connected, translated
from adapters.outbound.postgres.reading import ACCOUNT, owned
from adapters.outbound.postgres.sealing import FORMAT, HEADER, AccountCipher
from adapters.outbound.postgres.statements import compiled, readable
from adapters.outbound.postgres.tables import SEALED_UNDER
from application.ports.keyring import AccountKey, Keyring
from application.ports.resealing import Resealed, Resealing
from application.ports.store import VersionConflict
from domain.accounts import Account
from domain.classification import StorageKind
from domain.greetings import Greeting
from domain.kernel import AccountId, Aggregate, NotFound, ObjectId, SealBroken
from domain.media import Media, MediaState
from domain.messages import Message
from domain.voicemail import Voicemail, VoicemailState

TURN_SECONDS = 30
TRIES, PAUSE_SECONDS = 20, 0.2
"""How often a turn is tried that others stand against, and the longest pause between two tries."""
CLOSE_SECONDS = 2.0
_FIRST = UUID(int=0)
_HEADER = sa.bindparam("header", type_=postgresql.BYTEA())
_LOCK = compiled(sa.select(SEALED_UNDER).where(owned(Account)).with_for_update(), ACCOUNT)
_VERSION = sa.bindparam("version", type_=sa.Integer())
_TURN = compiled(
    sa.update(CODECS[Account].table).where(owned(Account)).values(sealed_under=_VERSION), ACCOUNT, "version"
)


@dataclass(frozen=True, slots=True)
class _Cells:
    """The sealed columns of one table, and the statements that go over them."""

    codec: Codec[Any]
    cells: tuple[str, ...]
    read: str
    write: str


def _read(codec: Codec[Any], cells: tuple[str, ...]) -> str:
    """Return rows after one in which a cell is under another key: id, version, what is bound, and the cells."""
    columns = codec.table.c
    head: tuple[sa.ColumnElement[int], ...] = (sa.literal_column("1"), sa.literal_column(str(HEADER)))
    under_another = sa.or_(*(sa.func.substr(columns[cell], *head) != _HEADER for cell in cells))
    bound = [readable(columns[name]).label(f"bound_{name}") for name in codec.binder.names]
    select = sa.select(columns.id, columns.version, *bound, *(columns[cell] for cell in cells))
    select = select.where(owned(codec.of), columns.id > sa.bindparam("after"), under_another).order_by(
        columns.id
    )
    return compiled(
        select.limit(sa.bindparam("limit", type_=sa.Integer())), ACCOUNT, "after", "header", "limit"
    )


def _write(codec: Codec[Any], cells: tuple[str, ...]) -> str:
    """Put cells in the place of those that were read, of rows that nobody has written since."""
    columns = codec.table.c
    blobs = postgresql.ARRAY(postgresql.BYTEA())
    names = [f"{when}_{cell}" for cell in cells for when in ("former", "new")]
    arrays: list[Any] = [
        sa.bindparam("ids", type_=postgresql.ARRAY(postgresql.UUID())),
        sa.bindparam("versions", type_=postgresql.ARRAY(sa.Integer())),
        *(sa.bindparam(name, type_=blobs) for name in names),
    ]
    given = sa.func.unnest(*arrays).table_valued("id", "version", *names).render_derived(name="given")
    same = [columns[cell].is_not_distinct_from(given.c[f"former_{cell}"]) for cell in cells]
    update = sa.update(codec.table).values({cell: given.c[f"new_{cell}"] for cell in cells})
    update = update.where(
        owned(codec.of), columns.id == given.c.id, columns.version == given.c.version, *same
    )
    return compiled(update, ACCOUNT, "ids", "versions", *names)


@cache
def _cells() -> Sequence[_Cells]:
    every = []
    for codec in CODECS.values():
        cells = tuple(c.name for c in codec.table.c if c.info["kind"] is StorageKind.SEALED)
        if cells:
            every.append(_Cells(codec, cells, _read(codec, cells), _write(codec, cells)))
    return every


@dataclass(frozen=True, slots=True)
class _Indexes:
    """The blind indexes within the account of one table."""

    read: str
    write: str


@cache
def _indexes() -> Sequence[_Indexes]:
    every = []
    for codec in CODECS.values():
        columns = codec.table.c
        names = [c.name for c in columns if c.info["kind"] is StorageKind.INDEX]
        if not names:
            continue
        read = sa.select(columns.id, *(columns[name] for name in names)).where(owned(codec.of))
        arrays: list[Any] = [sa.bindparam("ids", type_=postgresql.ARRAY(postgresql.UUID()))]
        arrays += [sa.bindparam(f"new_{name}", type_=postgresql.ARRAY(postgresql.BYTEA())) for name in names]
        given = sa.func.unnest(*arrays).table_valued("id", *(f"new_{name}" for name in names))
        given = given.render_derived(name="given")
        update = sa.update(codec.table).where(owned(codec.of), columns.id == given.c.id)
        update = update.values({name: given.c[f"new_{name}"] for name in names})
        written = compiled(update, ACCOUNT, "ids", *(f"new_{name}" for name in names))
        every.append(_Indexes(compiled(read, ACCOUNT), written))
    return every


_M, _W, _V = CODECS[Media].table.c, CODECS[Message].table.c, CODECS[Voicemail].table.c
_WANTED: Mapping[type[Aggregate], sa.ColumnElement[bool]] = MappingProxyType({
    Media: sa.and_(
        _M.state != sa.literal_column(f"'{MediaState.REFUSED}'"),
        ~sa.exists(sa.select(_W.id).where(_W.account_id == _M.account_id, _W.id == _M.message_id,
                                          _W.deleted_at.is_not(None))),
    ),
    Voicemail: _V.state != sa.literal_column(f"'{VoicemailState.EXPIRED}'"),
    Greeting: sa.true(),
})  # fmt: skip
_HOLDERS: Mapping[type[Aggregate], str] = MappingProxyType({
    of: compiled(
        sa.select(sa.literal_column("1")).where(owned(of), CODECS[of].table.c.id == sa.bindparam("id"), wanted),
        ACCOUNT, "id",
    )
    for of, wanted in _WANTED.items()
})  # fmt: skip
"""An object has the id of its row."""


@dataclass(frozen=True, slots=True)
class PostgresResealing(Resealing):
    """`Resealing` on a migrated database."""

    database: Database
    keyring: Keyring
    environment: str

    @override
    async def turn(self, account_id: AccountId) -> bool:
        key = await self.keyring.open(account_id)
        cipher = AccountCipher(self.environment, account_id, key, key.former)
        problem: Exception = VersionConflict()
        for _ in range(TRIES):
            try:
                return await self._turned(account_id, key, cipher)
            except NotFound:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is translated
                problem = translated(error)
            # Who commits may hold a row that we want, and want ours.
            if not isinstance(problem, VersionConflict):
                break
            await asyncio.sleep(random.random() * PAUSE_SECONDS)  # noqa: S311 - needs no secrecy
        raise problem  # outside of the block above, so that the original is left behind

    async def _turned(self, account_id: AccountId, key: AccountKey, cipher: AccountCipher) -> bool:
        """Do so in one transaction, which holds the account's row: whoever commits for it waits."""
        connection: asyncpg.Connection = await connected(
            self.database.dsn, statement_timeout=f"{TURN_SECONDS}s", application_name="pico rotation"
        )
        try:
            async with connection.transaction():
                row = await connection.fetchrow(_LOCK, account_id)
                if row is None:
                    raise NotFound
                if row[0] >= key.version:
                    return False
                for indexes in _indexes():
                    rows = await connection.fetch(indexes.read, account_id)
                    anew = [(row[0], *(each and cipher.reindex(each) for each in row[1:])) for row in rows]
                    if anew:
                        arrays = map(list, zip(*anew, strict=True))
                        await connection.execute(indexes.write, account_id, *arrays)
                await connection.execute(_TURN, account_id, key.version)
        finally:
            await closed(connection, CLOSE_SECONDS)
        return True

    @override
    async def reseal(self, account_id: AccountId, at_once: int) -> Resealed:
        key = await self.keyring.open(account_id)
        if key.former is None:
            return Resealed(0, 0, 0)
        cipher = AccountCipher(self.environment, account_id, key, key.former)
        done = missed = broken = 0
        for of in _cells():
            after = _FIRST
            while rows := await self.database.fetch(
                of.read, account_id, after, FORMAT + key.version.to_bytes(2), at_once
            ):
                anew = [_resealed(row, of, cipher) for row in rows]
                changed = [row for row, _ in anew if row is not None]
                broken += sum(whole is False for _, whole in anew)
                if changed:
                    written = await self._written(of, account_id, changed)
                    done, missed = done + written, missed + len(changed) - written
                after = rows[-1][0]
        return Resealed(done, missed, broken)

    async def _written(self, of: _Cells, account_id: AccountId, changed: Sequence[tuple[Any, ...]]) -> int:
        try:
            return await self.database.execute(of.write, account_id, *map(list, zip(*changed, strict=True)))
        except VersionConflict:  # somebody who commits held one of the rows, and wanted another
            return 0

    @override
    async def holder(self, account_id: AccountId, object_id: ObjectId) -> type[Aggregate] | None:
        for of, statement in _HOLDERS.items():
            if await self.database.first(statement, account_id, object_id) is not None:
                return of
        return None


def _resealed(row: Any, of: _Cells, cipher: AccountCipher) -> tuple[tuple[Any, ...] | None, bool]:  # noqa: ANN401 - asyncpg has no types
    """Return what to write of a row, None for nothing, and whether every cell opens. What does not stays as it is."""
    row_id, version, *rest = row
    bound_values, cells = rest[: len(of.codec.binder.names)], rest[len(of.codec.binder.names) :]
    bound = of.codec.binder.data(bound_values, version) if of.codec.sealing else b""
    written: list[Any] = [row_id, version]
    whole, some = True, False
    for name, former in zip(of.cells, cells, strict=True):
        new = former
        if former is not None and former[:HEADER] != FORMAT + cipher.version.to_bytes(2):
            column, beside = cipher.column(of.codec.name, name), (bound if name == of.codec.sealing else b"")
            try:
                new = column.seal(row_id.bytes, column.open(row_id.bytes, former, beside), beside)
                some = True
            except SealBroken:
                whole = False
        written += [former, new]
    return (tuple(written) if some else None), whole
