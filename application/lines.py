"""Use cases of phone lines: find a number, lease it, name it, give it back."""

from __future__ import annotations

from dataclasses import dataclass

from application.ports.carrier import (
    AvailableNumber,
    Carrier,
    CarrierRefused,
    CarrierUnavailable,
    NumberTaken,
    Purchase,
    TooEarly,
)
from application.ports.store import Directory, Store
from application.ports.system import Clock, Ids
from application.unit_of_work import retry_on_version_conflict
from domain.accounts import AccountState
from domain.erasure import NotYetGone
from domain.idempotency import IdempotencyInFlight, IdempotencyRecord, Operation
from domain.kernel import AccountId, IdempotencyRecordId, LineId
from domain.lines import LineState, PhoneLine
from domain.retention import Retention
from domain.values import Capability, Country, Label, PhoneNumber

OFFERS = 30
"""Numbers shown per search."""


@dataclass(frozen=True, slots=True)
class SearchNumbers:
    """Show numbers on offer."""

    carrier: Carrier

    async def __call__(
        self,
        country: Country,
        area_code: str | None,
        contains: str | None,
        capabilities: frozenset[Capability],
    ) -> list[AvailableNumber]:
        """Return up to OFFERS numbers. Raises CarrierUnavailable. Repeating is harmless."""
        return await self.carrier.search(
            country, area_code=area_code, contains=contains, capabilities=capabilities, limit=OFFERS
        )


@dataclass(frozen=True, slots=True)
class CompletePurchase:
    """Bring an order to its end: ask the carrier, or find out what an earlier attempt came to."""

    store: Store
    directory: Directory
    carrier: Carrier
    clock: Clock

    async def __call__(self, account_id: AccountId, line_id: LineId, lease: int | None = None) -> PhoneLine:
        """Return the line, active or failed. Raises CarrierUnavailable: the order stays open. Repeating is harmless.

        With a `lease` this is a later attempt: it looks before it asks.
        """
        async with self.store.begin(account_id) as tx:
            line, account = await tx.line(line_id), await tx.account()
        if line.state is not LineState.ORDERING:
            return line
        wanted = account.state is AccountState.ACTIVE
        look = lease is not None or not wanted
        purchase = await self.carrier.find_purchase(line.number, line_id) if look else None
        if purchase is None and wanted:  # after goodbye nothing is bought any more
            try:
                purchase = await self.carrier.buy(line.number, line_id)
            except NumberTaken:
                # Perhaps taken by ourselves, by an attempt whose answer was lost.
                purchase = await self.carrier.find_purchase(line.number, line_id)
            except CarrierRefused:
                purchase = None
        return await self.settle(account_id, line_id, purchase, lease)

    @retry_on_version_conflict
    async def settle(
        self, account_id: AccountId, line_id: LineId, purchase: Purchase | None, lease: int | None
    ) -> PhoneLine:
        """Commit what the carrier said."""
        async with self.store.begin(account_id, completing=lease) as tx:
            line, account = await tx.line(line_id), await tx.account()
            if purchase is None:
                line.fail()
            else:
                line.activate(purchase.ref, purchase.capabilities, self.clock.now())
                if account.state is not AccountState.ACTIVE:
                    line.suspend()
            tx.require_unchanged(account)
            tx.save(line)
        if purchase is None:
            self.directory.forget_line(line.number)  # it is free for others
        return line


