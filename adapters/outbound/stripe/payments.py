"""Payments by Stripe's API (docs.stripe.com: Customers, Checkout, Billing Portal, Subscriptions, Invoices, Events)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import stripe
from typing_extensions import override

from adapters.outbound.stripe.http import Missing, OtherWords, answered
from adapters.outbound.stripe.reading import (
    STOPPED,
    TOLD_OF,
    YES,
    hint_of,
    in_order,
    instant,
    is_living,
    items_of,
    ref_of,
    renews,
    seen,
    value_of,
    was_stopped,
)
from application.ports.payments import Page, PaymentHint, PaymentRefused, Payments
from domain.billing import PayerRef, PlanName, PlanNotOffered, Seen, SubscriptionState
from domain.kernel import AccountId

PAGE = 100
"""The most that Stripe lists at a time."""
ACCOUNT = "account_id"
"""Under which name a customer, and a subscription, bears the account's id: the one thing that Stripe is told."""
OWED = ("draft", "open")
"""The states of an invoice that may still be charged."""


@dataclass(frozen=True, slots=True)
class StripePayments(Payments):
    """`Payments` by Stripe. A payer is a customer there, with our account's id and nothing else of ours."""

    client: stripe.StripeClient = field(repr=False)
    prices: Mapping[PlanName, str]
    """By plan, the price that is sold."""
    link: Callable[[str], str] = field(repr=False)
    """Returns the address of a page of ours, given an operation of the API: where Stripe's pages lead back to."""
    former_prices: Mapping[str, PlanName] = field(default_factory=dict)
    """Prices that are sold no more, and of which plan they are."""

    @override
    async def make_payer(self, account_id: AccountId, key: UUID) -> PayerRef:
        made = await answered(
            self.client.v1.customers.create_async(
                {"metadata": {ACCOUNT: str(account_id)}}, {"idempotency_key": f"payer-{key}"}
            )
        )
        return ref_of(made)

    @override
    async def find_payers(self, account_id: AccountId, since: datetime) -> list[PayerRef]:
        found = self._pages(self.client.v1.customers.list_async, created={"gte": int(since.timestamp())})
        return [ref_of(each) async for each in found if _bears(each, account_id)]

    @override
    async def open_checkout(self, payer: PayerRef, account_id: AccountId, plan: PlanName, key: UUID) -> Page:
        if plan not in self.prices:
            raise PlanNotOffered
        back, price = self.link("billing/read_subscription"), self.prices[plan]
        try:
            opened = await self._open(payer, account_id, price, back, f"checkout-{key}")
        except OtherWords:  # of the two pages only the one that is opened now stays
            opened = await self._open(
                payer, account_id, price, back, f"checkout-{key}-{uuid5(key, price + back)}"
            )
        await self._close_checkouts(payer, but=opened.id)
        return Page(opened.url or "", instant(opened.expires_at))

    async def _open(self, payer: PayerRef, account_id: AccountId, price: str, back: str, key: str) -> Any:  # noqa: ANN401 - Stripe's object
        return await _not_missing(
            self.client.v1.checkout.sessions.create_async(
                {
                    "mode": "subscription",
                    "customer": str(payer),
                    "client_reference_id": str(account_id),
                    "line_items": [{"price": price, "quantity": 1}],
                    "subscription_data": {"metadata": {ACCOUNT: str(account_id)}},
                    "success_url": back,
                    "cancel_url": back,
                },
                {"idempotency_key": key},
            )
        )

    @override
    async def close_checkouts(self, payer: PayerRef) -> None:
        await self._close_checkouts(payer)

    async def _close_checkouts(self, payer: PayerRef, but: str = "") -> None:
        async for page in self._of(payer, self.client.v1.checkout.sessions.list_async, status="open"):
            if page["id"] != but:
                try:
                    await answered(self.client.v1.checkout.sessions.expire_async(page["id"]))
                except (Missing, PaymentRefused):
                    continue  # it ended by itself, or something was bought: the subscriptions show it

    @override
    async def open_portal(self, payer: PayerRef) -> Page:
        back = self.link("billing/read_subscription")
        opened = await _not_missing(
            self.client.v1.billing_portal.sessions.create_async({"customer": str(payer), "return_url": back})
        )
        return Page(opened.url)

    @override
    async def change_plan(self, payer: PayerRef, plan: PlanName, key: UUID) -> None:
        if plan not in self.prices:
            raise PlanNotOffered
        living = [each for each in in_order(await self._subscriptions(payer)) if is_living(each)]
        if not living or not items_of(living[0]):
            raise PaymentRefused
        await _not_missing(
            self.client.v1.subscriptions.update_async(
                living[0]["id"],
                {
                    "items": [{"id": items_of(living[0])[0]["id"], "price": self.prices[plan]}],
                    "proration_behavior": "always_invoice",
                    "payment_behavior": "error_if_incomplete",
                },
                {"idempotency_key": f"plan-{key}"},
            )
        )

    @override
    async def fetch(self, payer: PayerRef) -> Seen:
        plans = {**self.former_prices, **{price: plan for plan, price in self.prices.items()}}
        return seen(await self._subscriptions(payer), plans)

    @override
    async def stop_renewal(self, payer: PayerRef) -> None:
        await self._close_checkouts(payer)
        for subscription in await self._subscriptions(payer):
            if is_living(subscription) and seen([subscription], {}).state is SubscriptionState.INCOMPLETE:
                await self._end(subscription)
            elif is_living(subscription) and renews(subscription):
                await self._renew(subscription, goes_on=False)
        for invoice in await self._owed(payer):
            if invoice["auto_advance"] and not was_stopped(invoice):
                await self._collect(invoice, goes_on=False)

    @override
    async def restore_renewal(self, payer: PayerRef) -> None:
        for subscription in await self._subscriptions(payer):
            if is_living(subscription) and was_stopped(subscription):
                await self._renew(subscription, goes_on=True)
        for invoice in await self._owed(payer):
            if was_stopped(invoice):
                await self._collect(invoice, goes_on=True)

    async def _renew(self, subscription: Any, *, goes_on: bool) -> None:  # noqa: ANN401 - Stripe's object
        await answered(
            self.client.v1.subscriptions.update_async(
                subscription["id"],
                {"cancel_at_period_end": not goes_on, "metadata": {STOPPED: "" if goes_on else YES}},
            )
        )

    async def _collect(self, invoice: Any, *, goes_on: bool) -> None:  # noqa: ANN401 - Stripe's object
        await answered(
            self.client.v1.invoices.update_async(
                invoice["id"], {"auto_advance": goes_on, "metadata": {STOPPED: "" if goes_on else YES}}
            )
        )

    @override
    async def end_doubles(self, payer: PayerRef) -> None:
        for subscription in in_order(await self._subscriptions(payer))[1:]:
            if is_living(subscription) and renews(subscription):
                await answered(
                    self.client.v1.subscriptions.update_async(
                        subscription["id"], {"cancel_at_period_end": True}
                    )
                )

    @override
    async def cancel(self, payer: PayerRef) -> None:
        await self._close_checkouts(payer)
        for subscription in await self._subscriptions(payer):
            if is_living(subscription):
                await self._end(subscription)
        for invoice in await self._owed(payer):
            if invoice["auto_advance"]:
                await self._collect(invoice, goes_on=False)

    async def _end(self, subscription: Any) -> None:  # noqa: ANN401 - Stripe's object
        try:
            await answered(self.client.v1.subscriptions.cancel_async(subscription["id"]))
        except Missing:
            return  # cancelled before

    @override
    async def charges(self, payer: PayerRef) -> bool:
        async for _ in self._of(payer, self.client.v1.checkout.sessions.list_async, status="open"):
            return True
        return any(is_living(each) for each in await self._subscriptions(payer))

    @override
    async def delete_payer(self, payer: PayerRef) -> None:
        try:
            await answered(self.client.v1.customers.delete_async(str(payer)))
        except Missing:
            return  # deleted before

    @override
    async def holds_payer(self, payer: PayerRef) -> bool:
        try:
            found: Any = await answered(self.client.v1.customers.retrieve_async(str(payer)))
        except Missing:
            return False
        return not getattr(found, "deleted", False)

    @override
    async def hints(self, since: datetime) -> AsyncGenerator[PaymentHint, None]:
        created = {"gte": int(since.timestamp())}
        async for event in self._pages(
            self.client.v1.events.list_async, created=created, types=list(TOLD_OF)
        ):
            if (hint := hint_of(event)) is not None:
                yield hint

    async def _subscriptions(self, payer: PayerRef) -> list[Any]:
        listed = self._of(payer, self.client.v1.subscriptions.list_async, status="all")
        return [each async for each in listed]

    async def _owed(self, payer: PayerRef) -> list[Any]:
        owed = []
        for status in OWED:
            owed += [
                each async for each in self._of(payer, self.client.v1.invoices.list_async, status=status)
            ]
        return owed

    async def _of(self, payer: PayerRef, listing: Any, **given: object) -> AsyncGenerator[Any, None]:  # noqa: ANN401 - Stripe's method
        """Yield what there is of a payer: nothing of one that is gone."""
        try:
            async for each in self._pages(listing, customer=str(payer), **given):
                yield each
        except Missing:
            return

    async def _pages(self, listing: Any, **given: object) -> AsyncGenerator[Any, None]:  # noqa: ANN401 - Stripe's method
        after: dict[str, object] = {}
        while True:
            page = await answered(listing({"limit": PAGE, **given, **after}))
            for each in page["data"]:
                yield each
            if not page["has_more"] or not page["data"]:
                return
            after = {"starting_after": page["data"][-1]["id"]}


def _bears(customer: Any, account_id: AccountId) -> bool:  # noqa: ANN401 - Stripe's object
    return bool(value_of(value_of(customer, "metadata"), ACCOUNT) == str(account_id))


async def _not_missing(asked: Any) -> Any:  # noqa: ANN401 - Stripe's objects
    """Return what Stripe answers about what must be there. Raises PaymentRefused where it is not."""
    try:
        return await answered(asked)
    except Missing:
        pass
    raise PaymentRefused
