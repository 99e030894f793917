"""Deletion outside of a unit of work: whole accounts, what is past its time, and how far an erasure has come.

None of it needs a key. Every statement but the looks for what is due is about one account.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from adapters.outbound.postgres.codec import CODECS
from adapters.outbound.postgres.pool import Database
from adapters.outbound.postgres.reading import ACCOUNT, alarm, owned
from adapters.outbound.postgres.sealing import blind_index, prefixed
from adapters.outbound.postgres.statements import compiled, count_of
from adapters.outbound.postgres.tables import DIRECTORY, ERASURE_COUNTS, ERASURES, JOBS, RESIDUE
from application.inventory import INVENTORY
from application.ports.jobs import ERASURE_JOB
from domain.erasure import Erasure
from domain.kernel import AccountId, Aggregate

BATCH = 5_000
"""How many rows one statement deletes at most: locks stay short."""

_LISTED = DIRECTORY.c.account_id == sa.bindparam(ACCOUNT)
_QUEUED = sa.and_(JOBS.c.account_id == sa.bindparam(ACCOUNT), JOBS.c.name != sa.bindparam("spared"))
_NAMES = (*(stored.name for stored in INVENTORY), DIRECTORY.name, JOBS.name)


def _counts() -> str:
    tables = [sa.select(CODECS[each.of].table.c.id).where(owned(each.of)) for each in INVENTORY]
    tables += [sa.select(DIRECTORY.c.subject_id).where(_LISTED), sa.select(JOBS.c.id).where(_QUEUED)]
    return compiled(sa.select(*(count_of(rows.subquery()) for rows in tables)), ACCOUNT, "spared")


def _some(of: Any) -> str:  # noqa: ANN401 - a type of aggregate
    table = CODECS[of].table
    some = sa.select(table.c.id).where(owned(of)).limit(sa.literal_column(str(BATCH)))
    return compiled(sa.delete(table).where(owned(of), table.c.id.in_(some)), ACCOUNT)


COUNT = _counts()
"""Counts every row of an account, by table."""
_DELETE = {stored.name: _some(stored.of) for stored in INVENTORY}
_DELETE_LISTED = compiled(sa.delete(DIRECTORY).where(_LISTED), ACCOUNT)
_DELETE_QUEUED = compiled(sa.delete(JOBS).where(_QUEUED), ACCOUNT, "spared")


async def count_rows(database: Database, account_id: AccountId) -> dict[str, int]:
    """Count every row that holds an account's id, by table."""
    counts = await database.first(COUNT, account_id, ERASURE_JOB)
    return dict(zip(_NAMES, counts, strict=True))


async def delete_rows(database: Database, account_id: AccountId) -> dict[str, int]:
    """Delete every row of an account, its own row first: no commit can add to it from then on."""
    gone = {}
    for name, statement in _DELETE.items():
        gone[name] = latest = await database.execute(statement, account_id)
        while latest == BATCH:
            latest = await database.execute(statement, account_id)
            gone[name] += latest
    gone[DIRECTORY.name] = await database.execute(_DELETE_LISTED, account_id)
    gone[JOBS.name] = await database.execute(_DELETE_QUEUED, account_id, ERASURE_JOB)
    return gone


# How far an erasure has come.

_MINE, _COUNT_OF_MINE, _RESIDUE_OF_MINE = (
    table.c.account_id == sa.bindparam(ACCOUNT) for table in (ERASURES, ERASURE_COUNTS, RESIDUE)
)
_FIND = compiled(
    sa.select(
        ERASURES.c.began_at,
        ERASURES.c.done,
        ERASURES.c.done_at,
        ERASURES.c.seal,
        ERASURE_COUNTS.c.name,
        ERASURE_COUNTS.c.count,
    )
    .select_from(ERASURES.outerjoin(ERASURE_COUNTS, ERASURES.c.account_id == ERASURE_COUNTS.c.account_id))
    .where(_MINE),
    ACCOUNT,
)
_FORGET = compiled(
    sa.delete(ERASURES)
    .where(_MINE)
    .add_cte(
        sa.delete(ERASURE_COUNTS).where(_COUNT_OF_MINE).cte("counts"),
        sa.delete(RESIDUE).where(_RESIDUE_OF_MINE).cte("residue_of"),
    ),
    ACCOUNT,
)


