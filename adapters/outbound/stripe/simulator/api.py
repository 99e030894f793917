"""What the simulated Stripe does when it is asked: one method for each request that Pico makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adapters.outbound.stripe.simulator import shapes
from adapters.outbound.stripe.simulator.billing import OVER, Billing
from adapters.outbound.stripe.simulator.faults import Faults
from adapters.outbound.stripe.simulator.forms import listed
from adapters.outbound.stripe.simulator.shapes import Object
from adapters.outbound.stripe.simulator.state import State

MOST = 100
INVALID = 400
HIDDEN = ("price", "subscription_metadata")
"""What this Stripe notes at a checkout for itself."""


class Refused(Exception):
    """An error as Stripe answers it."""

    def __init__(self, status: int, code: str, kind: str = "invalid_request_error") -> None:
        """Say how it is answered."""
        super().__init__()
        self.status, self.error = status, {"error": {"type": kind, "code": code, "message": code}}


@dataclass(frozen=True, slots=True)
class Api:
    """Customers, checkouts, portals, subscriptions, invoices and events of one account."""

    state: State
    billing: Billing
    faults: Faults
    now: Callable[[], int]
    page_url: Callable[[str], str]

    def make_customer(self, given: Object) -> Object:
        """Create a customer."""
        made = shapes.customer(self.state.ref("cus"), self.now(), given.get("metadata", {}))
        self.state.customers[made["id"]] = made
        return made

    def customer(self, ref: str) -> Object:
        """Read a customer, or what is left of one."""
        return _held(self.state.customers, ref)

    def delete_customer(self, ref: str) -> Object:
        """Delete a customer: what they pay for ends at once."""
        known = self._living_customer(ref)
        if not self.faults.forgetful:
            for subscription in self.state.of(ref, "subscriptions"):
                self.billing.end(subscription, self.now())
            for checkout in self.state.of(ref, "checkouts"):
                self._expire(checkout)
            self.state.customers[ref] = shapes.deleted_customer(ref)
            self.state.tell("customer.deleted", known, self.now())
        return shapes.deleted_customer(ref)

    def open_checkout(self, given: Object) -> Object:
        """Open a page on which something can be bought."""
        self._living_customer(given.get("customer", ""))
        [item] = listed(given.get("line_items"))
        if item["price"] not in self.billing.prices or given.get("mode") != "subscription":
            raise Refused(INVALID, "resource_missing")
        ref = self.state.ref("cs_test")
        made = shapes.checkout(ref, self.now(), self.page_url(ref), given)
        made["price"] = item["price"]
        made["subscription_metadata"] = given.get("subscription_data", {}).get("metadata", {})
        self.state.checkouts[ref] = made
        return shown(made)

    def expire_checkout(self, ref: str) -> Object:
        """Close a page."""
        checkout = _held(self.state.checkouts, ref)
        if checkout["status"] != "open":
            raise Refused(INVALID, "checkout_not_open")
        self._expire(checkout)
        return shown(checkout)

    def _expire(self, checkout: Object) -> None:
        if checkout["status"] == "open":
            checkout.update(status="expired", url=None)
            self.state.tell("checkout.session.expired", shown(checkout), self.now())

    def open_portal(self, given: Object) -> Object:
        """Open a page on which a customer looks after a subscription."""
        self._living_customer(given.get("customer", ""))
        ref = self.state.ref("bps")
        return shapes.portal(ref, self.now(), self.page_url(ref), given)

    def change_subscription(self, ref: str, given: Object) -> Object:
        """Change a subscription's price, its end or its metadata."""
        known = _held(self.state.subscriptions, ref)
        if known["status"] in OVER:
            raise Refused(INVALID, "resource_missing")
        before = known["items"]["data"][0]["price"]["id"]
        for item in listed(given.get("items")):
            price = item["price"]
            if item["id"] != known["items"]["data"][0]["id"] or price not in self.billing.prices:
                raise Refused(INVALID, "resource_missing")
            if given.get("payment_behavior") == "error_if_incomplete" and self.faults.declines:
                raise Refused(402, "card_declined", "card_error")
            amount = self.billing.prices[price]
            known["items"]["data"][0].update(
                price=shapes.price(price, amount), plan=shapes.plan(price, amount)
            )
        if "cancel_at_period_end" in given:
            ends = given["cancel_at_period_end"] == "true"
            end = known["items"]["data"][0]["current_period_end"] if ends else None
            known.update(cancel_at_period_end=ends, cancel_at=end, canceled_at=self.now() if ends else None)
        _note(known, given)
        if before != known["items"]["data"][0]["price"]["id"]:
            self.billing.charge_now(known)
        self.state.tell("customer.subscription.updated", known, self.now())
        return known

    def cancel_subscription(self, ref: str) -> Object:
        """End a subscription at once."""
        known = _held(self.state.subscriptions, ref)
        if known["status"] in OVER:
            raise Refused(404, "resource_missing")
        if self.faults.forgetful:
            return {**known, "status": "canceled"}
        self.billing.end(known, self.now())
        return known

    def change_invoice(self, ref: str, given: Object) -> Object:
        """Have an invoice be collected by itself, or not."""
        known = _held(self.state.invoices, ref)
        if "auto_advance" in given:
            if known["status"] not in {"draft", "open"}:
                raise Refused(INVALID, "invoice_not_editable")
            known["auto_advance"] = given["auto_advance"] == "true"
        _note(known, given)
        return known

    def list(self, name: str, given: Object) -> Object:
        """List objects of one kind, the newest first, a page at a time."""
        found = list(reversed(getattr(self.state, name).values()))
        if "customer" in given:
            if self.state.customers.get(given["customer"]) is None:
                raise Refused(INVALID, "resource_missing")
            found = [each for each in found if each.get("customer") == given["customer"]]
        found = [each for each in found if _is_of(each, name, given)]
        if after := given.get("starting_after"):
            refs = [each["id"] for each in found]
            if after not in refs:
                raise Refused(INVALID, "resource_missing")
            found = found[refs.index(after) + 1 :]
        limit = min(int(given.get("limit", 10)), MOST)
        page = [shown(each) for each in found[:limit]]
        return {"object": "list", "data": page, "has_more": len(found) > limit, "url": f"/v1/{name}"}

    def _living_customer(self, ref: str) -> Object:
        known = _held(self.state.customers, ref)
        if known.get("deleted"):
            raise Refused(INVALID, "resource_missing")
        return known


def shown(thing: Object) -> Object:
    """Return an object as it is answered."""
    return {name: value for name, value in thing.items() if name not in HIDDEN}


def _is_of(thing: Object, name: str, given: Object) -> bool:
    since: Any = given.get("created", {})
    if isinstance(since, dict) and thing.get("created", 0) < int(since.get("gte", 0)):
        return False
    if thing.get("deleted"):
        return False
    if (kinds := listed(given.get("types"))) and thing.get("type") not in kinds:
        return False
    status = given.get("status")
    if name == "subscriptions" and status is None:
        return thing["status"] not in OVER
    return status in {None, "all"} or thing.get("status") == status


def _note(thing: Object, given: Object) -> None:
    """Take over metadata; an empty value takes a key away."""
    for key, value in given.get("metadata", {}).items():
        thing["metadata"] = {**thing["metadata"], key: value}
        if not value:
            del thing["metadata"][key]


def _held(among: dict[str, Object], ref: str) -> Object:
    if ref not in among:
        raise Refused(404, "resource_missing")
    return among[ref]
