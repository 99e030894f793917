"""What was done to the account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pico_client.calls import Calls
from pico_client.results import Result


@dataclass(frozen=True, slots=True, repr=False)
class AuditEntry(Result):
    """Something that was done to the account, and to what of it. None where it was damaged and cannot be read."""

    id: str
    occurred_at: datetime | None
    act: str | None
    subject_id: str | None


class AuditLog(Calls):
    """What one does with the audit log."""

    def list_audit_log(self) -> Iterator[AuditEntry]:
        """List what was done to the account, newest first."""
        return self._list(AuditEntry, "/v1/account/audit-log")
