"""Stripe's webhooks: verified on the bytes as they came, taken for hints, and every sample life ends as it should."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest
from aiohttp import ClientSession

from adapters.inbound.http.app import build
from adapters.inbound.webhooks.stripe import StripeSignature, StripeWebhooks
from adapters.outbound.memory.system import HandClock
from adapters.outbound.stripe.http import client
from adapters.outbound.stripe.payments import StripePayments
from adapters.outbound.stripe.reading import hint_of
from adapters.outbound.stripe.simulator import StripeSimulator, shapes, signed
from bootstrap.worlds import InMemory
from bootstrap.worlds.edge import HttpClient, always, calling
from domain.billing import Offer, Offers, PayerRef, PlanName, Subscription, SubscriptionState
from domain.entitlements import Plan
from domain.kernel import AccountId
from domain.money import Money
from tests.support.actors import Person, sign_up
from tests.support.provider_files import sample_webhooks

SEQUENCES = sample_webhooks("stripe_event_sequences.json")
CASES = sample_webhooks("stripe_signature_cases.json")
SECRET: str = SEQUENCES["webhook_secret"]
KEY = "sk_test_pico"
PLANS = {PlanName.BASIC: "price_PicoMonthly"}
OFFERS = Offers({PlanName.BASIC: Offer(PlanName.BASIC, Money(499, "USD"), Plan(1))})
ENDS = {
    "purchase": SubscriptionState.ACTIVE,
    "purchase_out_of_order": SubscriptionState.ACTIVE,
    "purchase_duplicates": SubscriptionState.ACTIVE,
    "renewal": SubscriptionState.ACTIVE,
    "payment_failed_then_recovered": SubscriptionState.ACTIVE,
    "payment_failed_then_canceled": SubscriptionState.ENDED,
    "cancel_at_period_end": SubscriptionState.ENDED,
    "cancel_at_period_end_then_resumed": SubscriptionState.ACTIVE,
    "erasure_cancel_now": SubscriptionState.ENDED,
    "late_update_after_delete": SubscriptionState.ENDED,
    "unknown_type": SubscriptionState.NONE,
}
"""How each sample life ends, at Stripe and so with us."""
SUBSCRIBED: dict[str, Any] = next(
    json.loads(event["raw_body"])["data"]["object"]
    for event in SEQUENCES["sequences"]["purchase"]
    if event["type"] == "customer.subscription.updated"
)


@dataclass
class Shop:
    """An account of ours that Stripe knows as `cus_Pico0001`, and the endpoint that Stripe calls."""

    world: InMemory
    stripe: StripeSimulator
    clock: HandClock
    http: HttpClient
    ada: Person

    async def post(self, body: str, headers: dict[str, str]) -> int:
        async with self.http.session.post(
            f"{self.http.url}/webhooks/stripe", data=body.encode(), headers=headers
        ) as answer:
            return answer.status

    async def deliver(self, event: dict[str, Any]) -> int:
        """Send a sample as it is, at the time that it says."""
        at = int(event["headers"]["Stripe-Signature"].split(",")[0].removeprefix("t="))
        self.clock._now = datetime.fromtimestamp(at, UTC)
        return await self.post(event["raw_body"], event["headers"])

    async def state(self) -> SubscriptionState:
        return (await self.world.use_cases.read_subscription(self.ada.id)).subscription.state


class Unmoved(StripeSimulator):
    """A Stripe whose subscriptions are as the samples say, and not what time makes of them."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.billing = type("Stopped", (), {"run": lambda _: None, "prices": {}})()


@asynccontextmanager
async def shop() -> AsyncIterator[Shop]:
    clock = HandClock(datetime(2026, 11, 23, tzinfo=UTC))
    stripe = Unmoved(api_key=KEY, webhook_secret=SECRET, prices={}, now=clock.now)
    async with stripe.running() as url, ClientSession() as session:
        payments = StripePayments(client(session, KEY, url), PLANS, "https://app.example/{}".format)
        world = InMemory(payments=payments, offers=OFFERS, clock=clock)
        ada = await sign_up(world)
        stripe.hold(shapes.customer("cus_Pico0001", 1, {"account_id": str(ada.id)}))
        bought = Subscription.begin(ada.id)
        bought.payer = PayerRef("cus_Pico0001")
        async with world.store.begin(ada.id) as tx:
            tx.save(bought)
        signature = StripeSignature(["whsec_former", SECRET], clock.now)
        webhooks = StripeWebhooks(world.use_cases, signature, hint_of)
        async with calling(build(world.use_cases, ready=always, webhooks=(webhooks,))) as http:
            yield Shop(world, stripe, clock, http, ada)


