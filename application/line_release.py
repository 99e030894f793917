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
from domain.values import PhoneNumber


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
            line = await tx.lines.get_even_broken(line_id)
        number = await number_to_release(self.numbers, line)
        if number is not None:
            hold = HoldOfJob(self.queue, account_id, lease)
            await release_verified(self.numbers, line, number, hold)
            abilities = self.carrier.message_abilities
            if abilities.can_list and abilities.can_delete_copies:
                await delete_verified(self.carrier, await self.carrier.list_message_refs(number), hold)

        async def change(tx: Tx) -> None:
            released = await tx.lines.get_even_broken(line_id)
            released.released(self.clock.now())
            tx.save(released)
            for opt_out in await tx.conversations.opt_outs(line_id):
                tx.remove(opt_out)

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
        wanted = [(line, await number_to_release(self.numbers, line)) for line in lines]
        released = [
            number
            for line, number in wanted
            if number is not None and await release_verified(self.numbers, line, number, hold)
        ]
        counts = {"numbers_released": len(released)}
        if not self.carrier.message_abilities.can_list:
            return {**counts, "numbers_unlisted": len(released)}
        # Only now: nothing comes in any more for a number that is no longer ours.
        copies = self._list_copies(released)
        return {**counts, **await delete_copies(self.carrier, copies, erasure, self.clock.now(), hold)}

    async def _list_copies(self, released: list[PhoneNumber]) -> AsyncIterator[CarrierRef]:
        for number in released:
            for ref in await self.carrier.list_message_refs(number):
                yield ref


async def number_to_release(numbers: NumberProvider, line: PhoneLine) -> PhoneNumber | None:
    """Return the number of a line; of a broken one, what the provider holds under its reference for just this line."""
    if "number" not in line.unreadable:
        return line.number
    return None if line.ref is None else await numbers.number_of(line.ref, line.id)


async def release_verified(numbers: NumberProvider, line: PhoneLine, number: PhoneNumber, hold: Hold) -> bool:
    """Release a line's number and read it back; tell whether there was one.

    An order whose answer never came may have been filled all the same: the provider is asked. Raises NotYetGone while
    the provider still counts the number as ours, or has not decided whether it will.
    """
    ref = line.ref
    if ref is None:
        order = await numbers.find_order(number, line.id)
        if order is not None and order.is_pending:
            raise NotYetGone
        if order is None or order.ref is None:
            return False
        ref = order.ref
    await hold()
    await numbers.release(ref, line.id)
    left = await numbers.find_order(number, line.id)
    if await numbers.owns(ref, line.id) or (left is not None and left.ref is not None):
        raise NotYetGone
    return True