@dataclass(frozen=True, slots=True)
class BuyLine:
    """Lease a number: intent first, then the carrier, so that no purchase is ever lost or made twice."""

    store: Store
    directory: Directory
    clock: Clock
    ids: Ids
    retention: Retention
    complete_purchase: CompletePurchase

    async def __call__(
        self, account_id: AccountId, number: PhoneNumber, country: Country, label: Label | None, key: str
    ) -> PhoneLine:
        """Return the line: active, or still ordering when the carrier gave no certain answer (a job settles it).

        Raises NumberTaken, IdempotencyMismatch, IdempotencyInFlight, PendingDeletion. Repeating with the same
        key is harmless.
        """
        line, repeated = await self.intend(account_id, number, country, label, key)
        if repeated and line.state is LineState.ORDERING:
            raise IdempotencyInFlight
        if line.state is LineState.ORDERING:
            try:
                line = await self.complete_purchase(account_id, line.id)
            except CarrierUnavailable:
                return line
        if line.state is LineState.FAILED:
            raise NumberTaken
        return line

    @retry_on_version_conflict
    async def intend(
        self, account_id: AccountId, number: PhoneNumber, country: Country, label: Label | None, key: str
    ) -> tuple[PhoneLine, bool]:
        """Commit the intent, or return what came of an earlier one with this key."""
        now = self.clock.now()
        operation = Operation.requested("buy", key, number, country, label or "")
        async with self.store.begin(account_id) as tx:
            account, earlier = await tx.account(), await tx.earlier_result(operation)
            account.must_be_active()
            if earlier is not None:
                return await tx.line(LineId(earlier.must_match())), True
            self.directory.forget_line(number)  # asked afresh: what was known may be over
            if await self.directory.line(number) is not None:
                raise NumberTaken
            line = PhoneLine.order(
                account_id, LineId(self.ids.new()), number=number, country=country, label=label, at=now
            )
            tx.require_unchanged(account)
            tx.save(line)
            tx.save(
                IdempotencyRecord.of(
                    account_id,
                    IdempotencyRecordId(self.ids.new()),
                    operation,
                    line.id,
                    now + self.retention.idempotency,
                )
            )
            return line, False


@dataclass(frozen=True, slots=True)
class ListLines:
    """Show all lines of an account."""

    store: Store

    async def __call__(self, account_id: AccountId) -> list[PhoneLine]:
        """Return them, newest first. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            return await tx.lines()


@dataclass(frozen=True, slots=True)
class ReadLine:
    """Show one line."""

    store: Store

    async def __call__(self, account_id: AccountId, line_id: LineId) -> PhoneLine:
        """Return it. Raises NotFound. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            return await tx.line(line_id)


@dataclass(frozen=True, slots=True)
class RelabelLine:
    """Correct a line's name."""

    store: Store

    @retry_on_version_conflict
    async def __call__(self, account_id: AccountId, line_id: LineId, label: Label | None) -> PhoneLine:
        """Return the line. Raises NotFound. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            line = await tx.line(line_id)
            line.relabel(label)
            tx.save(line)
            return line


@dataclass(frozen=True, slots=True)
class ReleaseLine:
    """Give a number up: it refuses texts at once, and a job sees to it that the carrier lets go."""

    store: Store
    clock: Clock

    @retry_on_version_conflict
    async def __call__(self, account_id: AccountId, line_id: LineId) -> PhoneLine:
        """Return the line. Raises NotFound, LineNotActive. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            line = await tx.line(line_id)
            line.release(self.clock.now())
            tx.save(line)
            return line


@dataclass(frozen=True, slots=True)
class FinishRelease:
    """Make the carrier let go of a number, and believe it only on reading it back."""

    store: Store
    directory: Directory
    carrier: Carrier
    clock: Clock

    async def __call__(self, account_id: AccountId, line_id: LineId, lease: int) -> None:
        """Do it. Raises CarrierUnavailable, NotYetGone, TooEarly: to be tried again. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            line = await tx.line(line_id)
        await release_verified(self.carrier, line)
        for ref in await self.carrier.list_message_refs(line.number):  # what came in too late to be taken in
            if (wait := await self.carrier.purge(ref)) is not None:
                raise TooEarly(wait)
        await self.commit(account_id, line_id, lease)
        self.directory.forget_line(line.number)

    @retry_on_version_conflict
    async def commit(self, account_id: AccountId, line_id: LineId, lease: int) -> None:
        """Commit the release."""
        async with self.store.begin(account_id, completing=lease) as tx:
            line = await tx.line(line_id)
            line.released(self.clock.now())
            tx.save(line)


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
    if await carrier.owns(ref):
        raise NotYetGone
    if await carrier.find_purchase(line.number, line.id) is not None:
        raise NotYetGone
