"""Turns to catch up with carriers: a row for each carrier, and one statement to take a turn."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from typing_extensions import override

from adapters.outbound.postgres.pool import Database
from adapters.outbound.postgres.statements import compiled, value
from adapters.outbound.postgres.tables import CATCH_UPS
from application.ports.catch_ups import CatchUps, CatchUpTurn

_C = CATCH_UPS.c
_CARRIER, _NUMBER, _UNTIL = value("carrier", _C.carrier), value("number", _C.number), value("until", _C.until)
_NOW, _UP_TO = value("now", _C.until), value("caught_up_to", _C.caught_up_to)

_ONE: sa.ColumnElement[int] = sa.literal_column("1")


def _take() -> str:
    first = postgresql.insert(CATCH_UPS).values(carrier=_CARRIER, number=_ONE, until=_UNTIL)
    next_one = first.on_conflict_do_update(
        index_elements=["carrier"],
        set_={"number": _C.number + _ONE, "until": first.excluded.until},
        where=_C.until <= _NOW,
    )
    return compiled(next_one.returning(_C.number, _C.caught_up_to), "carrier", "now", "until")


TAKE = _take()
KEEP = compiled(
    sa.update(CATCH_UPS)
    .where(_C.carrier == _CARRIER, _C.number == _NUMBER)
    .values(until=_UNTIL, caught_up_to=sa.func.coalesce(_UP_TO, _C.caught_up_to)),
    "carrier", "number", "until", "caught_up_to",
)  # fmt: skip


class PostgresCatchUps(CatchUps):
    """`CatchUps` over a migrated database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def take(self, carrier: str, now: datetime, until: datetime) -> CatchUpTurn | None:
        row = await self._database.first(TAKE, carrier, now, until)
        return None if row is None else CatchUpTurn(carrier, row["number"], row["caught_up_to"])

    @override
    async def keep(self, turn: CatchUpTurn, until: datetime, caught_up_to: datetime | None = None) -> bool:
        return bool(await self._database.execute(KEEP, turn.carrier, turn.number, until, caught_up_to))
