"""Deletion of an account's objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from application.erasure import noted
from application.erasure_step import ErasureStep
from application.hold import Hold
from application.ports.objects import Objects
from application.ports.store import Store
from domain.erasure import Erasure, NotYetGone


@dataclass(frozen=True, slots=True)
class DeleteObjects(ErasureStep):
    """Every object of the account goes, found where it lies: also one that no row knows."""

    name: ClassVar[str] = "objects"
    needs_keys: ClassVar[bool] = False

    store: Store
    objects: Objects

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        """Delete them and look for them. Raises NotYetGone, ObjectsUnavailable. Repeating is harmless."""
        await hold()
        found = await self.objects.count(erasure.account_id)
        erasure = await noted(self.store, erasure, {"objects_deleted": found})
        await self.objects.delete_all(erasure.account_id)
        if await self.objects.count(erasure.account_id):
            raise NotYetGone
        return erasure.counts
