"""Billing: the plans on offer, what is paid for, and the pages on which a person pays."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field
from pydantic.json_schema import Examples
from typing_extensions import TypedDict

from adapters.inbound.http.guards import Bearer, Idempotent
from adapters.inbound.http.input import Input
from adapters.inbound.http.params import APlan
from adapters.inbound.http.reply import Id, SpelledOut
from adapters.inbound.http.request import Request
from adapters.inbound.http.resources.lines import MonthlyPrice
from adapters.inbound.http.route import OPEN, Route
from application.billing import Paid
from application.ports.payments import PaymentRefused, PaymentsUnavailable
from domain.accounts import AccountRestricted, PendingDeletion
from domain.billing import (
    LAPSE,
    AlreadySubscribed,
    NotSubscribed,
    Offer,
    PlanName,
    PlanNotOffered,
    Seller,
    SubscriptionState,
)
from domain.entitlements import LineLimitReached
from domain.idempotency import IdempotencyMismatch
from domain.requests import Pace

PAGE_URL = "https://checkout.stripe.com/c/pay/cs_test_a1b2c3"


class PlanChoice(Input):
    """The plan to buy, or to have from now on."""

    plan: APlan


class Plan(TypedDict):
    """A plan on offer."""

    plan: Annotated[str, SpelledOut(PlanName)]
    price: MonthlyPrice
    lines_at_most: int
    countries: list[str] | None


class Plans(TypedDict):
    """The plans on offer, those with the fewest lines first; none where nothing is sold."""

    items: list[Plan]
    next_cursor: None


class Subscription(TypedDict):
    """What the account pays for, as the provider last said, and what it may have by that or without."""

    state: Annotated[str, SpelledOut(SubscriptionState), Examples(["active"])]
    plan: Annotated[str, SpelledOut(PlanName)] | None
    seller: Annotated[str, SpelledOut(Seller)]
    period_ends_at: datetime | None
    ends_at: datetime | None
    grace_ends_at: datetime | None
    lines_at_most: int


class Checkout(TypedDict):
    """A page on which the person pays; it is good until `page_ends_at`."""

    id: Id
    url: Annotated[str, Field(examples=[PAGE_URL])]
    page_ends_at: datetime | None


class Portal(TypedDict):
    """A page on which the person sees invoices, changes the card and ends the subscription."""

    url: Annotated[str, Field(examples=["https://billing.stripe.com/p/session/test_a1b2c3"])]


class Buyer(TypedDict):
    """By what an app store is to know whose a purchase is."""

    buyer_token: Annotated[str, Field(examples=["6f9b0c7e-52a1-4b6f-9d0e-0f4a7c1d2e3b"])]


def plan(of: Offer) -> Plan:
    """Show a plan."""
    countries = of.plan.countries
    return {
        "plan": of.name.value,
        "price": {"amount": of.price.amount, "currency": of.price.currency},
        "lines_at_most": of.plan.lines,
        "countries": None if countries is None else sorted(map(str, countries)),
    }


def subscription(of: Paid) -> Subscription:
    """Show what is paid for."""
    held = of.subscription
    return {
        "state": held.state.value,
        "plan": None if held.plan is None else held.plan.value,
        "seller": held.seller.value,
        "period_ends_at": held.period_ends_at,
        "ends_at": held.ends_at,
        "grace_ends_at": None if held.past_due_since is None else held.past_due_since + LAPSE.grace,
        "lines_at_most": of.entitled.lines,
    }


async def list_plans(request: Request[None]) -> Plans:
    """List the plans on offer."""
    return {"items": [plan(one) for one in request.use_cases.list_plans()], "next_cursor": None}


async def read_subscription(request: Request[None]) -> Subscription:
    """Read what the account pays for, and how many lines it may have."""
    return subscription(await request.use_cases.read_subscription(request.account_id))


async def open_checkout(request: Request[PlanChoice]) -> Checkout:
    """Open the page on which a plan is bought: send the person there. Only the page opened last sells.

    That the person comes back from it proves nothing: `subscription.changed` tells when it is paid. Repeating it with the
    same key answers the same page.
    """
    opened = await request.use_cases.open_checkout(request.account_id, request.input.plan, request.key)
    request.replayed(yes=opened.repeated)
    return {"id": str(opened.id), "url": opened.page.url, "page_ends_at": opened.page.ends_at}


async def open_portal(request: Request[None]) -> Portal:
    """Open the page on which the person looks after a subscription that was bought here. It is good for minutes."""
    return {"url": (await request.use_cases.open_portal(request.account_id)).url}


async def change_plan(request: Request[PlanChoice]) -> Subscription:
    """Change the plan: the difference is charged, or credited, at once. Repeating it with the same key changes nothing."""
    repeated = await request.use_cases.change_plan(request.account_id, request.input.plan, request.key)
    request.replayed(yes=repeated)
    return subscription(await request.use_cases.read_subscription(request.account_id))


async def read_buyer_token(request: Request[None]) -> Buyer:
    """Read by what an app store is to know whose a purchase is, drawn at random the first time.

    The app hands it over as it sells: to Apple as `appAccountToken`, to Google as `obfuscatedExternalAccountId`. A
    purchase without it is nobody's.
    """
    return {"buyer_token": str(await request.use_cases.read_buyer_token(request.account_id))}


ONCE = (Bearer(), Idempotent())
PAYING = (
    AccountRestricted, IdempotencyMismatch, PaymentRefused, PaymentsUnavailable, PendingDeletion, PlanNotOffered,
)  # fmt: skip

# ruff: noqa: E501 - a route is a line, however long
# fmt: off
ROUTES = (
    Route("GET", "/v1/plans", list_plans, 200, guards=OPEN),
    Route("GET", "/v1/subscription", read_subscription, 200),
    Route("POST", "/v1/billing/checkout", open_checkout, 200, body=PlanChoice, guards=ONCE, raises=(*PAYING, AlreadySubscribed, LineLimitReached),
          pace=Pace.PURCHASE),
    Route("POST", "/v1/billing/portal", open_portal, 200, raises=(NotSubscribed, PaymentRefused, PaymentsUnavailable, PendingDeletion),
          pace=Pace.HEAVY),
    Route("POST", "/v1/billing/buyer-token", read_buyer_token, 200, raises=(AccountRestricted, PendingDeletion)),
    Route("POST", "/v1/billing/plan-changes", change_plan, 200, body=PlanChoice, guards=ONCE, raises=(*PAYING, LineLimitReached, NotSubscribed),
          pace=Pace.PURCHASE),
)
# fmt: on
