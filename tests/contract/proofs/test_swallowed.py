"""What is swallowed, so that something else goes on, is reported, and tells nothing either."""

from __future__ import annotations

import asyncio
import functools
import io
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, NoReturn
from uuid import uuid4

import pytest
from aiohttp import ClientSession, web
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from adapters.error_report import also_telling
from adapters.google_access import GoogleAccount
from adapters.inbound.worker import Worker, keep_sweeping
from adapters.outbound.memory.system import HandClock
from adapters.outbound.sendgrid.http import SendGridHttp
from adapters.outbound.sentry.simulator import SentrySimulator
from adapters.outbound.stores.app_store import AppStore, AppStoreKey
from adapters.outbound.stores.google_play import GooglePlay
from adapters.outbound.stripe.http import answered
from adapters.outbound.stripe.http import client as stripe_client
from adapters.outbound.telnyx import answers as telnyx_answers
from adapters.outbound.twilio import answers as twilio_answers
from application.ports.carrier_errors import CarrierUnavailable
from application.ports.jobs import Dead, Job, JobLease, LeasedJob
from application.ports.mail import MailUnavailable
from application.ports.payments import PaymentsUnavailable
from application.ports.store_purchases import AppStoreUnavailable
from application.purge import PurgeResult, purge_each
from application.retention import Sweep
from bootstrap.plaintext_scan import search_bytes
from bootstrap.worlds import InMemory
from domain.billing import PurchaseToken, Seller
from domain.kernel import AccountId
from tests.support.failing import Reporting, fail, flushed
from tests.support.http_client import calling
from tests.support.keys import pem


async def odd_answer(certain: Callable[..., Any], planted: Mapping[str, str]) -> None:
    @certain
    async def ask(given: str) -> NoReturn:
        fail(planted, given)

    with suppress(CarrierUnavailable):
        await ask(planted["form"])


async def refused_key(
    planted: Mapping[str, str], asking: Callable[[ClientSession, str], Awaitable[object]]
) -> None:
    """Have a provider answer that it does not know the key, and say more than it should."""

    async def refuse(_: web.BaseRequest) -> web.Response:
        said = {"error": {"type": "invalid_request_error", "message": planted["exception text"]}}
        return web.json_response(said, status=401, headers={"X-Said": planted["header"]})

    async with calling(refuse) as client, ClientSession() as session:
        with suppress(MailUnavailable, PaymentsUnavailable, AppStoreUnavailable):
            await asking(session, client.url)


async def job(planted: Mapping[str, str]) -> None:
    """Have a job fail in a way that nobody foresaw until it is given up."""
    world = InMemory()

    async def handler(*given: object) -> NoReturn:
        fail(planted, given)

    use_cases = replace(world.use_cases, job_handlers=dict.fromkeys(world.use_cases.job_handlers, handler))
    leased = LeasedJob(
        Job("send_message", AccountId(uuid4()), uuid4()), JobLease(uuid4(), 1), 10**6, world.clock.now()
    )
    assert isinstance(await Worker(use_cases, world.clock)(leased), Dead)


async def sweep(planted: Mapping[str, str]) -> None:
    """Have a purge fail, and one of those that it deletes for."""
    world = InMemory()

    async def purge(*given: object) -> NoReturn:
        fail(planted, given)

    async def each(*_: object) -> PurgeResult:
        return await purge_each([planted["form"]], purge)

    for kind in (purge, each):
        kind.name = "sessions"  # type: ignore[attr-defined]
    swept = Sweep((purge, each), world.clock)  # type: ignore[arg-type]
    sweeping = asyncio.create_task(keep_sweeping(swept))
    await asyncio.sleep(0.1)
    sweeping.cancel()


APPLE_KEY = pem(ec.generate_private_key(ec.SECP256R1()))
GOOGLE_KEY = pem(rsa.generate_private_key(65537, 2048))
STRIPES: Callable[[ClientSession, str], Awaitable[object]] = lambda session, url: answered(  # noqa: E731
    stripe_client(session, "sk_test", url).v1.customers.list_async()
)
SWALLOWED: dict[str, Callable[[Mapping[str, str]], Awaitable[None]]] = {
    "an answer of Twilio's": functools.partial(odd_answer, twilio_answers.certain),
    "an answer of Telnyx's": functools.partial(odd_answer, telnyx_answers.certain),
    "a key at SendGrid": lambda planted: refused_key(
        planted, lambda session, url: SendGridHttp(session, "key", url).ask("GET", "/v3")
    ),
    "a key at Apple's store": lambda planted: refused_key(
        planted,
        lambda session, url: AppStore(
            session, AppStoreKey("1", "2", APPLE_KEY, "app"), url, {}, HandClock().now
        ).fetch(PurchaseToken.of(Seller.APP_STORE, "1")),
    ),
    "a key at Google Play": lambda planted: refused_key(
        planted,
        lambda session, url: GooglePlay(
            session, GoogleAccount("a@example", GOOGLE_KEY, url), "app", {}, url, HandClock().now
        ).fetch(PurchaseToken.of(Seller.PLAY_STORE, "1")),
    ),
    "a key at Stripe": lambda planted: refused_key(planted, STRIPES),
    "a job": job,
    "a sweep": sweep,
}


@pytest.mark.parametrize("swallowing", SWALLOWED.values(), ids=SWALLOWED)
async def test_what_is_swallowed_so_that_something_else_goes_on_is_reported_and_tells_nothing_either(
    swallowing: Callable[[Mapping[str, str]], Awaitable[None]],
    reporting: Reporting,
    planted: dict[str, str],
    told: io.StringIO,
) -> None:
    simulator = SentrySimulator()
    async with simulator.running() as dsn, reporting(dsn) as reports:
        with also_telling(reports):
            await swallowing(planted)
            await flushed(reports)
    assert simulator.events, "nobody heard of it"
    left = b"\n".join(simulator.requests)
    assert list(search_bytes("Sentry", left, planted)) == []
    assert list(search_bytes("logs", told.getvalue().encode(), planted)) == []
