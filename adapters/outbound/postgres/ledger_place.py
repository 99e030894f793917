"""The ledger's position, in a row of the database: a backup holds the one of its time."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from typing_extensions import override

from adapters.outbound.postgres.pool import Database
from adapters.outbound.postgres.statements import compiled, value
from adapters.outbound.postgres.tables import LEDGER_PLACE
from application.ports.ledger_place import LedgerPlace
from domain.receipts import LedgerPosition

LEDGER = 1
"""The one ledger there is."""

_P = LEDGER_PLACE.c
NOTED = compiled(sa.select(_P.number, _P.head).where(_P.ledger == value("ledger", _P.ledger)), "ledger")


def _note() -> str:
    given = {name: value(name, _P[name]) for name in ("ledger", "number", "head")}
    insert = postgresql.insert(LEDGER_PLACE).values(given)
    later = {name: insert.excluded[name] for name in ("number", "head")}
    kept = insert.on_conflict_do_update(
        index_elements=["ledger"], set_=later, where=_P.number < insert.excluded.number
    )
    return compiled(kept, *given)


NOTE = _note()


class PostgresLedgerPlace(LedgerPlace):
    """`LedgerPlace` over a migrated database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def noted(self) -> LedgerPosition | None:
        row = await self._database.first(NOTED, LEDGER)
        return None if row is None else LedgerPosition(row["number"], row["head"])

    @override
    async def note(self, position: LedgerPosition) -> None:
        await self._database.execute(NOTE, LEDGER, position.number, position.head)
