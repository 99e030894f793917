"""The account's half of the audit log on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from typing_extensions import override

from adapters.outbound.postgres.codec import codec
from adapters.outbound.postgres.reading import LAST_ID, Read, Reader, whole
from application.ports.repositories.audit_entries import AuditEntries
from domain.audit import AuditEntry
from domain.kernel import AuditId

_C = codec(AuditEntry).table.c
_PAGE = Read.by(
    AuditEntry,
    whole(AuditEntry, _C.id < sa.bindparam("before"))
    .order_by(_C.id.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer())),
    "before",
    "limit",
)


@dataclass(frozen=True, slots=True)
class PostgresAuditEntries(AuditEntries):
    """`AuditEntries` of one unit of work."""

    reader: Reader

    @override
    async def page(self, before: AuditId | None, limit: int) -> list[AuditEntry]:
        return await self.reader.all(_PAGE, before or LAST_ID, limit, even_broken=True)
