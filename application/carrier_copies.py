"""Erasure of what the carrier holds of an account's messages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.erasure_step import ErasureStep
from application.hold import Hold
from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable
from application.ports.clock import Clock
from application.ports.message_carrier import MessageCarrier
from application.ports.store import Store
from domain.erasure import Erasure, NotYetGone
from domain.kernel import AccountId, CarrierRef

BATCH = 500
"""Messages looked at per read."""


@dataclass(frozen=True, slots=True)
class DeleteCarrierCopies(ErasureStep):
    """Erasure: the carrier's copies of the account's own messages go."""

    name: ClassVar[str] = "carrier_copies"
    needs_keys: ClassVar[bool] = True

    store: Store
    carrier: MessageCarrier
    clock: Clock

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        """Delete the copies and read them back. Raises NotYetGone, CarrierUnavailable. Repeating is harmless."""
        known = self._known_copies(erasure.account_id)
        return await delete_copies(self.carrier, known, erasure, self.clock.now(), hold)

    async def _known_copies(self, account_id: AccountId) -> AsyncIterator[CarrierRef]:
        after = None
        while True:
            async with self.store.begin(account_id) as tx:
                messages = await tx.messages.with_carrier_copy(after, BATCH)
            for message in messages:
                if message.ref is not None:
                    yield message.ref
            if not messages:
                return
            after = messages[-1].id


async def delete_copies(
    carrier: MessageCarrier, refs: AsyncIterator[CarrierRef], erasure: Erasure, now: datetime, hold: Hold
) -> Mapping[str, int]:
    """Delete copies, read them back, and count them on top of what the erasure has counted.

    Raises NotYetGone while some are left, for as long as the erasure waits for the carrier. Where the carrier offers
    no deletion, `copies_unsupported` counts what it keeps of the messages that we still know of.
    """
    counted = erasure.counts.get
    if not carrier.message_abilities.can_delete_copies:
        unsupported = sum([1 async for _ in refs])
        return {"copies_unsupported": max(counted("copies_unsupported", 0), unsupported)}
    deleted = left = 0
    async for ref in refs:
        gone = await is_deleted(carrier, ref, hold)
        deleted, left = deleted + gone, left + (not gone)
    if left and not erasure.may_leave_behind(now):
        raise NotYetGone(within=erasure.patience_ends - now)
    # What is left is seen again when the number's messages are listed: it must not count twice.
    return {
        "messages_deleted": counted("messages_deleted", 0) + deleted,
        "messages_left": max(counted("messages_left", 0), left),
    }


async def is_deleted(carrier: MessageCarrier, ref: CarrierRef, hold: Hold) -> bool:
    """Have a copy deleted, and tell whether it is gone. Raises CarrierUnavailable.

    No answer to a deletion is believed, be it good, bad or lost: what counts is what is read back.
    """
    await hold()
    with suppress(CarrierUnavailable, CarrierRefused):
        await carrier.delete_copy(ref)
    return await carrier.look_up(ref) is None


async def delete_verified(carrier: MessageCarrier, refs: Iterable[CarrierRef], hold: Hold) -> None:
    """Have copies deleted and read back. Raises TooEarly, CarrierUnavailable; NotYetGone when one is still there."""
    for ref in refs:
        await hold()
        await carrier.delete_copy(ref)
        if await carrier.look_up(ref) is not None:
            raise NotYetGone
