"""No payments: for a world in which nothing is sold."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime
from uuid import UUID

from typing_extensions import override

from application.ports.payments import Page, PaymentHint, Payments, PaymentsUnavailable
from domain.billing import PayerRef, PlanName, PlanNotOffered, Seen
from domain.kernel import AccountId


class NoPayments(Payments):
    """`Payments` where no provider is configured: nothing is on offer, and nobody is asked.

    Who paid earlier, when one was, is somebody's to look after: an erasure waits until it is configured again.
    """

    @override
    async def make_payer(self, account_id: AccountId, key: UUID) -> PayerRef:
        raise PaymentsUnavailable

    @override
    async def find_payers(self, account_id: AccountId, since: datetime) -> list[PayerRef]:
        raise PaymentsUnavailable

    @override
    async def open_checkout(self, payer: PayerRef, account_id: AccountId, plan: PlanName, key: UUID) -> Page:
        raise PlanNotOffered

    @override
    async def close_checkouts(self, payer: PayerRef) -> None:
        raise PaymentsUnavailable

    @override
    async def open_portal(self, payer: PayerRef) -> Page:
        raise PaymentsUnavailable

    @override
    async def change_plan(self, payer: PayerRef, plan: PlanName, key: UUID) -> None:
        raise PlanNotOffered

    @override
    async def fetch(self, payer: PayerRef) -> Seen:
        raise PaymentsUnavailable

    @override
    async def stop_renewal(self, payer: PayerRef) -> None:
        raise PaymentsUnavailable

    @override
    async def restore_renewal(self, payer: PayerRef) -> None:
        raise PaymentsUnavailable

    @override
    async def end_doubles(self, payer: PayerRef) -> None:
        raise PaymentsUnavailable

    @override
    async def cancel(self, payer: PayerRef) -> None:
        raise PaymentsUnavailable

    @override
    async def charges(self, payer: PayerRef) -> bool:
        raise PaymentsUnavailable

    @override
    async def delete_payer(self, payer: PayerRef) -> None:
        raise PaymentsUnavailable

    @override
    async def holds_payer(self, payer: PayerRef) -> bool:
        raise PaymentsUnavailable

    @override
    async def hints(self, since: datetime) -> AsyncGenerator[PaymentHint, None]:
        nothing: tuple[PaymentHint, ...] = ()
        for hint in nothing:
            yield hint