def _checkpoint() -> str:
    account = sa.bindparam(ACCOUNT, type_=ERASURES.c.account_id.type)
    names = ("began_at", "done", "done_at", "seal")
    given = {name: sa.bindparam(name, type_=ERASURES.c[name].type) for name in names}
    place = postgresql.insert(ERASURES).values({"account_id": account, **given})
    place = place.on_conflict_do_update(index_elements=["account_id"], set_=given)
    words = [
        sa.func.unnest(sa.bindparam(name, type_=postgresql.ARRAY(column.type))).label(name)
        for name, column in (("names", ERASURE_COUNTS.c.name), ("counts", ERASURE_COUNTS.c.count))
    ]
    counts = postgresql.insert(ERASURE_COUNTS).from_select(
        ["account_id", "name", "count"], sa.select(account, *words)
    )
    counts = counts.on_conflict_do_update(
        index_elements=["account_id", "name"], set_={"count": counts.excluded.count}
    )
    return compiled(counts.add_cte(place.cte("place")), ACCOUNT, *names, "names", "counts")


_CHECKPOINT = _checkpoint()


async def checkpoint_of(database: Database, key: bytes, account_id: AccountId) -> Erasure | None:
    """Return how far an unfinished erasure has come. What we did not write ourselves is not believed."""
    rows = await database.fetch(_FIND, account_id)
    if not rows:
        return None
    began_at, done, done_at, seal, *_ = rows[0]
    counts = {name: number for *_, name, number in rows if name is not None}
    erasure = Erasure(account_id=account_id, began_at=began_at, done=done, done_at=done_at, counts=counts)
    if hmac.compare_digest(seal, _seal(key, erasure)):
        return erasure
    alarm(ERASURES.name, account_id, {"seal"}, account_id)
    return None


async def checkpoint(database: Database, key: bytes, erasure: Erasure) -> None:
    """Remember how far an erasure has come."""
    counts = [*erasure.counts], [*erasure.counts.values()]
    place = erasure.began_at, erasure.done, erasure.done_at, _seal(key, erasure)
    await database.execute(_CHECKPOINT, erasure.account_id, *place, *counts)


def _seal(key: bytes, erasure: Erasure) -> bytes:
    place = (erasure.done or "", *(str(at and at.timestamp()) for at in (erasure.began_at, erasure.done_at)))
    counts = (f"{name}={count}" for name, count in sorted(erasure.counts.items()))
    parts = (erasure.account_id.bytes, *(word.encode() for word in (*place, *counts)))
    return blind_index(key, "erasures", b"".join(map(prefixed, parts)))


async def forget(database: Database, account_id: AccountId) -> None:
    """Drop the checkpoint and the residue list."""
    await database.execute(_FORGET, account_id)


# What is past its time: found by a plain read, deleted account by account.


class _Purge:
    """Deletes rows of one type that are past their time by one of their columns."""

    def __init__(self, of: Any, since: str) -> None:  # noqa: ANN401 - a type of aggregate
        columns = CODECS[of].table.c
        due = columns[since] <= sa.bindparam("until")
        find = sa.select(columns.account_id, columns.id).where(due).order_by(columns[since])
        self._find = compiled(find.limit(sa.bindparam("limit", type_=sa.Integer())), "until", "limit")
        ids = sa.bindparam("ids", type_=postgresql.ARRAY(columns.id.type))
        delete = sa.delete(CODECS[of].table).where(owned(of), columns.id == sa.func.any(ids), due)
        self._delete = compiled(delete, ACCOUNT, "ids", "until")

    async def __call__(self, database: Database, until: datetime, limit: int) -> int:
        """Delete up to `limit` rows that were past their time at `until`; return how many went."""
        due = defaultdict[UUID, list[UUID]](list)
        for account_id, row_id in await database.fetch(self._find, until, limit):
            due[account_id].append(row_id)
        return sum(
            [await database.execute(self._delete, account_id, ids, until) for account_id, ids in due.items()]
        )


_purges: dict[tuple[str, str], _Purge] = {}


def purge_by(of: type[Aggregate], since: str) -> _Purge:
    """Return what purges one type by one of its columns, composed at first use. Raises KeyError for no column."""
    name = of.stored_as, since
    if name not in _purges:
        _purges[name] = _Purge(of, since)
    return _purges[name]