def truth(events: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the subscription as Stripe holds it once all of these have happened."""
    bodies = sorted((json.loads(event["raw_body"]) for event in events), key=lambda body: body["created"])
    held = [body["data"]["object"] for body in bodies if body["data"]["object"]["object"] == "subscription"]
    if held:
        return dict(held[-1])
    return dict(SUBSCRIBED) if bodies[0]["type"] != "customer.future_thing.happened" else None


def orders(events: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return an order as it is, others, and one in which each comes up to three times."""
    shuffled = [list(order) for order in permutations(events)][:6]
    often = [event for event in events for _ in range(random.randint(1, 3))]
    random.shuffle(often)
    return [events, *shuffled, often]


def test_every_sample_life_is_played() -> None:
    assert ENDS.keys() == SEQUENCES["sequences"].keys()


@pytest.mark.parametrize("name", ENDS)
async def test_every_sample_life_ends_right_in_any_order_and_however_often(name: str) -> None:
    for order in orders(SEQUENCES["sequences"][name]):
        async with shop() as at:
            held = truth(order)
            if held is not None:
                at.stripe.hold(held)
            for event in order:
                assert await at.deliver(event) == 204
                await at.world.settle()
            assert await at.state() is ENDS[name], [event["type"] for event in order]
            plan = await at.world.entitlements.plan(at.ada.id)
            assert plan.lines == (ENDS[name] is SubscriptionState.ACTIVE)


async def test_a_late_event_that_says_otherwise_changes_nothing() -> None:
    async with shop() as at:
        ended, active = SEQUENCES["sequences"]["late_update_after_delete"]
        at.stripe.hold(truth([ended, active]) or {})
        for event in (active, ended, active):
            assert await at.deliver(event) == 204
            await at.world.settle()
        assert await at.state() is SubscriptionState.ENDED


@pytest.mark.parametrize("case", CASES["signature_cases"], ids=lambda case: case["name"])
async def test_the_samples_verdicts_on_signatures_are_ours(case: dict[str, Any]) -> None:
    now = datetime.fromtimestamp(case["at"], UTC)
    verifies = StripeSignature([CASES["webhook_secret"]], lambda: now).verify
    assert verifies(case["header"], case["raw_body"].encode()) == case["valid"]


BODY = json.dumps({"id": "evt_1", "object": "event", "type": "unheard.of", "created": 1, "data": {}})


@pytest.mark.parametrize(
    ("late", "secret", "status"),
    [
        (0, SECRET, 204), (299, SECRET, 204), (-299, SECRET, 204), (0, "whsec_former", 204),
        (302, SECRET, 403), (-302, SECRET, 403), (0, "whsec_somebodys", 403),
    ],
)  # fmt: skip
async def test_forged_old_and_future_dated_events_are_refused(late: int, secret: str, status: int) -> None:
    async with shop() as at:
        signature = signed(secret, BODY.encode(), int(at.clock.now().timestamp()) - late)
        assert await at.post(BODY, {"Stripe-Signature": signature}) == status


@pytest.mark.parametrize(
    "header",
    [
        "", "t=1", "v1=00", "t=x,v1=00", "t=1795392000", "t=1795392000,v1=", "t=1795392000,v1=é",
        "t=1795392000,v1=\udcff", "t=1795392000,v1=\udced\udca0\udc80", "\udcff=1,t=1795392000,v1=00",
        "t=1795392000,t=1795392000,v1=00", "=,=,=", "t=1795392000," + ",".join(["v1=00"] * 17),
    ],
)  # fmt: skip
def test_a_header_that_is_none_verifies_nothing(header: str) -> None:
    now = datetime.fromtimestamp(1795392000, UTC)
    assert not StripeSignature([SECRET], lambda: now).verify(header, b"{}")


def test_without_a_secret_there_are_no_webhooks() -> None:
    for secrets in ([], [""], [SECRET, ""]):
        with pytest.raises(ValueError, match="secret"):
            StripeSignature(secrets, lambda: datetime.now(UTC))


def about(**given: object) -> str:
    """Return an event, about a customer or about anything else."""
    said = {"object": "event", "id": "evt_1", "created": 1, "type": "invoice.paid", "data": {"object": given}}
    return json.dumps(said | given)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400), ("[]", 204), ("{", 400), ("NaN", 400), ("[" * 30_000, 400), ('"\\ud800"', 204),
        ('{"object": "v2.core.event", "id": "evt_1"}', 204), ('{"object": "event"}', 400),
        (about(created="now"), 400), (about(data=None), 204), (about(data=[]), 204), (about(customer=7), 400),
        (about(customer={"id": "cus_Pico0001"}), 204), (about(customer="cus_nobody"), 204),
        (about(customer="c" * 65), 400),
    ],
)  # fmt: skip
async def test_what_is_signed_is_read_with_care(body: str, status: int) -> None:
    async with shop() as at:
        signature = signed(SECRET, body.encode(), int(at.clock.now().timestamp()))
        assert await at.post(body, {"Stripe-Signature": signature}) == status


async def test_an_event_is_answered_before_stripe_is_asked_and_needs_no_answer_of_it() -> None:
    async with shop() as at:
        at.stripe.hold(dict(SUBSCRIBED))
        at.stripe.faults.outage = True
        for event in SEQUENCES["sequences"]["purchase"]:
            assert await at.deliver(event) == 204
        await at.world.settle()
        assert await at.state() is SubscriptionState.NONE
        at.stripe.faults.outage = False
        at.stripe.requests.clear()
        await at.world.advance(at.world.retention.idempotency.keep)
        assert await at.state() is SubscriptionState.ACTIVE


async def test_an_event_for_an_account_that_is_gone_is_taken_and_leads_nowhere() -> None:
    async with shop() as at:
        assert await at.world.directory.payer(PayerRef("cus_Pico0001")) == at.ada.id
        await at.world.store.delete_rows(AccountId(at.ada.id))
        for event in SEQUENCES["sequences"]["renewal"]:
            assert await at.deliver(event) == 204
