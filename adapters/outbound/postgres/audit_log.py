"""The public half of the audit log on PostgreSQL.

What chains and draws are functions of the database that belong to its owner (see the migration): whoever signs in as
the application can call them, which changes nothing that an entry says, and can otherwise add and read only.

A recent entry carries a seal, a keyed hash of what it says: one that somebody else put there is told by it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from typing_extensions import override

from adapters.outbound.postgres.pool import Database
from adapters.outbound.postgres.sealing import blind_index
from adapters.outbound.postgres.statements import compiled, readable
from adapters.outbound.postgres.tables import AUDIT_HEADS, AUDIT_LOG, AUDIT_RECENT
from application.ports.audit_log import AuditLog
from application.ports.keyring import Keyring
from domain.audit import AuditKind
from domain.audit_chain import RECENT, Head, Link

AT_ONCE = 5_000
"""Entries that one statement chains at most."""
DRAWN_AT_ONCE = 20_000

_R, _L, _H = AUDIT_RECENT.c, AUDIT_LOG.c, AUDIT_HEADS.c
_LIMIT = sa.bindparam("limit", type_=sa.Integer())
_AFTER = sa.bindparam("after", type_=sa.Integer())
_CHAIN = "SELECT pico_chain_audit($1)"
_DRAW = "SELECT pico_draw_audit($1, $2, $3)"
_NEWEST = sa.select(_H.chain, sa.func.max(_H.length).label("length")).group_by(_H.chain).subquery("newest")
_HEADS = compiled(
    sa.select(_H.chain, _H.length, _H.hash, _H.signed_at, _H.signature).join(
        _NEWEST, sa.and_(_H.chain == _NEWEST.c.chain, _H.length == _NEWEST.c.length)
    )
)
_RECENT = compiled(
    sa.select(_R.position, _R.day, readable(_R.kind), _R.commitment, _R.hash, _R.seal)
    .where(_R.position > _AFTER)
    .order_by(_R.position)
    .limit(_LIMIT),
    "after", "limit",
)  # fmt: skip
_LASTING = compiled(
    sa.select(_L.position, _L.day, readable(_L.kind), _L.commitment, _L.hash)
    .where(_L.chain == sa.bindparam("chain"), _L.position > _AFTER)
    .order_by(_L.position)
    .limit(_LIMIT),
    "chain", "after", "limit",
)  # fmt: skip
_UNCHAINED = compiled(sa.select(sa.func.count()).select_from(AUDIT_RECENT).where(_R.position.is_(None)))


def _keep(of: sa.Table, *where: sa.ColumnElement[bool]) -> str:
    """Return what keeps a head if the chain passes it at this moment."""
    columns = of.c
    given = [sa.bindparam(column.name, type_=column.type) for column in AUDIT_HEADS.c]
    length, end = (sa.bindparam(name, type_=AUDIT_HEADS.c[name].type) for name in ("length", "hash"))
    passed = sa.exists().where(columns.position == length, columns.hash == end, *where)
    kept = sa.select(AUDIT_HEADS.c.chain).where(
        _H.chain == sa.bindparam("chain", type_=_H.chain.type), _H.length == length
    )
    insert = postgresql.insert(AUDIT_HEADS).from_select(
        [column.name for column in AUDIT_HEADS.c], sa.select(*given).where(passed, ~kept.exists())
    )
    return compiled(insert.on_conflict_do_nothing(), *(column.name for column in AUDIT_HEADS.c))


_KEEP_RECENT = _keep(AUDIT_RECENT)
_KEEP_LASTING = _keep(AUDIT_LOG, _L.chain == sa.bindparam("chain", type_=_H.chain.type))


def seal_of(key: bytes, commitment: bytes, kind: str, day: date) -> bytes:
    """Return the keyed hash by which a recent entry is known as ours."""
    return blind_index(key, "audit_recent", commitment + day.isoformat().encode() + kind.encode())


@dataclass(frozen=True, slots=True)
class PostgresAuditLog(AuditLog):
    """`AuditLog` on a migrated database."""

    database: Database
    keyring: Keyring

    @override
    async def chain(self) -> int:
        (chained,) = await self.database.first(_CHAIN, AT_ONCE)
        return int(chained)

    @override
    async def draw(self, through: date, least: int) -> int:
        (drawn,) = await self.database.first(_DRAW, through, least, DRAWN_AT_ONCE)
        return int(drawn)

    @override
    async def heads(self) -> Mapping[int, Head]:
        return {row[0]: Head(*row) for row in await self.database.fetch(_HEADS)}

    @override
    async def page(self, chain: int, after: int, limit: int) -> Sequence[Link]:
        if chain != RECENT:
            rows = await self.database.fetch(_LASTING, chain, after, limit)
            return [
                Link(chain, position, day, AuditKind(kind), commitment, end)
                for position, day, kind, commitment, end in rows
            ]
        key = await self.keyring.system("index")
        return [
            Link(
                chain, position, day, AuditKind(kind), commitment, end,
                ours=hmac.compare_digest(seal, seal_of(key, commitment, kind, day)),
            )
            for position, day, kind, commitment, end, seal in await self.database.fetch(_RECENT, after, limit)
        ]  # fmt: skip

    @override
    async def unchained(self) -> int:
        (waiting,) = await self.database.first(_UNCHAINED)
        return int(waiting)

    @override
    async def keep_head(self, head: Head) -> None:
        statement = _KEEP_RECENT if head.chain == RECENT else _KEEP_LASTING
        await self.database.execute(
            statement, head.chain, head.length, head.hash, head.signed_at, head.signature
        )
