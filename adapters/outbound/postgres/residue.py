"""The residue lists of unfinished erasures.

Every row carries a keyed hash of all its values, under a system key: who can write to the database cannot have an
erasure ask providers for what is another account's, or believe that something is gone.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from adapters.outbound.postgres.pool import Database
from adapters.outbound.postgres.reading import ACCOUNT
from adapters.outbound.postgres.sealing import blind_index, prefixed
from adapters.outbound.postgres.statements import compiled, readable, value
from adapters.outbound.postgres.tables import RESIDUE
from domain.kernel import AccountId, CarrierRef, LineId, SealBroken
from domain.residue import Holding, Residue, ResidueState

_KEY = ("account_id", "holding", "ref")
_REST = ("line_id", "state", "gone_at", "seal")
_OF_NOBODY = b""


def _read(*after: sa.ColumnElement[bool]) -> sa.Select[Any]:
    columns = RESIDUE.c
    wanted = sa.select(*(readable(columns[name]) for name in (*_KEY[1:], *_REST)))
    wanted = wanted.where(columns.account_id == sa.bindparam(ACCOUNT), *after)
    return wanted.order_by(columns.holding, columns.ref).limit(sa.bindparam("limit", type_=sa.Integer()))


_FIRST = compiled(_read(), ACCOUNT, "limit")
_AFTER = compiled(
    _read(
        sa.tuple_(RESIDUE.c.holding, RESIDUE.c.ref)
        > sa.tuple_(value("holding", RESIDUE.c.holding), value("ref", RESIDUE.c.ref))
    ),
    ACCOUNT,
    "limit",
    "holding",
    "ref",
)


def _insert() -> Any:  # noqa: ANN401 - SQLAlchemy's own type has no name
    account = sa.bindparam(ACCOUNT, type_=RESIDUE.c.account_id.type)
    given = []
    for name in (*_KEY[1:], *_REST):
        column = RESIDUE.c[name]
        is_word = isinstance(column.type, sa.Enum)
        of = sa.Text() if is_word else column.type
        each = sa.func.unnest(sa.bindparam(name, type_=postgresql.ARRAY(of)))
        given.append((sa.cast(each, column.type) if is_word else each).label(name))
    return postgresql.insert(RESIDUE).from_select([*_KEY, *_REST], sa.select(account, *given))


def _text(statement: Any) -> str:  # noqa: ANN401 - SQLAlchemy's own type has no name
    return compiled(statement, ACCOUNT, *_KEY[1:], *_REST)


_ADD = _text(_insert().on_conflict_do_nothing(index_elements=_KEY))
_made = _insert()
_SAVE = _text(
    _made.on_conflict_do_update(index_elements=_KEY, set_={name: _made.excluded[name] for name in _REST})
)


async def read(
    database: Database, key: bytes, account_id: AccountId, after: Residue | None, limit: int
) -> list[Residue]:
    """Return up to `limit` entries after one of them. Raises SealBroken."""
    if after is None:
        rows = await database.fetch(_FIRST, account_id, limit)
    else:
        rows = await database.fetch(_AFTER, account_id, limit, after.holding, after.ref)
    return [_opened(key, account_id, row) for row in rows]


async def write(database: Database, key: bytes, entries: Sequence[Residue], *, over: bool) -> None:
    """Put entries of one account on the list, over what is there or beside it."""
    if entries:
        columns = zip(*(_cells(key, entry) for entry in entries), strict=True)
        await database.execute(_SAVE if over else _ADD, entries[0].account_id, *map(list, columns))


def _opened(key: bytes, account_id: AccountId, row: Any) -> Residue:  # noqa: ANN401 - a row
    holding, ref, line_id, state, gone_at, seal = row
    entry = Residue(
        account_id=account_id, holding=Holding(holding), ref=CarrierRef(ref),
        line_id=None if line_id is None else LineId(line_id), state=ResidueState(state), gone_at=gone_at,
    )  # fmt: skip
    if not hmac.compare_digest(seal, _seal(key, entry)):
        raise SealBroken
    return entry


def _cells(key: bytes, entry: Residue) -> tuple[object, ...]:
    return entry.holding, entry.ref, entry.line_id, entry.state, entry.gone_at, _seal(key, entry)


def _seal(key: bytes, entry: Residue) -> bytes:
    line = _OF_NOBODY if entry.line_id is None else entry.line_id.bytes
    parts = (
        entry.account_id.bytes, entry.holding.encode(), entry.ref.encode(), line, entry.state.encode(),
        _instant(entry.gone_at),
    )  # fmt: skip
    return blind_index(key, "residue", b"".join(map(prefixed, parts)))


def _instant(at: datetime | None) -> bytes:
    return b"" if at is None else str(at.timestamp()).encode()
