"""The desk for requests on PostgreSQL: whom one is about is a keyed fingerprint, by which it is found and no more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from typing_extensions import override

from adapters.outbound.postgres.pool import Database
from adapters.outbound.postgres.sealing import blind_index
from adapters.outbound.postgres.statements import compiled, readable, value
from adapters.outbound.postgres.tables import DATA_REQUESTS
from application.ports.data_requests import DataRequests
from application.ports.keyring import Keyring
from domain.data_requests import (
    DataRequest,
    DataRequestClosed,
    DataRequestId,
    DataRequestKind,
    DataRequestOpen,
    DataRequestOutcome,
)

_R = DATA_REQUESTS.c
_SHOWN = sa.select(
    *(readable(_R[name]).label(name) for name in ("id", "kind", "received_at", "closed_at", "outcome"))
)
_ABOUT, _ID = value("about", _R.about), value("id", _R.id)
_OPEN = _R.closed_at.is_(None)

ADD = compiled(
    postgresql.insert(DATA_REQUESTS)
    .values({name: value(name, _R[name]) for name in ("about", "id", "kind", "received_at")})
    .on_conflict_do_nothing(index_elements=["about", "kind"], index_where=sa.text("closed_at IS NULL"))
    .returning(_R.id),
    "about", "id", "kind", "received_at",
)  # fmt: skip
OF = compiled(_SHOWN.where(_R.about == _ABOUT).order_by(_R.received_at, _R.id), "about")
ALL = compiled(_SHOWN.order_by(_R.received_at, _R.id))
CLOSE = compiled(
    sa.update(DATA_REQUESTS)
    .where(_R.about == _ABOUT, _R.id == _ID, _OPEN)
    .values(closed_at=value("closed_at", _R.closed_at), outcome=value("outcome", _R.outcome)),
    "about", "id", "closed_at", "outcome",
)  # fmt: skip
OVER = compiled(
    sa.select(_R.about, _R.id).where(_R.closed_at <= value("closed_by", _R.closed_at)).order_by(_R.closed_at)
    .limit(sa.bindparam("most", type_=sa.Integer())),
    "closed_by", "most",
)  # fmt: skip
PURGE = compiled(sa.delete(DATA_REQUESTS).where(_R.about == _ABOUT, _R.id == _ID, ~_OPEN), "about", "id")


class PostgresDataRequests(DataRequests):
    """`DataRequests` on the store's database. Fingerprints are made under the keyring's "requests" key."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    @override
    async def add(self, request: DataRequest, about: UUID) -> None:
        key, kind = await self._key(about), request.kind.value
        if await self._database.first(ADD, key, request.id, kind, request.received_at) is None:
            raise DataRequestOpen

    @override
    async def of(self, about: UUID) -> Sequence[DataRequest]:
        return list(map(_request, await self._database.fetch(OF, await self._key(about))))

    @override
    async def all(self) -> Sequence[DataRequest]:
        return list(map(_request, await self._database.fetch(ALL)))

    @override
    async def close(self, request: DataRequest, about: UUID) -> None:
        outcome = None if request.outcome is None else request.outcome.value
        key = await self._key(about)
        if not await self._database.execute(CLOSE, key, request.id, request.closed_at, outcome):
            raise DataRequestClosed

    @override
    async def purge(self, closed_by: datetime, most: int) -> int:
        over = await self._database.fetch(OVER, closed_by, most)
        return sum([await self._database.execute(PURGE, row[0], row[1]) for row in over])

    async def _key(self, about: UUID) -> bytes:
        return blind_index(await self._keyring.system("requests"), "data_requests.about", about.bytes)


def _request(row: asyncpg.Record) -> DataRequest:
    return DataRequest(
        id=DataRequestId(UUID(bytes=row["id"].bytes)),
        kind=DataRequestKind(row["kind"]),
        received_at=row["received_at"],
        closed_at=row["closed_at"],
        outcome=None if row["outcome"] is None else DataRequestOutcome(row["outcome"]),
    )
