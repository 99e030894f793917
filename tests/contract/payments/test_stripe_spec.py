"""Every request that the adapter makes, and every answer of the simulator, is one of Stripe's own contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from adapters.outbound.memory.system import HandClock
from adapters.outbound.stripe.http import VERSION, client
from adapters.outbound.stripe.payments import StripePayments
from adapters.outbound.stripe.simulator import StripeSimulator
from application.ports.payments import PaymentRefused
from domain.billing import PlanName
from pico_testkit.contracts.payments import ADA, START
from tests.contract.payments.test_payments import KEY, PLANS, PRICES, SECRET
from tests.support import stripe_spec

HOUR = timedelta(hours=1)


class Listening(StripeSimulator):
    """Notes each request whole, and what it was answered."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.exchanges: list[tuple[str, str, str, int, Any]] = []
        self.headers: list[dict[str, str]] = []

    def _once(self, request: Any, form: Any) -> tuple[int, Any]:
        status, body = super()._once(request, form)
        sent = self.raw if request.method == "POST" else request.query_string
        self.exchanges.append((request.method, request.path, sent, status, body))
        self.headers.append(dict(request.headers))
        return status, body

    async def _answer(self, request: Any) -> Any:
        self.raw = await request.text()
        return await super()._answer(request)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(START)


@pytest.fixture
def simulator(clock: HandClock) -> Listening:
    return Listening(api_key=KEY, webhook_secret=SECRET, prices=PRICES, now=clock.now)


@pytest.fixture
async def payments(simulator: Listening) -> AsyncIterator[StripePayments]:
    async with simulator.running() as url, aiohttp.ClientSession() as session:
        yield StripePayments(client(session, KEY, url), PLANS, "https://app.example/{}".format)


async def live(payments: StripePayments, simulator: Listening, clock: HandClock) -> None:
    """Do everything that can be asked of Stripe, once or more."""
    payer = await payments.make_payer(ADA, uuid4())
    await payments.find_payers(ADA, START - HOUR)
    for plan in (PlanName.PLUS, PlanName.BASIC):
        await payments.open_checkout(payer, ADA, plan, uuid4())
    (page,) = (ref for ref, each in simulator.state.checkouts.items() if each["status"] == "open")
    simulator.complete(page)
    await payments.open_portal(payer)
    await payments.change_plan(payer, PlanName.PLUS, uuid4())
    await payments.fetch(payer)
    await payments.open_checkout(payer, ADA, PlanName.BASIC, uuid4())
    (page,) = (ref for ref, each in simulator.state.checkouts.items() if each["status"] == "open")
    simulator.complete(page)
    await payments.end_doubles(payer)
    clock.advance(timedelta(days=30, minutes=30))
    await payments.stop_renewal(payer)
    await payments.restore_renewal(payer)
    simulator.faults.declines = True
    clock.advance(timedelta(days=30))
    with pytest.raises(PaymentRefused):
        await payments.change_plan(payer, PlanName.BASIC, uuid4())
    await payments.charges(payer)
    await payments.cancel(payer)
    _ = [hint async for hint in payments.hints(START)]
    await payments.delete_payer(payer)
    await payments.holds_payer(payer)
    with pytest.raises(PaymentRefused):
        await payments.open_portal(payer)


async def test_what_is_asked_and_answered_is_in_the_contract(
    payments: StripePayments, simulator: Listening, clock: HandClock
) -> None:
    await live(payments, simulator, clock)
    spoken_of = [stripe_spec.check(*exchange) for exchange in simulator.exchanges]
    assert sum(spoken_of) >= len(spoken_of) - 6
    asked = {(method, path) for method, path, *_ in simulator.exchanges}
    assert len(asked) > 12


async def test_every_event_that_is_told_is_in_the_contract(
    payments: StripePayments, simulator: Listening, clock: HandClock
) -> None:
    await live(payments, simulator, clock)
    event = stripe_spec.validator({"$ref": "#/components/schemas/event"})
    for told in simulator.state.events.values():
        assert [error.message for error in event.iter_errors(told)] == []
        about = told["data"]["object"]
        shape = stripe_spec.validator({"$ref": f"#/components/schemas/{about['object']}"})
        assert [error.message for error in shape.iter_errors(about)] == [], told["type"]


async def test_stripe_is_told_the_version_and_a_key_and_nothing_of_this_machine(
    payments: StripePayments, simulator: Listening, clock: HandClock
) -> None:
    await live(payments, simulator, clock)
    for (method, path, *_), headers in zip(simulator.exchanges, simulator.headers, strict=True):
        assert headers["Stripe-Version"] == VERSION
        assert ("Idempotency-Key" in headers) == (method == "POST"), path
        assert "platform" not in headers["X-Stripe-Client-User-Agent"]
        assert "telemetry" not in str(headers).lower()


async def test_the_account_is_known_by_its_id_alone(
    payments: StripePayments, simulator: Listening, clock: HandClock
) -> None:
    await live(payments, simulator, clock)
    sent = [form for _, _, form in simulator.requests]
    told = {key for form in sent for key in form}
    assert told.isdisjoint({"email", "name", "phone", "address", "description", "shipping"})
    (customer,) = (
        form for method, path, form in simulator.requests if path == "/v1/customers" and method == "POST"
    )
    assert customer == {"metadata": {"account_id": str(ADA)}}


def test_a_check_that_finds_nothing_would_be_none() -> None:
    for sent in ("metadata[account_id]=1&surname=x", "adress[city]=x"):
        with pytest.raises(AssertionError):
            stripe_spec.check("POST", "/v1/customers", sent, 200, {})
    with pytest.raises(AssertionError):
        stripe_spec.check("POST", "/v1/customers", "", 200, {"id": 7})
    with pytest.raises(AssertionError):
        stripe_spec.check("GET", "/v1/somewhere", "", 200, {})
