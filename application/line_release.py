"""Use cases that give numbers back, and believe the carrier only on reading it back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from application.carrier_copies import delete_copies, delete_verified
from application.erasure_step import ErasureStep
from application.hold import Hold, HoldOfJob
from application.ports.clock import Clock
from application.ports.jobs import JobLease, Queue
from application.ports.message_carrier import MessageCarrier
from application.ports.numbers import NumberProvider
from application.ports.store import Store, Tx
from domain.erasure import Erasure, NotYetGone
from domain.kernel import AccountId, CarrierRef, LineId
from domain.lines import PhoneLine


@dataclass(frozen=True, slots=True)
class FinishRelease:
    """Gives a number back, and deletes what the carrier still holds of messages that came in too late for the line."""

    store: Store
    queue: Queue
    numbers: NumberProvider
    carrier: MessageCarrier
    clock: Clock

    async def __call__(self, account_id: AccountId, line_id: LineId, lease: JobLease) -> None:
        """Release the number. Raises CarrierUnavailable, NotYetGone, TooEarly. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            line = await tx.lines.get(line_id)
        hold = HoldOfJob(self.queue, account_id, lease)
        await release_verified(self.numbers, line, hold)
        abilities = self.carrier.message_abilities
        if abilities.can_list and abilities.can_delete_copies:
            await delete_verified(self.carrier, await self.carrier.list_message_refs(line.number), hold)

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
    numbers: NumberProvider
    carrier: MessageCarrier
    clock: Clock

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        """Release and read back. Raises NotYetGone, CarrierUnavailable. Repeating is harmless.

        `numbers_unlisted` counts numbers whose messages the carrier cannot list, where there are such.
        """
        async with self.store.begin(erasure.account_id) as tx:
            lines = [line for line in await tx.lines.list_all() if line.held_at_carrier]
        released = [line for line in lines if await release_verified(self.numbers, line, hold)]
        counts = {"numbers_released": len(released)}
        if not self.carrier.message_abilities.can_list:
            return {**counts, "numbers_unlisted": len(released)}
        # Only now: nothing comes in any more for a number that is no longer ours.
        copies = self._list_copies(released)
        return {**counts, **await delete_copies(self.carrier, copies, erasure, self.clock.now(), hold)}

    async def _list_copies(self, lines: list[PhoneLine]) -> AsyncIterator[CarrierRef]:
        for line in lines:
            for ref in await self.carrier.list_message_refs(line.number):
                yield ref


async def release_verified(numbers: NumberProvider, line: PhoneLine, hold: Hold) -> bool:
    """Release a line's number and read it back; tell whether there was one.

    An order whose answer never came may have been filled all the same: the provider is asked. Raises NotYetGone while
    the provider still counts the number as ours, or has not decided whether it will.
    """
    ref = line.ref
    if ref is None:
        order = await numbers.find_order(line.number, line.id)
        if order is not None and order.is_pending:
            raise NotYetGone
        if order is None or order.ref is None:
            return False
        ref = order.ref
    await hold()
    await numbers.release(ref, line.id)
    left = await numbers.find_order(line.number, line.id)
    if await numbers.owns(ref, line.id) or (left is not None and left.ref is not None):
        raise NotYetGone
    return True
