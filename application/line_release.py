"""Use cases that give numbers back, and believe the carrier only on reading it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from application.carrier_copies import delete_verified
from application.erasure_step import ErasureStep
from application.hold import Hold, HoldOfJob
from application.ports.clock import Clock
from application.ports.jobs import Job, JobLease, Queue
from application.ports.message_carrier import MessageCarrier
from application.ports.numbers import HeldNumber, NumberProvider
from application.ports.store import Store, Tx
from application.residue import ClearResidue
from domain.erasure import NO_COUNTS, Erasure, NotYetGone
from domain.kernel import AccountId, CarrierRef, LineId
from domain.lines import PhoneLine
from domain.residue import Residue
from domain.values import PhoneNumber

FINISH_RELEASE = "finish_release"
CLOCK_SKEW = timedelta(minutes=1)
"""How far another clock, the carrier's or the queue's, may be from ours."""


@dataclass(frozen=True, slots=True)
class FinishRelease:
    """Gives a number back, and deletes what the carrier still holds of messages that came in too late for the line.

    A number that may still be taken back is left for later.
    """

    store: Store
    queue: Queue
    numbers: NumberProvider
    carrier: MessageCarrier
    clock: Clock

    async def __call__(self, account_id: AccountId, line_id: LineId, lease: JobLease) -> None:
        """Release the number. Raises CarrierUnavailable, NotYetGone, TooEarly. Repeating is harmless."""
        line = await self._begin(account_id, line_id)
        if line is None:
            await self._later(account_id, line_id, lease)
            return
        hold = HoldOfJob(self.queue, account_id, lease)
        if line.held_at_carrier:
            number = await release_verified(self.numbers, line, hold)
        else:  # lost
            number = await number_to_release(self.numbers, line)
        abilities = self.carrier.message_abilities
        if number is not None and abilities.can_list and abilities.can_delete_copies:
            copies = await self.carrier.list_copies(number)
            left = [copy.ref for copy in copies if line.released_at is None or copy.at <= line.released_at]
            await delete_verified(self.carrier, left, hold)

        async def change(tx: Tx) -> None:
            released = await tx.lines.get_even_broken(line_id)
            released.released(self.clock.now())
            tx.save(released)
            for opt_out in await tx.conversations.opt_outs(line_id):
                tx.remove(opt_out)

        await self.store.update(account_id, change, completing=lease)

    async def _begin(self, account_id: AccountId, line_id: LineId) -> PhoneLine | None:
        """Return the line if its number is to go back by now, and cannot be taken back any more."""

        async def change(tx: Tx) -> PhoneLine | None:
            line = await tx.lines.get_even_broken(line_id)
            if not line.begin_release(self.clock.now()):
                return None
            tx.save(line)
            return line

        return await self.store.update(account_id, change)

    async def _later(self, account_id: AccountId, line_id: LineId, lease: JobLease) -> None:
        """Look again when the number is due, unless it was taken back."""

        async def change(tx: Tx) -> None:
            line = await tx.lines.get_even_broken(line_id)
            if (wait := line.kept_for(self.clock.now())) is not None:
                tx.queue(Job(FINISH_RELEASE, account_id, line_id, max(wait, CLOCK_SKEW)))

        await self.store.update(account_id, change, completing=lease)


@dataclass(frozen=True, slots=True)
class ReleaseNumbers(ErasureStep):
    """Erasure: every number goes back to the carrier, then what the carrier still lists for it goes."""

    name: ClassVar[str] = "numbers"
    needs_keys: ClassVar[bool] = True

    store: Store
    numbers: NumberProvider
    carrier: MessageCarrier
    clear_residue: ClearResidue

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        """Release, and look for it. Raises NotYetGone, CarrierUnavailable. Repeating is harmless.

        `numbers_unlisted` counts numbers whose messages the carrier cannot list, where there are such.
        """
        async with self.store.begin(erasure.account_id) as tx:
            lines = await tx.lines.list_all()
        numbers = {line.id: await number_to_release(self.numbers, line) for line in lines}
        leased = [line for line in lines if await self._note(line, numbers[line.id])]
        await self.clear_residue(erasure, hold)
        abilities = self.carrier.message_abilities
        if not abilities.can_list:
            return {"numbers_unlisted": len(leased)}
        # Only now: nothing comes in any more for a number that is no longer ours.
        for line in lines if abilities.can_delete_copies else ():
            number, is_ours = numbers[line.id], line in leased
            if number is not None and (is_ours or line.released_at is not None):  # else it was never leased
                refs = await self._list(line, number, until=None if is_ours else line.released_at)
                await self.store.save_residue([Residue.message(erasure.account_id, ref) for ref in refs])
        await self.clear_residue(erasure, hold)
        return NO_COUNTS

    async def _list(self, line: PhoneLine, number: PhoneNumber, until: datetime | None) -> list[CarrierRef]:
        """List what the carrier has of a lease: what came before it, or after its end, is somebody else's."""
        since = line.created_at - CLOCK_SKEW
        copies = await self.carrier.list_copies(number)
        return [copy.ref for copy in copies if since <= copy.at and (until is None or copy.at <= until)]

    async def _note(self, line: PhoneLine, number: PhoneNumber | None) -> bool:
        """Put a line's number on the residue list; tell whether there is one. Raises NotYetGone while it is on order.

        An order whose answer never came may have been filled all the same, and a release that we believed may not
        have been done: the provider is asked for every line there was, and what it shows counts.
        """
        order = None if number is None else await self.numbers.find_order(number, line.id)
        if order is not None and order.is_pending:
            raise NotYetGone
        if order is not None and order.ref is not None:
            await self.store.save_residue([Residue.number(line.account_id, order.ref, line.id)])
            return True
        if line.ref is not None and line.held_at_carrier and not line.altered:
            await self.store.add_residue([Residue.number(line.account_id, line.ref, line.id)])
            return True
        return False


async def number_to_release(numbers: NumberProvider, line: PhoneLine) -> PhoneNumber | None:
    """Return a line's number; an altered one's is what the provider holds for it, whatever its own row says."""
    if not line.altered:
        return line.number
    held = await numbers.held_for(line.id)
    return None if held is None else held.number


async def release_verified(numbers: NumberProvider, line: PhoneLine, hold: Hold) -> PhoneNumber | None:
    """Release a line's number and read it back; return it, or None when there was none.

    An order whose answer never came may have been filled all the same: the provider is asked. Of an altered line only
    the provider's own record counts: its reference may be somebody else's. Raises NotYetGone while the provider still
    counts the number as ours, or has not decided whether it will.
    """
    held = await numbers.held_for(line.id) if line.altered else await _held_by(numbers, line)
    if held is None:
        return None
    await hold()
    await numbers.release(held.ref, line.id)
    left = await numbers.find_order(held.number, line.id)
    if await numbers.owns(held.ref, line.id) or (left is not None and left.ref is not None):
        raise NotYetGone
    return held.number


async def _held_by(numbers: NumberProvider, line: PhoneLine) -> HeldNumber | None:
    ref = line.ref
    if ref is None:
        order = await numbers.find_order(line.number, line.id)
        if order is not None and order.is_pending:
            raise NotYetGone
        ref = None if order is None else order.ref
    return None if ref is None else HeldNumber(ref, line.number)
