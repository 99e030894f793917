"""The residue list at work: providers delete what is on it, and are asked about it until all of it is gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from application.hold import Hold
from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable
from application.ports.clock import Clock
from application.ports.message_carrier import MessageCarrier
from application.ports.numbers import NumberProvider
from application.ports.payments import PaymentRefused, Payments, PaymentsUnavailable
from application.ports.recordings import Recordings
from application.ports.store import Store
from application.ports.voice_carrier import VoiceCarrier
from domain.billing import PayerRef
from domain.erasure import Erasure, NotYetGone
from domain.kernel import AccountId
from domain.residue import Holding, Residue

BATCH = 100
"""Entries that are looked for between two writes."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a pass over the list came to: entries by what they are, settled ones, and those a provider still holds."""

    settled: Counter[Holding]
    held: Counter[Holding]
    open: int


@dataclass(frozen=True, slots=True)
class ClearResidue:
    """Has providers delete what is on an erasure's residue list, and looks for it: only that look is believed."""

    store: Store
    numbers: NumberProvider
    carrier: MessageCarrier
    recordings: Recordings
    voice: VoiceCarrier
    payments: Payments
    clock: Clock
    pause: timedelta

    async def __call__(self, erasure: Erasure, hold: Hold) -> None:
        """Delete what is held. Raises CarrierUnavailable, PaymentsUnavailable.

        Raises NotYetGone for as long as our own data waits for it.
        """
        held = False
        async for entries in self._pages(erasure.account_id):
            looked = [await self._ask(entry, hold) for entry in entries if entry.is_held]
            await self.store.save_residue(looked)
            held |= any(entry.is_held for entry in looked)
        now = await self.clock.agreed()
        if held and not erasure.may_leave_behind(now):
            raise NotYetGone(within=erasure.patience_ends - now)

    async def settle(self, erasure: Erasure, hold: Hold) -> Found:
        """Look for everything that is not settled, and delete what is held. Raises CarrierUnavailable."""
        settled, held, left = Counter[Holding](), Counter[Holding](), 0
        async for entries in self._pages(erasure.account_id):
            looked = [entry if entry.is_settled else await self._ask(entry, hold) for entry in entries]
            now = await self.clock.agreed()
            looked = [entry.settle(now, self.pause) for entry in looked]
            await self.store.save_residue(
                [e for e, before in zip(looked, entries, strict=True) if e != before]
            )
            settled.update(entry.holding for entry in looked if entry.is_settled)
            held.update(entry.holding for entry in looked if entry.is_held)
            left += sum(not entry.is_settled for entry in looked)
        return Found(settled, held, left)

    async def _pages(self, account_id: AccountId) -> AsyncIterator[list[Residue]]:
        after = None
        while entries := await self.store.residue(account_id, after, BATCH):
            yield entries
            after = entries[-1]

    async def _ask(self, entry: Residue, hold: Hold) -> Residue:
        """Return what is known of an entry after it was looked for, having it deleted first if it was held.

        No answer to the deletion is believed, be it good, bad or lost.
        """
        if entry.is_held:
            await hold()
            with suppress(CarrierUnavailable, CarrierRefused, PaymentsUnavailable, PaymentRefused):
                await self._delete(entry)
        return entry.seen() if await self._is_there(entry) else entry.missed(await self.clock.agreed())

    async def _delete(self, entry: Residue) -> None:
        if entry.holding is Holding.RECORDING:
            await self.recordings.delete(entry.ref)
        elif entry.holding is Holding.CALL:
            await self.voice.delete_record(entry.ref)
        elif entry.holding is Holding.SUBSCRIPTION:
            await self.payments.cancel(PayerRef(entry.ref))
        elif entry.holding is Holding.PAYER:
            await self.payments.delete_payer(PayerRef(entry.ref))
        elif entry.line_id is None:
            await self.carrier.delete_copy(entry.ref)
        else:
            await self.numbers.release(entry.ref, entry.line_id)

    async def _is_there(self, entry: Residue) -> bool:
        if entry.holding is Holding.RECORDING:
            return await self.recordings.holds(entry.ref)
        if entry.holding is Holding.CALL:
            return await self.voice.look_up_call(entry.ref) is not None
        if entry.holding is Holding.SUBSCRIPTION:
            return await self.payments.charges(PayerRef(entry.ref))
        if entry.holding is Holding.PAYER:
            return await self.payments.holds_payer(PayerRef(entry.ref))
        if entry.line_id is None:
            return await self.carrier.look_up(entry.ref) is not None
        return await self.numbers.owns(entry.ref, entry.line_id)
