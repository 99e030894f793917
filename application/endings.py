"""Forgetting that something is over, once nobody could use it anyway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.ports.keyring import Keyring
from application.purge import Purge, PurgeResult


@dataclass(frozen=True, slots=True)
class PurgeEndings(Purge):
    """Deletes endings of what has expired since: no earlier state of it could be used (clause H41)."""

    name: ClassVar[str] = "endings"

    keyring: Keyring

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        """Delete up to `limit`. Repeating is harmless."""
        return PurgeResult(await self.keyring.purge_endings(now, limit))
