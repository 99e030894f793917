"""The keyring's master-key epochs in its own database, over a key management service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from typing_extensions import override

from adapters.outbound.postgres.keyring import SYSTEM_PURPOSES, answered, context
from adapters.outbound.postgres.keyring_tables import ACCOUNT_KEYS, EPOCHS, SYSTEM_KEYS
from adapters.outbound.postgres.pool import Database
from adapters.outbound.postgres.statements import compiled, value
from application.ports.epochs import EpochInUse, Epochs, Rewrapped
from application.ports.keyring import KeysUnavailable
from application.ports.kms import Kms, KmsBadCiphertext, KmsError, KmsKeyGone, WrappedKey
from domain.epochs import Epoch

AT_ONCE = 8
"""Keys that are wrapped anew side by side."""

_ONE: sa.ColumnElement[int] = sa.literal_column("1")
_ALL = compiled(sa.select(*EPOCHS.c).order_by(EPOCHS.c.number))
_OWN = ("number", "master", "began_at")
_NOTE = compiled(
    postgresql.insert(EPOCHS)
    .values({name: value(name, EPOCHS.c[name]) for name in _OWN})
    .on_conflict_do_nothing(),
    *_OWN,
)
_MASTERS = compiled(
    sa.select(SYSTEM_KEYS.c.master, sa.func.min(SYSTEM_KEYS.c.created_at).label("at"))
    .group_by(SYSTEM_KEYS.c.master)
    .union_all(
        sa.select(ACCOUNT_KEYS.c.master, sa.func.min(ACCOUNT_KEYS.c.created_at)).group_by(
            ACCOUNT_KEYS.c.master
        )
    )
)
_NUMBER = value("number", EPOCHS.c.number)
_CLOSE = compiled(
    sa.update(EPOCHS)
    .where(EPOCHS.c.number == _NUMBER)
    .values(closed_at=sa.func.coalesce(EPOCHS.c.closed_at, value("at", EPOCHS.c.closed_at))),
    "number",
    "at",
)
_GONE = compiled(
    sa.update(EPOCHS)
    .where(EPOCHS.c.number == _NUMBER)
    .values(gone_at=sa.func.coalesce(EPOCHS.c.gone_at, value("at", EPOCHS.c.gone_at))),
    "number",
    "at",
)


def _under(table: sa.Table) -> str:
    """Tell whether a single key is wrapped under a master key."""
    found = sa.select(_ONE).select_from(table).where(table.c.master == value("master", table.c.master))
    return compiled(found.limit(_ONE), "master")


def _earlier(table: sa.Table, owner: str) -> str:
    """Return keys of epochs before one, in order."""
    before = sa.select(EPOCHS.c.master).where(EPOCHS.c.number < _NUMBER, EPOCHS.c.gone_at.is_(None))
    columns = (
        table.c[owner].label("owner"),
        table.c.version,
        table.c.key_id,
        table.c.master,
        table.c.wrapped,
    )
    select = sa.select(*columns).where(table.c.master.in_(before)).order_by(table.c[owner], table.c.version)
    many = sa.bindparam("limit", type_=sa.Integer()), sa.bindparam("skip", type_=sa.Integer())
    return compiled(select.limit(many[0]).offset(many[1]), "number", "limit", "skip")


def _replace(table: sa.Table, owner: str) -> str:
    """Put another wrapped form of a key in the place of the one that was read; of a key that is gone, nothing."""
    columns = table.c
    where = (
        columns[owner] == value("owner", columns[owner]),
        columns.version == value("version", columns.version),
        columns.wrapped == value("former", columns.wrapped),
    )
    changed = {name: value(name, columns[name]) for name in ("master", "wrapped")}
    return compiled(sa.update(table).where(*where).values(changed), "owner", "version", "former", *changed)


@dataclass(frozen=True, slots=True)
class _Statements:
    """What is asked of one table of wrapped keys."""

    under: str
    earlier: str
    replace: str

    @classmethod
    def on(cls, table: sa.Table, owner: str) -> _Statements:
        return cls(_under(table), _earlier(table, owner), _replace(table, owner))


_SYSTEMS, _ACCOUNTS = _Statements.on(SYSTEM_KEYS, "purpose"), _Statements.on(ACCOUNT_KEYS, "account_id")

V = TypeVar("V")


class PostgresEpochs(Epochs):
    """`Epochs` over a migrated keyring database, whose transactions are never open while the key service is asked."""

    def __init__(self, database: Database, kms: Kms) -> None:
        self._database = database
        self._kms = kms

    @property
    @override
    def window(self) -> timedelta:
        return self._kms.window

    @override
    async def newest(self, now: datetime) -> Epoch:
        rows = await self._rows()
        if not rows:
            found: dict[str, datetime] = {}
            for row in await answered(self._database.fetch(_MASTERS)):
                found[row["master"]] = min(row["at"], found.get(row["master"], row["at"]))
            masters = sorted(found, key=found.__getitem__) or [await _served(self._kms.create_key())]
            for number, master in enumerate(masters, 1):
                await answered(self._database.execute(_NOTE, number, master, now))
            rows = await self._rows()
        return _epoch(rows[-1])

    @override
    async def all(self) -> Sequence[Epoch]:
        return [_epoch(row) for row in await self._rows()]

    @override
    async def begin(self, after: Epoch, now: datetime) -> Epoch:
        newest = _epoch((await self._rows())[-1])
        if newest.number != after.number:
            return newest
        master = await _served(self._kms.create_key())
        if not await answered(self._database.execute(_NOTE, after.number + 1, master, now)):
            await _served(
                self._kms.retire(master)
            )  # another process was faster: nothing was wrapped under ours
        return _epoch((await self._rows())[-1])

    @override
    async def rewrap(self, limit: int, skip: int = 0) -> Rewrapped:
        newest = (await self._rows())[-1]
        systems = await self._batch(_SYSTEMS, newest, SYSTEM_PURPOSES, 0)  # a few, and never skipped
        accounts = await self._batch(_ACCOUNTS, newest, limit, skip)
        return Rewrapped(systems.done + accounts.done, accounts.broken)

    async def _batch(self, of: _Statements, newest: Any, limit: int, skip: int) -> Rewrapped:  # noqa: ANN401 - asyncpg has no types
        rows = await answered(self._database.fetch(of.earlier, newest["number"], limit, skip))
        done = 0
        for at in range(0, len(rows), AT_ONCE):
            some = (self._rewrap(of.replace, row, newest["master"]) for row in rows[at : at + AT_ONCE])
            done += sum(await asyncio.gather(*some))
        return Rewrapped(done, len(rows) - done)

    @override
    async def retire(self, number: int, now: datetime) -> Epoch:
        row = await self._row(number)
        if row["gone_at"] is not None:
            return _epoch(row)
        await answered(self._database.execute(_CLOSE, number, now))
        for of in (_SYSTEMS, _ACCOUNTS):
            if await answered(self._database.fetch(of.under, row["master"])):
                raise EpochInUse
        try:
            gone_at = await self._kms.retire(row["master"])
        except KmsKeyGone:
            gone_at = now  # this was begun before, and cut off
        except KmsError:
            raise KeysUnavailable from None
        await answered(self._database.execute(_GONE, number, gone_at))
        return _epoch(await self._row(number))

    @override
    async def is_gone(self, number: int) -> bool:
        try:
            await self._kms.state((await self._row(number))["master"])
        except KmsKeyGone:
            return True
        except KmsError:
            raise KeysUnavailable from None
        return False

    async def _rewrap(self, replace: str, row: Any, master: str) -> bool:  # noqa: ANN401 - asyncpg has no types
        try:
            former = WrappedKey(row["master"], row["wrapped"])
            wrapped = await self._kms.rewrap(former, context(row["key_id"]), master)
        except (KmsBadCiphertext, KmsKeyGone):
            return False
        except KmsError:
            raise KeysUnavailable from None
        at = (row["owner"], row["version"], row["wrapped"])
        await answered(self._database.execute(replace, *at, wrapped.key_id, wrapped.blob))
        return True

    async def _rows(self) -> list[Any]:
        return await answered(self._database.fetch(_ALL))

    async def _row(self, number: int) -> Any:  # noqa: ANN401 - see _rewrap
        return next(row for row in await self._rows() if row["number"] == number)


def _epoch(row: Any) -> Epoch:  # noqa: ANN401 - see _rewrap
    return Epoch(row["number"], row["began_at"], row["gone_at"])


async def _served(asked: Awaitable[V]) -> V:
    """Return what the key service answers; whatever goes wrong with it is KeysUnavailable."""
    try:
        return await asked
    except KmsError:
        raise KeysUnavailable from None
