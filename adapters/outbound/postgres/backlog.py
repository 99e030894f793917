"""What is still to be done, counted in the database: each look goes over what is open, and over nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from typing_extensions import override

from adapters.outbound.postgres.codec import codec
from adapters.outbound.postgres.pool import Database
from adapters.outbound.postgres.statements import compiled
from adapters.outbound.postgres.tables import ERASURES, JOBS, RESIDUE
from application.ports.backlog import HORIZON, Backlog, OpenErasures, QueuedWork
from domain.accounts import Account
from domain.residue import Holding

_J, _E, _R, _A = JOBS.c, ERASURES.c, RESIDUE.c, codec(Account).table.c
_NOW = sa.func.now()
_DUE = _J.due_at <= _NOW
_NEVER = sa.literal_column("interval '0'", sa.Interval())
_NEAR = (
    _J.state != sa.literal_column("'dead'", _J.state.type),
    _J.due_at <= _NOW + sa.bindparam("horizon", type_=sa.Interval()),
)

WORK = compiled(
    sa.select(
        _J.name,
        sa.func.count().filter(_DUE),
        sa.func.count().filter(sa.not_(_DUE)),
        sa.func.greatest(_NOW - sa.func.min(_J.due_at), _NEVER),
        sa.func.greatest(_NOW - sa.func.min(_J.queued_at), _NEVER),
    )
    .where(*_NEAR)
    .group_by(_J.name)
    .order_by(_J.name),
    "horizon",
)
"""Read off the index of what is due; dead jobs are not in it."""
FAILING = compiled(
    sa.select(_J.failure, sa.func.count()).where(*_NEAR, _J.failure.is_not(None)).group_by(_J.failure),
    "horizon",
)


def _longest_due() -> str:
    """Compile the look for the account that is due longest: each branch is the first entry of an index."""
    branches = []
    for state, since, until in (
        ("pending_deletion", _A.erase_at, "due_before"),
        ("unverified", _A.created_at, "unverified_before"),
    ):
        cutoff = sa.bindparam(until, type_=since.type)
        of_state = _A.state == sa.literal_column(f"'{state}'")
        first = sa.select((cutoff - since).label("waited")).where(of_state, since <= cutoff)
        branches.append(sa.select(first.order_by(since).limit(sa.literal_column("1")).subquery()))
    every = sa.union_all(*branches).subquery()
    return compiled(sa.select(sa.func.max(every.c.waited)), "due_before", "unverified_before")


LONGEST_DUE = _longest_due()
OPEN_ERASURES = compiled(
    sa.select(_E.done, sa.func.count(), sa.func.min(_E.began_at)).group_by(_E.done).order_by(_E.done)
)
HELD = compiled(
    sa.select(sa.cast(_R.holding, sa.Text()), sa.func.count())
    .where(_R.state == sa.literal_column("'held'", _R.state.type))
    .group_by(_R.holding)
)


class PostgresBacklog(Backlog):
    """`Backlog` on the store's database. Ages are told by the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def work(self) -> Sequence[QueuedWork]:
        return [QueuedWork(*row) for row in await self._database.fetch(WORK, HORIZON)]

    @override
    async def failing(self) -> Mapping[str, int]:
        return dict(await self._database.fetch(FAILING, HORIZON))

    @override
    async def longest_due(self, due_before: datetime, unverified_before: datetime) -> timedelta | None:
        row = await self._database.first(LONGEST_DUE, due_before, unverified_before)
        return None if row is None else row[0]

    @override
    async def erasures(self) -> Sequence[OpenErasures]:
        return [OpenErasures(*row) for row in await self._database.fetch(OPEN_ERASURES)]

    @override
    async def held(self) -> Mapping[Holding, int]:
        return {Holding(name): count for name, count in await self._database.fetch(HELD)}
