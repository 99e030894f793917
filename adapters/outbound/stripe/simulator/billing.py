"""How the simulated Stripe bills: periods end, drafts are finalised, cards are charged, whoever looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from adapters.outbound.stripe.simulator import shapes
from adapters.outbound.stripe.simulator.faults import Faults
from adapters.outbound.stripe.simulator.shapes import Object
from adapters.outbound.stripe.simulator.state import State

HOUR = 3600
FIRST_PAYMENT_WITHIN = 23 * HOUR
RETRIES_LAST = 14 * 24 * HOUR
OVER = frozenset({"canceled", "incomplete_expired"})


@dataclass(frozen=True, slots=True)
class Billing:
    """The clockwork. `prices` are amounts in cents, by the price's id."""

    state: State
    faults: Faults
    prices: dict[str, int]
    now: Callable[[], int]

    def run(self) -> None:
        """Let happen what time has brought. Repeating is harmless."""
        for subscription in list(self.state.subscriptions.values()):
            self._grow_older(subscription)
        for invoice in list(self.state.invoices.values()):
            due = invoice["created"] + HOUR
            if invoice["status"] == "draft" and invoice["auto_advance"] and due <= self.now():
                self._finalise(invoice, due)
        self.state.save()

    def buy(self, checkout: Object) -> Object:
        """Have a page's plan be bought: paid, unless cards are refused. Return the subscription."""
        at, refused = self.now(), self.faults.declines
        ref = checkout["price"]
        bought = shapes.subscription(
            self.state.ref("sub"), checkout["customer"], at, (ref, self.prices[ref]),
            checkout["subscription_metadata"], "incomplete" if refused else "active",
        )  # fmt: skip
        self.state.subscriptions[bought["id"]] = bought
        self.state.tell("customer.subscription.created", bought, at)
        self._finalise(self._draft(bought, at, "subscription_create"), at)
        checkout.update(status="complete", subscription=bought["id"], url=None)
        checkout["payment_status"] = "unpaid" if refused else "paid"
        self.state.tell("checkout.session.completed", checkout, at)
        return bought

    def charge_now(self, subscription: Object) -> None:
        """Have what a change of plan comes to be paid at once."""
        self._finalise(self._draft(subscription, self.now(), "subscription_update"), self.now())

    def end(self, subscription: Object, at: int) -> None:
        """End a subscription: nothing of it is collected any more by itself."""
        if subscription["status"] in OVER:
            return
        subscription.update(status="canceled", ended_at=at, canceled_at=subscription["canceled_at"] or at)
        for invoice in self._invoices_of(subscription):
            if invoice["status"] in {"draft", "open"}:
                invoice["auto_advance"] = False
        self.state.tell("customer.subscription.deleted", subscription, at)

    def retry(self) -> None:
        """Have what is owed be charged once more."""
        for invoice in list(self.state.invoices.values()):
            if invoice["status"] == "open" and invoice["auto_advance"]:
                self._charge(invoice, self.now())

    def _grow_older(self, subscription: Object) -> None:
        if subscription["status"] == "incomplete":
            if subscription["created"] + FIRST_PAYMENT_WITHIN <= self.now():
                subscription.update(status="incomplete_expired", ended_at=self.now())
                self.state.tell("customer.subscription.updated", subscription, self.now())
            return
        (item,) = subscription["items"]["data"]
        while subscription["status"] not in OVER and (ends := item["current_period_end"]) <= self.now():
            if subscription["cancel_at_period_end"] or (subscription["cancel_at"] or ends + 1) <= ends:
                self.end(subscription, ends)
                return
            item.update(current_period_start=ends, current_period_end=ends + shapes.PERIOD)
            self._draft(subscription, ends, "subscription_cycle")
            self.state.tell("customer.subscription.updated", subscription, ends)
        if subscription["status"] == "past_due":
            owed = [each["created"] for each in self._invoices_of(subscription) if each["status"] == "open"]
            if owed and min(owed) + RETRIES_LAST <= self.now():
                self.end(subscription, min(owed) + RETRIES_LAST)

    def _draft(self, subscription: Object, at: int, reason: str) -> Object:
        amount = subscription["items"]["data"][0]["price"]["unit_amount"]
        invoice = shapes.invoice(self.state.ref("in"), subscription, at, amount, reason)
        self.state.invoices[invoice["id"]] = invoice
        return invoice

    def _finalise(self, invoice: Object, at: int) -> None:
        invoice["status"] = "open"
        invoice["status_transitions"]["finalized_at"] = at
        self._charge(invoice, at)

    def _charge(self, invoice: Object, at: int) -> None:
        subscription = self.state.subscriptions[invoice["parent"]["subscription_details"]["subscription"]]
        invoice.update(attempted=True, attempt_count=invoice["attempt_count"] + 1)
        refused = self.faults.declines
        if not refused:
            invoice.update(
                status="paid", amount_paid=invoice["amount_due"], amount_remaining=0, auto_advance=False
            )
            invoice["status_transitions"]["paid_at"] = at
        becomes = {
            (True, "active"): "past_due",
            (False, "past_due"): "active",
            (False, "incomplete"): "active",
        }
        status = becomes.get((refused, subscription["status"]))
        if status is not None:
            subscription["status"] = status
        self.state.tell("invoice.payment_failed" if refused else "invoice.paid", invoice, at)
        if status is not None:
            self.state.tell("customer.subscription.updated", subscription, at)

    def _invoices_of(self, subscription: Object) -> list[Object]:
        return [
            each
            for each in self.state.invoices.values()
            if each["parent"]["subscription_details"]["subscription"] == subscription["id"]
        ]
