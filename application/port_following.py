"""Use cases that bring a port request to its end, as the carrier says."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from application.erasure_step import ErasureStep
from application.hold import Hold, HoldOfJob
from application.lapsed_lines import follow_account
from application.ports.carrier_errors import CarrierRefused
from application.ports.clock import Clock
from application.ports.jobs import Job, JobLease, Queue
from application.ports.numbering import NumberingPlan
from application.ports.numbers import NumberOrder
from application.ports.porting import Porting, PortProgress, PortRefused
from application.ports.store import Store, Tx
from domain.billing import Offers
from domain.erasure import NO_COUNTS, Erasure, NotYetGone
from domain.kernel import AccountId, ErrorKind, PicoError
from domain.lines import PhoneLine
from domain.porting import DETAILS_KEPT, OVER, PortRejection, PortRequest, PortRequestId, PortState
from domain.residue import Residue

FOLLOW_PORT, LAPSE_PORT = "follow_port", "lapse_port"
SKEW = timedelta(minutes=1)
"""How far another clock may be from ours."""


class NumberNotHereYet(PicoError):
    """The carrier says that the number was ported, and does not show it yet."""

    kind = ErrorKind.UNAVAILABLE
    code = "number_not_here_yet"


@dataclass(frozen=True, slots=True)
class FollowPort:
    """Hands a request on, asks now and then where it stands, and makes a line of the number once it is here."""

    store: Store
    queue: Queue
    porting: Porting
    plan: NumberingPlan
    offers: Offers
    clock: Clock

    async def __call__(self, account_id: AccountId, port_id: PortRequestId, lease: JobLease) -> None:
        """Take it one step further. Repeatable. Raises JobGone, CarrierUnavailable, NumberNotHereYet.

        A port of an account that is being deleted is cancelled.
        """
        port = await self._read(account_id, port_id)
        if port.is_over:
            return
        hold = HoldOfJob(self.queue, account_id, lease)
        progress: PortProgress | None
        if port.ref is None:
            progress = await self._submit(port, hold)
        else:
            if port.cancel_asked_at is not None:
                await hold()
                with suppress(CarrierRefused):  # too far already: what it comes to is asked
                    await self.porting.cancel(port.ref)
            progress = await self.porting.progress(port.ref, port.number)
        order = None
        if progress is not None and progress.state is PortState.COMPLETED:
            order = await self._taken_over(port, hold)
        await self._commit(port, progress, order, lease)

    async def _read(self, account_id: AccountId, port_id: PortRequestId) -> PortRequest:
        async def change(tx: Tx) -> PortRequest:
            port, account = await tx.port_requests.get(port_id), await tx.accounts.get()
            if not account.is_active and not port.is_over:
                port.ask_to_cancel(self.clock.now())
                tx.save(port)
            return port

        return await self.store.update(account_id, change)

    async def _submit(self, port: PortRequest, hold: HoldOfJob) -> PortProgress:
        """Find the port that an earlier try began, or begin it; note its reference."""
        ref = await self.porting.find(port.number, port.created_at - SKEW)
        if ref is None:
            if port.cancel_asked_at is not None:
                return PortProgress(PortState.CANCELLED)
            if port.details is None or port.bill is None:
                return PortProgress(PortState.REJECTED, rejection=PortRejection.EXPIRED)
            await hold()
            try:
                ref = await self.porting.submit(port.number, port.details, port.bill)
            except PortRefused as refusal:
                return PortProgress(PortState.REJECTED, rejection=refusal.rejection)

        async def change(tx: Tx) -> None:
            noted = await tx.port_requests.get(port.id)
            noted.submit(ref, self.clock.now())
            tx.save(noted)

        await self.store.update(port.account_id, change)
        return PortProgress(PortState.SUBMITTED)

    async def _taken_over(self, port: PortRequest, hold: HoldOfJob) -> NumberOrder:
        await hold()
        order = await self.porting.take_over(port.number, port.line_id)
        if order is None or order.ref is None:
            raise NumberNotHereYet
        return order

    async def _commit(
        self, port: PortRequest, progress: PortProgress | None, order: NumberOrder | None, lease: JobLease
    ) -> None:
        """Note where it stands; with the number comes its line. What is not over is looked at again."""

        async def change(tx: Tx) -> None:
            now, noted = self.clock.now(), await tx.port_requests.get(port.id)
            if progress is not None:
                noted.advance(progress.state, now, port_at=progress.port_at, rejection=progress.rejection)
            if order is not None and order.ref is not None:
                tx.save(await self._line(tx, noted, order))
            tx.save(noted)
            if not noted.is_over:
                tx.queue(Job(FOLLOW_PORT, port.account_id, port.id, noted.look_again_after(now)))

        await self.store.update(port.account_id, change, completing=lease)

    async def _line(self, tx: Tx, port: PortRequest, order: NumberOrder) -> PhoneLine:
        now, account, lines = self.clock.now(), await tx.accounts.get(), await tx.lines.list_all()
        line = PhoneLine.order(
            port.account_id, port.line_id, number=port.number, country=self.plan.country(port.number),
            label=None, at=now,
        )  # fmt: skip
        if order.ref is not None:
            line.activate(order.ref, order.capabilities, now)
        held = 1 + sum(each.holds_number for each in lines)
        if self.offers.silences(await tx.subscriptions.find(), held, now):
            line.suspend()
        elif not account.is_active or account.restriction is not None:
            follow_account(line, account, now)
        tx.require_unchanged(account)
        return line


@dataclass(frozen=True, slots=True)
class LapsePort:
    """Forgets what the former carrier was to be told, if it could not be handed on in time (clause C25)."""

    store: Store
    clock: Clock

    async def __call__(self, account_id: AccountId, port_id: PortRequestId, lease: JobLease) -> None:
        """Forget it; a draft is cancelled. Repeating is harmless."""

        async def change(tx: Tx) -> None:
            port, now = await tx.port_requests.get_even_broken(port_id), self.clock.now()
            if now < port.created_at + DETAILS_KEPT:  # the queue's clock is ahead
                tx.queue(Job(LAPSE_PORT, account_id, port_id, port.created_at + DETAILS_KEPT - now + SKEW))
                return
            port.lapse(now)
            tx.save(port)

        await self.store.update(account_id, change, completing=lease)


@dataclass(frozen=True, slots=True)
class CancelPorts(ErasureStep):
    """Erasure: no number comes any more; one that came meanwhile goes on the list of what is to be released."""

    name: ClassVar[str] = "ports"
    needs_keys: ClassVar[bool] = True

    store: Store
    porting: Porting

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        """Cancel, and look. Raises NotYetGone, CarrierUnavailable. Repeating is harmless."""
        async with self.store.begin(erasure.account_id) as tx:
            ports = await tx.port_requests.list_all()
        for port in ports:
            if not port.is_over and not port.altered and port.state is not PortState.DRAFT:
                await self._cancel(port, hold)
        return NO_COUNTS

    async def _cancel(self, port: PortRequest, hold: Hold) -> None:
        ref = port.ref or await self.porting.find(port.number, port.created_at - SKEW)
        if ref is None:
            return
        await hold()
        with suppress(CarrierRefused):
            await self.porting.cancel(ref)
        progress = await self.porting.progress(ref, port.number)
        if progress is None:
            return
        if progress.state not in OVER:
            raise NotYetGone
        if progress.state is PortState.COMPLETED:
            order = await self.porting.take_over(port.number, port.line_id)
            if order is not None and order.ref is not None:
                await self.store.add_residue([Residue.number(port.account_id, order.ref, port.line_id)])
