"""Use cases of porting: a number comes from another carrier, and becomes a line."""

from __future__ import annotations

from collections.abc import AsyncIterable
from contextlib import suppress
from dataclasses import dataclass

from application.job_type import NOW, JobType
from application.port_following import FOLLOW_PORT, LAPSE_PORT, FollowPort, LapsePort
from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable, CarrierUnsupported
from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.entitlements import Entitlements
from application.ports.ids import Ids
from application.ports.numbering import NumberingPlan
from application.ports.porting import Porting
from application.ports.store import Store, Tx
from domain.idempotency import Operation
from domain.kernel import AccountId, LineId
from domain.lines import NoCountry
from domain.porting import (
    DETAILS_KEPT,
    LARGEST_BILL,
    MOST_PORTS,
    NotABill,
    NumberNotPortable,
    PortAccountMissing,
    PortDetails,
    PortReady,
    PortRequest,
    PortRequested,
    PortRequestId,
    PortUnderWay,
    Subscriber,
    TooManyPorts,
)
from domain.retention import Retention
from domain.values import PhoneNumber

PDF = b"%PDF-"


@dataclass(frozen=True, slots=True)
class RequestedPort:
    """A port request, by this request or, if `repeated`, by an earlier one with the same key."""

    port: PortRequest
    repeated: bool


@dataclass(frozen=True, slots=True)
class RequestPort:
    """Begins to bring a number along: nobody is told of the subscriber before the bill is there."""

    store: Store
    directory: Directory
    plan: NumberingPlan
    clock: Clock
    ids: Ids
    retention: Retention
    porting: Porting
    entitlements: Entitlements

    async def __call__(
        self, account_id: AccountId, number: PhoneNumber, subscriber: Subscriber, key: str
    ) -> RequestedPort:
        """Return the request, a draft. Repeating with the same key is harmless.

        Raises NoCountry, CountryNotInPlan, NumberNotPortable, PortAccountMissing, PortUnderWay, TooManyPorts,
        LineLimitReached, IdempotencyMismatch, PendingDeletion, AccountRestricted, CarrierUnsupported,
        CarrierUnavailable.
        """
        details = PortDetails.of(subscriber)
        operation = Operation.requested("port", key, number, details)
        country, plan = self.plan.country(number), await self.entitlements.plan(account_id)
        if country is None:
            raise NoCountry
        plan.must_include(country)
        if not self.porting.porting_abilities.can_port_in:
            raise CarrierUnsupported

        async def change(tx: Tx) -> RequestedPort:
            now, account = self.clock.now(), await tx.accounts.get()
            account.must_be_active()
            account.must_be_free()
            earlier = await tx.idempotency.earlier_result(operation)
            if earlier is not None:
                found = await tx.port_requests.get(PortRequestId(earlier.must_match()))
                return RequestedPort(found, repeated=True)
            ports, lines = await tx.port_requests.list_all(), await tx.lines.list_all()
            under_way = [port for port in ports if not port.is_over]
            if any(port.number == number for port in under_way):
                raise PortUnderWay
            known = await self.porting.portability(number)  # what was asked for before needs no answer
            if not known.portable or await self.directory.line(number, fresh=True) is not None:
                raise NumberNotPortable
            if known.needs_account and None in {subscriber.account_number, subscriber.pin}:
                raise PortAccountMissing
            if len(ports) >= MOST_PORTS:
                raise TooManyPorts
            plan.must_allow(1 + len(under_way) + sum(line.holds_number for line in lines))
            port = PortRequest(
                account_id=account_id, id=PortRequestId(self.ids.new()), line_id=LineId(self.ids.new()),
                number=number, details=details, created_at=now,
            )  # fmt: skip
            port.begun()
            tx.require_unchanged(account)  # of two requests at once, one counts again
            tx.save(port)
            tx.idempotent(operation, port.id, self.retention.idempotency.ends(now))
            return RequestedPort(port, repeated=False)

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class ProvePort:
    """Passes the bill on that shows whose the number is. Nothing of it is kept here."""

    store: Store
    porting: Porting
    clock: Clock

    async def __call__(
        self, account_id: AccountId, port_id: PortRequestId, bill: AsyncIterable[bytes]
    ) -> PortRequest:
        """Return the request: from now on a job sees to it.

        Raises NotFound, PortNotADraft, NotABill, CarrierRefused, CarrierUnavailable.
        """
        async with self.store.begin(account_id) as tx:
            (await tx.port_requests.get(port_id)).must_be_a_draft()
        content = b"".join([piece async for piece in bill])
        if len(content) > LARGEST_BILL or not content.startswith(PDF):
            raise NotABill
        ref = await self.porting.keep_bill(content)

        async def change(tx: Tx) -> PortRequest:
            port = await tx.port_requests.get(port_id)
            port.prove(ref, self.clock.now())
            tx.save(port)
            return port

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class ListPorts:
    """Shows what became of the numbers that somebody brings along."""

    store: Store

    async def __call__(self, account_id: AccountId) -> list[PortRequest]:
        """Return all of them, newest first. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            return await tx.port_requests.list_all()


@dataclass(frozen=True, slots=True)
class ReadPort:
    """Shows one port request."""

    store: Store

    async def __call__(self, account_id: AccountId, port_id: PortRequestId) -> PortRequest:
        """Return it. Raises NotFound. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            return await tx.port_requests.get_even_broken(port_id)


@dataclass(frozen=True, slots=True)
class CancelPort:
    """Has a port cancelled; the carrier may be too far already, and then the number comes all the same."""

    store: Store
    porting: Porting
    clock: Clock

    async def __call__(self, account_id: AccountId, port_id: PortRequestId) -> PortRequest:
        """Return the request. Raises NotFound, PortOver. Repeating is harmless.

        What the carrier says to it, the job asks; should it not answer, the job asks for it again.
        """

        async def change(tx: Tx) -> PortRequest:
            port = await tx.port_requests.get(port_id)
            port.ask_to_cancel(self.clock.now())
            tx.save(port)
            return port

        port = await self.store.update(account_id, change)
        if port.ref is not None and not port.is_over:
            with suppress(CarrierUnavailable, CarrierRefused):
                await self.porting.cancel(port.ref)
        return port


JOBS = (
    JobType(FOLLOW_PORT, FollowPort, after={PortReady: NOW}, attempts=None),
    JobType(LAPSE_PORT, LapsePort, after={PortRequested: DETAILS_KEPT}),
)
