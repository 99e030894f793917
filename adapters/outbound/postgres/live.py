"""Live events on PostgreSQL: written without a place by the flush, and put in their order by whoever follows them.

Places are given by a statement that moves the stream's latest event on from where it was read. Its row lock lets one
after the other do so, and of two who read the same only the first: so places are given in the order of the commits that
give them, and whoever can see one sees all before it. The flush has no part in it: no commit waits for another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from typing_extensions import override

from adapters.outbound.postgres.codec import codec
from adapters.outbound.postgres.pool import Database
from adapters.outbound.postgres.reading import ACCOUNT, owned
from adapters.outbound.postgres.statements import compiled, count_of, readable
from application.ports.live import LiveEvents
from domain.accounts import Account
from domain.kernel import AccountId, NotFound
from domain.live import (
    BEGINNING,
    LiveEvent,
    LiveEventId,
    LiveStream,
    first_at,
    place_of,
    placed,
    shows,
)
from domain.live_kinds import LiveKind

PAGE = 500
"""Events that get their places in one go."""

_STREAM, _EVENT = codec(LiveStream).table, codec(LiveEvent).table
_S, _E = _STREAM.c, _EVENT.c
_UUIDS = postgresql.ARRAY(postgresql.UUID())
_ONE: sa.Label[int] = sa.literal_column("1").label("one")
_SEEN = sa.bindparam("seen", type_=_E.id.type)


def _begin() -> str:
    """Compile the beginning of a stream. It relies on the account's row, so that none outlives the account."""
    living = sa.select(_ONE).select_from(codec(Account).table).where(owned(Account))
    living_row = living.with_for_update(read=True, key_share=True).cte("living")
    account = sa.bindparam(ACCOUNT, type_=_S.account_id.type)
    values = sa.select(
        account, account, sa.bindparam("beginning", type_=_S.last.type), sa.literal_column("1")
    ).select_from(living_row)
    made = postgresql.insert(_STREAM).from_select(["account_id", "id", "last", "version"], values)
    return compiled(made.on_conflict_do_nothing(), ACCOUNT, "beginning")


def _pairs(**columns: sa.Column[Any]) -> Any:  # noqa: ANN401 - a table
    """Return parameters, each a list of ids, as the columns of a table."""
    lists = (sa.bindparam(name, type_=_UUIDS) for name in columns)
    named = (sa.column(name, of.type) for name, of in columns.items())
    return sa.func.unnest(*lists).table_valued(*named).render_derived(name="pairs")


def _place() -> str:
    """Compile the giving of places to events, if the stream still ends where it was read to end."""
    moved = (
        sa.update(_STREAM)
        .where(owned(LiveStream), _S.last == sa.bindparam("last", type_=_S.last.type))
        .values(last=sa.bindparam("latest", type_=_S.last.type))
        .returning(_ONE)
        .cte("moved")
    )
    pairs = _pairs(waiting=_E.id, placed=_E.id)
    given = (
        sa.update(_EVENT)
        .where(owned(LiveEvent), _E.id == pairs.c.waiting, sa.exists(sa.select(_ONE).select_from(moved)))
        .values(id=pairs.c.placed)
        .returning(_ONE)
        .cte("given")
    )
    return compiled(
        sa.select(count_of(moved), count_of(given)), ACCOUNT, "last", "latest", "waiting", "placed"
    )


def _stirred() -> str:
    pairs = _pairs(accounts=_E.account_id, seen=_E.id)
    behind = sa.and_(_E.account_id == pairs.c.accounts, _E.id > pairs.c.seen)
    found = sa.select(_E.account_id).select_from(pairs.join(_EVENT, behind)).distinct()
    return compiled(found, "accounts", "seen")


_BEGIN, _PLACE, STIRRED = _begin(), _place(), _stirred()
_LAST = compiled(sa.select(_S.last).where(owned(LiveStream)), ACCOUNT)
_AFTER = compiled(
    sa.select(_S.last, _E.id, readable(_E.kind), _E.subject, _E.at)
    .select_from(_STREAM.join(_EVENT, _EVENT.c.account_id == _S.account_id))
    .where(owned(LiveStream), owned(LiveEvent), _E.id > _SEEN)
    .order_by(_E.id)
    .limit(sa.bindparam("limit", type_=sa.Integer())),
    ACCOUNT, "seen", "limit",
)  # fmt: skip
_FIRST = compiled(
    sa.select(_E.id).where(owned(LiveEvent), _E.id >= _SEEN).order_by(_E.id).limit(sa.literal_column("1")),
    ACCOUNT,
    "seen",
)


class PostgresLiveEvents(LiveEvents):
    """`LiveEvents` on the store's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def head(self, account_id: AccountId) -> LiveEventId:
        last = await self._last(account_id)
        if last is None:
            await self._database.execute(_BEGIN, account_id, BEGINNING)
            last = await self._last(account_id)
        if last is None:
            raise NotFound
        while events := await self.after(account_id, last, PAGE):
            last = events[-1].id
        return last

    @override
    async def after(self, account_id: AccountId, seen: LiveEventId, limit: int) -> Sequence[LiveEvent]:
        while True:
            rows = await self._database.fetch(_AFTER, account_id, seen, limit)
            events = [_event(account_id, row) for row in rows]
            waiting = [event for event in events if not event.has_place]
            if not waiting or await self._place(account_id, _id(rows[0][0]), waiting):
                return events

    @override
    async def may_resume(self, account_id: AccountId, seen: LiveEventId) -> bool:
        row = await self._database.first(_FIRST, account_id, first_at(place_of(seen)))
        return row is not None and shows(_id(row[0]), seen)

    @override
    async def stirred(self, seen: Mapping[AccountId, LiveEventId]) -> set[AccountId]:
        if not seen:
            return set()
        rows = await self._database.fetch(STIRRED, list(seen), list(seen.values()))
        return {AccountId(row[0]) for row in rows}

    @override
    @contextmanager
    def hearing(self, hear: Callable[[AccountId], None]) -> Iterator[None]:
        self._database.listeners.add(hear)
        try:
            yield
        finally:
            self._database.listeners.discard(hear)

    async def _last(self, account_id: AccountId) -> LiveEventId | None:
        row = await self._database.first(_LAST, account_id)
        return None if row is None else _id(row[0])

    async def _place(self, account_id: AccountId, last: LiveEventId, waiting: list[LiveEvent]) -> bool:
        """Put events behind the latest one, in this order. Tell whether it still was the latest."""
        before = [event.id for event in waiting]
        for place, event in enumerate(waiting, place_of(last) + 1):
            event.id = placed(event.id, place)
        after = [event.id for event in waiting]
        moved, _ = await self._database.first(_PLACE, account_id, last, after[-1], before, after)
        return bool(moved)


def _id(of: Any) -> LiveEventId:  # noqa: ANN401 - the driver's own kind of UUID
    return LiveEventId(of)


def _event(account_id: AccountId, row: Any) -> LiveEvent:  # noqa: ANN401 - a row
    _, event_id, kind, subject, at = row
    return LiveEvent(
        account_id=account_id, id=_id(event_id), kind=LiveKind(kind), subject=subject, at=at, version=1
    )
