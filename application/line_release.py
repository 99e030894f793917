"""Use cases that give numbers back, and believe the carrier only on reading it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from application.carrier_copies import delete_copies
from application.erasure_step import ErasureStep
from application.ports.carrier import Carrier, TooEarly
from application.ports.clock import Clock
from application.ports.jobs import JobLease
from application.ports.store import Store, Tx
from domain.erasure import Erasure, NotYetGone
from domain.kernel import AccountId, LineId
from domain.lines import PhoneLine


@dataclass(frozen=True, slots=True)
class FinishRelease:
    """Gives a number back, and with it what came in too late to be taken in."""

    store: Store
    carrier: Carrier
    clock: Clock

    async def __call__(self, account_id: AccountId, line_id: LineId, lease: JobLease) -> None:
        """Release the number. Raises CarrierUnavailable, NotYetGone, TooEarly. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            line = await tx.lines.get(line_id)
        await release_verified(self.carrier, line)
        for ref in await self.carrier.list_message_refs(line.number):
            if (wait := await self.carrier.purge(ref)) is not None:
                raise TooEarly(wait)

        async def change(tx: Tx) -> None:
            released = await tx.lines.get(line_id)
            released.released(self.clock.now())
            tx.save(released)

        await self.store.update(account_id, change, completing=lease)


@dataclass(frozen=True, slots=True)
class ReleaseNumbers(ErasureStep):
    """Erasure: every number goes back to the carrier, then what the carrier still lists for it goes."""

    name: ClassVar[str] = "numbers"
    needs_keys: ClassVar[bool] = True

    store: Store
    carrier: Carrier
    clock: Clock

    async def run(self, erasure: Erasure) -> Mapping[str, int]:
        """Release and read back. Raises NotYetGone, CarrierUnavailable. Repeating is harmless."""
        async with self.store.begin(erasure.account_id) as tx:
            lines = [line for line in await tx.lines.list_all() if line.held_at_carrier]
        for line in lines:
            await release_verified(self.carrier, line)
        # Only now: nothing comes in any more for a number that is no longer ours.
        held = [line for line in lines if line.ref is not None]
        refs = [ref for line in held for ref in await self.carrier.list_message_refs(line.number)]
        counts = await delete_copies(self.carrier, refs, erasure, self.clock.now())
        return {"numbers_released": len(held), **counts}


async def release_verified(carrier: Carrier, line: PhoneLine) -> None:
    """Release a line's number and read it back. Raises NotYetGone while the carrier still lists it as ours.

    An order whose answer never came may have been filled all the same: the carrier is asked.
    """
    ref = line.ref
    if ref is None:
        purchase = await carrier.find_purchase(line.number, line.id)
        if purchase is None:
            return
        ref = purchase.ref
    await carrier.release(ref)
    if await carrier.owns(ref) or await carrier.find_purchase(line.number, line.id) is not None:
        raise NotYetGone
