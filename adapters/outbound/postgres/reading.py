"""How one unit of work reads: each read is one statement, and sees what is committed at that moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

import sqlalchemy as sa
import structlog

from adapters.outbound.postgres.codec import CODECS, A, Codec, Keys
from adapters.outbound.postgres.decoding import Aggregates, Row, Rows
from adapters.outbound.postgres.pool import Reads
from adapters.outbound.postgres.statements import compiled
from domain.kernel import AccountId, Aggregate, NotFound, SealBroken

R = TypeVar("R")
log = structlog.get_logger()
ACCOUNT = "account_id"
"""The first parameter of every statement about an account's rows."""

AGGREGATES: dict[type[Aggregate], Aggregates[Any]] = {of: Aggregates(codec) for of, codec in CODECS.items()}
_SEALING = {codec.name: codec.sealing for codec in CODECS.values()}


class Original(NamedTuple):
    """What an aggregate was when this unit of work loaded it."""

    aggregate: Aggregate
    values: tuple[Any, ...]
    listed: tuple[bool, ...]
    """Whether the directory led to it, by each of its directory keys."""


def owned(of: type[Aggregate]) -> sa.ColumnElement[bool]:
    """Return the condition that every read of a table starts with: the rows of this account."""
    codec: Codec[Any] = CODECS[of]
    return codec.table.c[codec.owner] == sa.bindparam(ACCOUNT)


LAST_ID = UUID(int=2**128 - 1)
"""No id comes after it."""


def whole(of: type[Aggregate], *where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Return a select of whole aggregates of this account."""
    return sa.select(*AGGREGATES[of].columns).where(owned(of), *where)


@dataclass(frozen=True, slots=True)
class Read(Generic[A]):
    """A prepared read of whole aggregates of one type."""

    of: Aggregates[A]
    text: str

    @classmethod
    def by(cls, of: type[A], select: sa.Select[Any], *parameters: str) -> Read[A]:
        """Compile a select of `whole` aggregates; its parameters come after the account, in this order."""
        return cls(AGGREGATES[of], compiled(select, ACCOUNT, *parameters))


@dataclass(frozen=True, slots=True)
class RowRead(Generic[R]):
    """A prepared read of the rows of a list."""

    of: Rows[R]
    text: str

    @classmethod
    def by(cls, rows: Rows[R], select: sa.Select[Any], *parameters: str) -> RowRead[R]:
        """Compile a select of the `columns` of `rows`."""
        return cls(rows, compiled(select, ACCOUNT, *parameters))


def alarm(table: str, row_id: UUID, columns: Iterable[str], account_id: AccountId) -> None:
    """Tell whoever watches that a seal is broken: where, by ids, and nothing of what was sealed."""
    log.error("seal broken", table=table, columns=sorted(columns), row=str(row_id), account=str(account_id))


@dataclass(slots=True)
class Reader:
    """Reads one account's rows, and remembers what its aggregates were when they were loaded."""

    database: Reads
    account_id: AccountId
    keys: Keys
    _originals: dict[int, Original]

    def original(self, aggregate: Aggregate) -> Original | None:
        """Return what an aggregate was when it was loaded here, or None when it was not."""
        return self._originals.get(id(aggregate))

    async def all(self, read: Read[A], *values: object, even_broken: bool = False) -> list[A]:
        """Return every aggregate that a read finds. Raises SealBroken for an altered one, unless it is wanted too."""
        rows = await self.database.fetch(read.text, self.account_id, *values)
        load = self.loader(read.of, even_broken=even_broken)
        return [load(row) for row in rows]

    async def maybe(self, read: Read[A], *values: object, even_broken: bool = False) -> A | None:
        """Return the one aggregate that a read finds, or None."""
        found = await self.all(read, *values, even_broken=even_broken)
        return found[0] if found else None

    async def one(self, read: Read[A], *values: object, even_broken: bool = False) -> A:
        """Return the one aggregate that a read finds. Raises NotFound."""
        found = await self.all(read, *values, even_broken=even_broken)
        if not found:
            raise NotFound
        return found[0]

    async def rows(self, read: RowRead[R], *values: object) -> list[R]:
        """Return the rows of a list. One that is broken holds up no other: what does not open is None."""
        rows = await self.database.fetch(read.text, self.account_id, *values)
        load = read.of.loader(self.keys.cipher, self.report_broken)
        return [load(row) for row in rows]

    def loader(self, of: Aggregates[A], *, even_broken: bool = False) -> Callable[[Row], A]:
        """Return what makes an aggregate of a row, and remembers it.

        Of a broken row that was not altered it is made all the same: what does not open of it decides nothing.
        """
        broken = self.report_broken if even_broken else self._refuse_altered
        load, originals, listed = of.loader(self.keys.cipher, broken), self._originals, of.listed

        def remembered(row: Row) -> A:
            aggregate, values = load(row)
            originals[id(aggregate)] = Original(aggregate, values, listed(aggregate))
            return aggregate

        return remembered

    def report_broken(self, table: str, row_id: UUID, columns: frozenset[str]) -> None:
        """Raise the alarm: somebody altered a row, or a disk did."""
        alarm(table, row_id, columns, self.account_id)

    def _refuse_altered(self, table: str, row_id: UUID, columns: frozenset[str]) -> None:
        """Raise the alarm; and SealBroken where the seal does not open, or all there is."""
        self.report_broken(table, row_id, columns)
        if _SEALING[table] is None or _SEALING[table] in columns:
            raise SealBroken

    def refuse_broken(self, table: str, row_id: UUID, columns: frozenset[str]) -> None:
        """Raise the alarm, and SealBroken."""
        self.report_broken(table, row_id, columns)
        raise SealBroken
