"""The plans on offer, what the account pays for, and the pages on which its person pays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pico_client.calls import Calls, new_key
from pico_client.lines import MonthlyPrice
from pico_client.results import Result


@dataclass(frozen=True, slots=True, repr=False)
class Plan(Result):
    """A plan on offer."""

    plan: str
    price: MonthlyPrice
    lines_at_most: int
    countries: list[str] | None


@dataclass(frozen=True, slots=True, repr=False)
class Subscription(Result):
    """What the account pays for, and how many lines it may have by that or without."""

    state: str
    plan: str | None
    seller: str
    period_ends_at: datetime | None
    ends_at: datetime | None
    grace_ends_at: datetime | None
    lines_at_most: int


@dataclass(frozen=True, slots=True, repr=False)
class Checkout(Result):
    """A page on which the person pays."""

    id: str
    url: str
    page_ends_at: datetime | None


@dataclass(frozen=True, slots=True, repr=False)
class Portal(Result):
    """A page on which the person looks after the subscription."""

    url: str


@dataclass(frozen=True, slots=True, repr=False)
class Buyer(Result):
    """By what an app store is to know whose a purchase is."""

    buyer_token: str


class Billing(Calls):
    """What one does to pay."""

    def list_plans(self) -> Iterator[Plan]:
        """List the plans on offer."""
        return self._list(Plan, "/v1/plans")

    def read_subscription(self) -> Subscription:
        """Read what the account pays for, and how many lines it may have."""
        return self._ask(Subscription, "GET", "/v1/subscription")

    def open_checkout(self, plan: str, *, key: str | None = None) -> Checkout:
        """Open the page on which a plan is bought: send the person there. Only the page opened last sells.

        Under the same `key`, made unless given, it is the same page.
        """
        return self._ask(Checkout, "POST", "/v1/billing/checkout", body={"plan": plan}, key=key or new_key())

    def open_portal(self) -> Portal:
        """Open the page on which the person looks after a subscription that was bought here."""
        return self._ask(Portal, "POST", "/v1/billing/portal")

    def read_buyer_token(self) -> Buyer:
        """Read by what an app store is to know whose a purchase is: the app hands it over as it sells."""
        return self._ask(Buyer, "POST", "/v1/billing/buyer-token")

    def change_plan(self, plan: str, *, key: str | None = None) -> Subscription:
        """Change the plan: the difference is charged, or credited, at once."""
        return self._ask(
            Subscription, "POST", "/v1/billing/plan-changes", body={"plan": plan}, key=key or new_key()
        )
