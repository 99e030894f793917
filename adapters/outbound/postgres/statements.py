"""The text of statements: composed from the tables, so that a misspelt column fails at import, not at night."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import asyncpg

_DIALECT = asyncpg.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's dialects are made without types
_PLACE = re.compile(r"\$(\d+)")
_TEXT, _TEXTS = sa.Text(), postgresql.ARRAY(sa.Text())


def compiled(statement: sa.ClauseElement, *order: str) -> str:
    """Return the text of a statement, its parameters numbered in this order. Raises ValueError unless they are all."""
    made: Any = statement.compile(dialect=_DIALECT)
    if {*made.positiontup} != {*order}:
        raise ValueError(made.positiontup)
    numbers = {name: at for at, name in enumerate(order, 1)}

    def renumbered(place: re.Match[str]) -> str:
        return f"${numbers[made.positiontup[int(place[1]) - 1]]}"

    return _PLACE.sub(renumbered, str(made))


def value(name: str, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Return a parameter for a column. Members of closed sets go as text: the driver looks up every enum type."""
    if isinstance(column.type, sa.Enum):
        return sa.cast(sa.bindparam(name, type_=_TEXT), column.type)
    if isinstance(column.type, postgresql.ARRAY):
        return sa.cast(sa.bindparam(name, type_=_TEXTS), column.type)
    return sa.bindparam(name, type_=column.type)


def readable(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Return a column as it is selected: members of closed sets come as text."""
    if isinstance(column.type, sa.Enum):
        return sa.cast(column, _TEXT)
    return sa.cast(column, _TEXTS) if isinstance(column.type, postgresql.ARRAY) else column


def count_of(rows: sa.FromClause) -> sa.ScalarSelect[int]:
    """Return the number of rows of a table expression."""
    return sa.select(sa.func.count()).select_from(rows).scalar_subquery()


Parameter = Callable[[sa.Column[Any]], sa.ColumnElement[Any]]
"""Returns the next parameter of a statement under composition, of a column's type."""
