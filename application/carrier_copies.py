"""Erasure of what the carrier holds of an account's messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.erasure_step import ErasureStep
from application.ports.carrier import Carrier
from application.ports.clock import Clock
from application.ports.store import Store
from domain.erasure import Erasure, NotYetGone
from domain.kernel import CarrierRef

BATCH = 500
"""Messages looked at per read."""


@dataclass(frozen=True, slots=True)
class DeleteCarrierCopies(ErasureStep):
    """Erasure: the carrier's copies of the account's own messages go."""

    name: ClassVar[str] = "carrier_copies"
    needs_keys: ClassVar[bool] = True

    store: Store
    carrier: Carrier
    clock: Clock

    async def run(self, erasure: Erasure) -> Mapping[str, int]:
        """Delete the copies and read them back. Raises NotYetGone, CarrierUnavailable. Repeating is harmless."""
        counts, after = dict[str, int](), None
        while True:
            async with self.store.begin(erasure.account_id) as tx:
                messages = await tx.messages.with_carrier_copy(after, BATCH)
            if not messages:
                return counts or {"messages_deleted": 0, "messages_left": 0}
            refs = [message.ref for message in messages if message.ref is not None]
            batch = await delete_copies(self.carrier, refs, erasure, self.clock.now())
            counts = {name: counts.get(name, 0) + batch[name] for name in batch}
            after = messages[-1].id


async def delete_copies(
    carrier: Carrier, refs: Iterable[CarrierRef], erasure: Erasure, now: datetime
) -> dict[str, int]:
    """Delete copies, read them back, and count them on top of what the erasure has counted.

    Raises NotYetGone while some are left, for as long as the erasure waits for the carrier.
    """
    deleted = left = 0
    for ref in refs:
        gone = await carrier.purge(ref) is None and await carrier.look_up(ref) is None
        deleted, left = deleted + gone, left + (not gone)
    if left and not erasure.may_leave_behind(now):
        raise NotYetGone(within=erasure.patience_ends - now)
    return {
        "messages_deleted": erasure.counts.get("messages_deleted", 0) + deleted,
        "messages_left": max(erasure.counts.get("messages_left", 0), left),
    }
