"""Reading the account's half of the audit log."""

from __future__ import annotations

from typing import Protocol

from domain.audit import AuditEntry
from domain.kernel import AuditId


class AuditEntries(Protocol):
    """What was done to the account."""

    async def page(self, before: AuditId | None, limit: int) -> list[AuditEntry]:
        """Return up to `limit` entries, broken ones too, newest first; those before `before`, if that is given."""
        ...
