"""Limits on PostgreSQL: a row per key, which is its own shard, and one statement to take.

A row is a keyed fingerprint and an instant. It tells neither whose it is nor which limit it belongs to.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from typing_extensions import override

from adapters.outbound.postgres.pool import Database, StatementRefused
from adapters.outbound.postgres.sealing import blind_index
from adapters.outbound.postgres.statements import compiled
from adapters.outbound.postgres.tables import LIMITS
from application.ports.keyring import Keyring, KeysUnavailable
from application.ports.limits import Charge, Limits, LimitsUnavailable
from application.ports.store import StoreUnavailable, VersionConflict
from domain.limits import Limit, Taking

T = TypeVar("T")
Given: TypeAlias = sa.ColumnElement[Any]

_L = LIMITS.c
_KEY = sa.bindparam("key", type_=_L.key.type)
_NOW = sa.bindparam("now", type_=_L.full_at.type)
_LATEST = sa.bindparam("latest", type_=_L.full_at.type)
_MORE = sa.bindparam("more", type_=postgresql.INTERVAL())
_UNHURRIED: sa.ColumnElement[str] = sa.literal_column("set_config('synchronous_commit', 'off', true)")
"""Nobody waits for the disk to count: what a message costs is durable with the message, which is committed after it."""


def taking(key: Given, now: Given, more: Given, latest: Given) -> postgresql.Insert:
    """Return what moves a key's instant on by `more`, and touches no row where that were later than `latest`."""
    full_at = sa.func.greatest(_L.full_at, now) + more
    made = postgresql.insert(LIMITS).values(key=key, full_at=now + more)
    return made.on_conflict_do_update(
        index_elements=["key"], set_={"full_at": full_at}, where=latest >= full_at
    )


TAKE = compiled(
    taking(_KEY, _NOW, _MORE, _LATEST).returning(_L.full_at, _UNHURRIED), "key", "now", "more", "latest"
)
LOOK = compiled(sa.select(_L.full_at).where(_L.key == _KEY), "key")
SET_BACK = compiled(
    sa.update(LIMITS).where(_L.key == _KEY, _L.full_at > _LATEST).values(full_at=_LATEST), "key", "latest"
)
GIVE_BACK = compiled(
    sa.update(LIMITS).where(_L.key == _KEY).values(full_at=_L.full_at - _MORE), "key", "more"
)
OVER = compiled(
    sa.select(_L.key).where(_L.full_at <= _NOW).order_by(_L.full_at)
    .limit(sa.bindparam("most", type_=sa.Integer())),
    "now", "most",
)  # fmt: skip
PURGE = compiled(sa.delete(LIMITS).where(_L.key == _KEY, _L.full_at <= _NOW), "key", "now")


class PostgresLimits(Limits):
    """`Limits` on the store's database. Fingerprints are made under the keyring's "limits" key."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    @override
    async def take(self, limit: Limit, of: str, now: datetime, cost: int = 1) -> Taking:
        return await _answered(self._take(limit, of, now, cost))

    async def _take(self, limit: Limit, of: str, now: datetime, cost: int) -> Taking:
        key = await self._key(limit, of)
        if cost <= limit.at_once:  # a new row would be made without being asked whether there is as much
            row = await self._database.first(TAKE, key, now, limit.every * cost, now + limit.room)
            if row is not None:
                return Taking(row[0], now, limit)
        row = await self._database.first(LOOK, key)
        refused = limit.take(None if row is None else row[0], now, cost)
        if refused.wait is not None:
            if row is not None and row[0] > refused.full_at:
                await self._database.execute(SET_BACK, key, refused.full_at)
            return refused
        # Something was given back, or purged, in between.
        return Taking(now + limit.room, now, limit, limit.every)

    def can_take_within(self, database: Database, charge: Charge) -> bool:
        """Tell whether a commit to this database can take what a charge is about. More than there ever is it cannot."""
        return self._database is database and charge.cost <= charge.limit.at_once

    async def within_commit(self, charge: Charge) -> Sequence[object]:
        """Return what `taking` is to be given for a charge. Raises LimitsUnavailable."""
        key = await _answered(self._key(charge.limit, charge.of))
        return key, charge.at, charge.limit.every * charge.cost, charge.at + charge.limit.room

    @override
    async def give_back(self, limit: Limit, of: str, now: datetime, cost: int = 1) -> None:
        await _answered(self._give_back(limit, of, now, cost))

    async def _give_back(self, limit: Limit, of: str, now: datetime, cost: int) -> None:
        key = await self._key(limit, of)
        await self._database.execute(GIVE_BACK, key, limit.every * cost)
        await self._database.execute(PURGE, key, now)

    @override
    async def purge(self, now: datetime, most: int) -> int:
        return await _answered(self._purge(now, most))

    async def _purge(self, now: datetime, most: int) -> int:
        over = await self._database.fetch(OVER, now, most)
        return sum([await self._database.execute(PURGE, row[0], now) for row in over])

    async def _key(self, limit: Limit, of: str) -> bytes:
        return blind_index(await self._keyring.system("limits"), limit.name, of.encode())


async def _answered(asked: Awaitable[T]) -> T:
    """Return what the database answers; whatever goes wrong with it or with the key is LimitsUnavailable."""
    try:
        return await asked
    except (StoreUnavailable, VersionConflict, StatementRefused, KeysUnavailable):
        pass
    raise LimitsUnavailable
