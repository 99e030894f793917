"""The account's half of the audit log in memory."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from adapters.outbound.memory.rows import Loaded, newest_first
from application.ports.repositories.audit_entries import AuditEntries
from domain.audit import AuditEntry
from domain.kernel import AuditId


@dataclass(frozen=True, slots=True)
class MemoryAuditEntries(AuditEntries):
    """`AuditEntries` over one account's rows."""

    loaded: Loaded

    @override
    async def page(self, before: AuditId | None, limit: int) -> list[AuditEntry]:
        found = await self.loaded.all(AuditEntry, lambda entry: before is None or entry.id < before)
        return newest_first(found)[:limit]
