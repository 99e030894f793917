"""What leaves when something goes wrong on our side: to Sentry, to the logs, into answers and mails."""

from __future__ import annotations

import asyncio
import functools
import io
import json
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, TypeAlias
from unittest.mock import patch
from uuid import uuid4

import pytest
import sentry_sdk
import structlog
from aiohttp import ClientSession, web
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from sentry_sdk.utils import event_from_exception

from adapters.error_report import Listener, also_telling
from adapters.google_access import GoogleAccount
from adapters.inbound import webhooks
from adapters.inbound.http.app import App
from adapters.inbound.http.context import EdgeContext
from adapters.inbound.http.route import Route
from adapters.inbound.http.routes import ROUTES, SANDBOX_ROUTES
from adapters.inbound.http.upload import Upload
from adapters.inbound.http_io import WebhookEndpoint
from adapters.inbound.webhooks.app_store import AppStoreWebhooks
from adapters.inbound.webhooks.google_play import GooglePlayWebhooks
from adapters.inbound.webhooks.sendgrid import SendGridWebhooks
from adapters.inbound.webhooks.stripe import StripeWebhooks
from adapters.inbound.webhooks.telnyx import TelnyxWebhooks
from adapters.inbound.webhooks.twilio import TwilioSignature, TwilioWebhooks
from adapters.inbound.worker import Worker, keep_sweeping
from adapters.outbound.memory.system import HandClock
from adapters.outbound.sendgrid.http import SendGridHttp
from adapters.outbound.sentry import reports as module
from adapters.outbound.sentry.reports import SentryReports, sentry
from adapters.outbound.sentry.simulator import SentrySimulator
from adapters.outbound.stores.app_store import AppStore, AppStoreKey
from adapters.outbound.stores.google_play import GooglePlay
from adapters.outbound.stripe.http import answered
from adapters.outbound.stripe.http import client as stripe_client
from adapters.outbound.telnyx import answers as telnyx_answers
from adapters.outbound.twilio import answers as twilio_answers
from adapters.outbound.twilio.recordings import caller_of, transcription_of
from adapters.outbound.twilio.twiml import twiml
from adapters.outbound.twilio.vocabulary import outcome_of
from application.ports.carrier_errors import CarrierUnavailable
from application.ports.jobs import Dead, Job, JobLease, LeasedJob
from application.ports.mail import MailUnavailable
from application.ports.payments import PaymentsUnavailable
from application.ports.store_purchases import AppStoreUnavailable
from application.purge import PurgeResult, purge_each
from application.retention import Sweep
from bootstrap.logs import configure_logs
from bootstrap.plaintext_scan import search_bytes
from bootstrap.worlds import InMemory
from domain.billing import PurchaseToken, Seller
from domain.kernel import AccountId
from tests.contract.http.test_raw import NOT_HTTP, talk
from tests.support.http_client import AUTH_TOKEN, PUBLIC_URL, Client, always, calling
from tests.support.http_world import filled
from tests.support.keys import pem
from tests.support.proofs import proves

Reporting: TypeAlias = Callable[[str], AbstractAsyncContextManager[Any]]
"""Reports to the Sentry of a DSN, until its block ends."""

PLACES = (
    "message", "local variable", "URL", "query", "header", "form", "breadcrumb", "log argument", "exception text",
    "note", "tag", "user",
)  # fmt: skip


PATIENCE = 30.0
"""Seconds that a busy machine has for what is queued."""
FEW = 9


class Telling(Exception):
    """Says all that it was given, whichever way it is asked."""


@pytest.fixture
def reporting() -> Reporting:
    """Reports to Sentry as Production does."""
    return functools.partial(sentry, release="0.1.0", environment="production")


@pytest.fixture
def told() -> Iterator[io.StringIO]:
    """What the logs of this process are told, written as they are in earnest."""
    lines = io.StringIO()
    configure_logs(lines)
    yield lines
    structlog.reset_defaults()
    logging.disable(logging.NOTSET)


def as_everybody_does(reporting: Reporting) -> Reporting:
    """Hand errors to Sentry's client with nothing but a DSN said to it."""

    @asynccontextmanager
    async def usual(dsn: str) -> AsyncIterator[Listener]:
        client = sentry_sdk.Client(dsn=dsn, default_integrations=False, server_name="here")

        few = iter(range(FEW))

        def capture(error: BaseException) -> None:
            if next(few, None) is not None:
                event, hint = event_from_exception(error, client_options=client.options)
                client.capture_event(event, hint)

        yield capture
        await asyncio.to_thread(client.flush, timeout=PATIENCE)
        await asyncio.to_thread(client.close, timeout=1)

    return usual


def rebuilds_nothing(reporting: Reporting) -> Reporting:
    """Hand Sentry's client, as it is configured, the event that it makes of an error itself, and let that leave."""

    @asynccontextmanager
    async def unguarded(dsn: str) -> AsyncIterator[Listener]:
        with patch.object(module, "rebuilt", dict):
            async with reporting(dsn) as honest:
                yield of_its_own_making(honest)
                await asyncio.to_thread(honest.flush, PATIENCE)

    return unguarded


def of_its_own_making(reports: SentryReports) -> Listener:
    """Return what reports an error as Sentry's client describes it, with its text."""

    def capture(error: BaseException) -> None:
        event, hint = event_from_exception(error, client_options=reports._client.options)
        reports._client.capture_event(event, hint)

    return capture


def fail(planted: Mapping[str, str], given: object) -> NoReturn:
    """Go wrong in a way that has every value at hand, and spread them as thoughtless code would."""
    somewhere = {"kept": planted["local variable"], "given": given}
    sentry_sdk.add_breadcrumb(message=planted["breadcrumb"], data=somewhere)
    sentry_sdk.set_tag("said", planted["tag"])
    sentry_sdk.set_user({"email": planted["user"]})
    sentry_sdk.capture_message(planted["message"])
    logging.getLogger("aiohttp.server").error("about %s", planted["log argument"])
    structlog.get_logger().error("thoughtless", text=planted["message"], error=planted["log argument"])
    structlog.get_logger().error(planted["message"], exc_info=True)
    error = Telling(planted["exception text"], somewhere)
    error.add_note(planted["note"])
    raise error from ValueError(planted["exception text"])


def failing(route: Route[Any], planted: Mapping[str, str]) -> Route[Any]:
    """Return the route, of which the handler fails once it has read everything that was sent to it."""

    @functools.wraps(route.handler)
    async def handler(request: Any, *values: object) -> NoReturn:
        read = b"" if route.method == "GET" else b"".join([chunk async for chunk in request.upload])
        fail(planted, (request, values, read))

    upload = None if route.method == "GET" else Upload(("application/octet-stream",), 1 << 16, "")
    return replace(route, handler=handler, guards=(), body=None, query=None, upload=upload)


class FailingWebhooks:
    """Webhooks that verify nothing and fail: the app itself answers for them."""

    def __init__(self, paths: list[str], planted: Mapping[str, str]) -> None:
        self.paths, self.planted = paths, planted

    def endpoints(self) -> Mapping[str, WebhookEndpoint]:
        async def endpoint(request: web.BaseRequest, query: str) -> NoReturn:
            fail(self.planted, (request, query, await request.text()))

        return dict.fromkeys(self.paths, endpoint)


def own_words(world: InMemory, planted: Mapping[str, str]) -> list[Any]:
    """Return the webhooks of providers as they are, of which what they hand on to fails."""

    async def handler(form: object, query: str) -> NoReturn:
        fail(planted, (form, query))

    class Trusting(TelnyxWebhooks):
        async def _verified(self, request: web.BaseRequest) -> bytes:
            return b'{"data":{"event_type":"message.received","payload":{}}}'

        async def _take(self, event: object) -> NoReturn:
            fail(planted, event)

    twilio = TwilioWebhooks(
        world.use_cases,
        TwilioSignature([AUTH_TOKEN]),
        outcome_of,
        twiml,
        caller_of,
        transcription_of,
        PUBLIC_URL,
    )
    twilio._handlers = dict.fromkeys(twilio._handlers, handler)
    telnyx = Trusting(world.use_cases, None, outcome_of, str, PUBLIC_URL)  # type: ignore[arg-type]

    class Believing(StripeWebhooks):
        async def _verified(self, request: web.BaseRequest) -> bytes:
            return json.dumps({"object": "event", "said": (await request.read()).decode()}).encode()

    def hint_of(event: object) -> NoReturn:
        fail(planted, event)

    class Credulous(SendGridWebhooks):
        async def _verified(self, request: web.BaseRequest) -> bytes:
            fail(planted, await request.read())

    class Gullible(AppStoreWebhooks):
        async def _take(self, signed: object) -> NoReturn:
            fail(planted, signed)

    class Easygoing(GooglePlayWebhooks):
        async def _take(self, authorization: str, raw: bytes) -> NoReturn:
            fail(planted, raw)

    stripe = Believing(world.use_cases, None, hint_of)  # type: ignore[arg-type]
    apple = Gullible(world.use_cases, None, None, None, world.clock.now)  # type: ignore[arg-type]
    google = Easygoing(world.use_cases, None, "", None)  # type: ignore[arg-type]
    real = [twilio, telnyx, stripe, apple, google, Credulous(world.use_cases, None)]  # type: ignore[arg-type]
    providers = {path.parent.name for path in Path(webhooks.__file__).parent.glob("*/webhooks.py")}
    assert providers == {
        path.split("/")[2].replace("-", "_") for hooks in real for path in hooks.endpoints()
    }, "a provider is left out"
    return real


@pytest.fixture
def planted() -> dict[str, str]:
    return {place: f"{place.split()[0]}{secrets.token_hex(12)}" for place in PLACES}


async def every_route_fails(
    world: InMemory, planted: Mapping[str, str]
) -> AsyncIterator[tuple[str, int, bytes]]:
    """Ask every route there is, with values wherever a request has room for them; yield route, status and answer."""
    routes = [failing(route, planted) for route in (*ROUTES, *SANDBOX_ROUTES)]
    real = own_words(world, planted)
    bare = FailingWebhooks([f"{path}/bare" for hooks in real for path in hooks.endpoints()], planted)
    headers = {
        "Authorization": f"Bearer {planted['header']}",
        "Cookie": f"session={planted['header']}",
        "X-Forwarded-For": planted["header"],
        "Content-Type": "application/octet-stream",
    }
    async with calling(App(EdgeContext(world.use_cases, always, bytes), routes, [bare, *real])) as client:
        assert isinstance(client, Client)
        for route in routes:
            path = (
                f"{filled(route, secrets.token_hex(4) + '-0000-7000-8000-000000000000')}?q={planted['query']}"
            )
            body = None if route.method == "GET" else planted["form"].encode()
            async with client.session.request(
                route.method, client.url + path, data=body, headers=headers
            ) as answer:
                yield f"{route.method} {route.path}", answer.status, await answer.read()
        for path in bare.paths:
            async with client.session.post(
                f"{client.url}{path}?{planted['URL']}", data={"a": planted["form"]}
            ) as answer:
                yield path, answer.status, await answer.read()
        for path in real[0].endpoints():
            yield path, *await client.webhook(path, {"Body": planted["form"], "From": planted["URL"]})
        for path in (path for hooks in real[1:] for path in hooks.endpoints()):
            async with client.session.post(client.url + path, json=planted["form"]) as answer:
                yield path, answer.status, await answer.read()


@proves("S5", text="b9c8e69530a6", saboteur=as_everybody_does, says="a report told more than what rose where")
@proves("S5", text="b9c8e69530a6", saboteur=rebuilds_nothing, says="a report told more than what rose where")
async def test_of_an_error_on_any_route_sentry_learns_what_rose_where_and_nothing_else(
    reporting: Reporting, planted: dict[str, str], told: io.StringIO
) -> None:
    world, simulator = InMemory(), SentrySimulator()
    async with simulator.running() as dsn, reporting(dsn) as reports:
        with also_telling(reports):
            failed = []
            async for route, status, answer in every_route_fails(world, planted):
                assert status in {500, 503}, f"{route} did not fail"
                assert list(search_bytes("answers", answer, planted)) == [], f"{route} answers with it"
                failed.append(route)
                await flushed(reports)
    left = b"\n".join(simulator.requests)
    assert list(search_bytes("Sentry", left, planted)) == [], "a report told more than what rose where"
    assert len(simulator.events) == len(failed) >= len(ROUTES)
    for event in simulator.events:
        assert event.keys() <= {
            "event_id",
            "timestamp",
            "level",
            "platform",
            "release",
            "environment",
            "exception",
        }
        assert [error["type"] for error in event["exception"]["values"]] == ["ValueError", "Telling"]
        assert event["exception"]["values"][-1]["stacktrace"]["frames"][-1]["function"] == "fail"
    lines = [json.loads(line) for line in told.getvalue().splitlines()]
    assert list(search_bytes("logs", told.getvalue().encode(), planted)) == [], "the logs tell"
    assert [line["error"] for line in lines if line["event"] == "unexpected"] == ["Telling"] * len(failed)
    assert world.mail.sent == [], "somebody was mailed"


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


async def flushed(reports: object) -> None:
    """Wait for what is queued to arrive, so that the queue of a hundred never overflows."""
    if isinstance(reports, SentryReports):
        await asyncio.to_thread(reports.flush, PATIENCE)


@pytest.mark.parametrize("name", NOT_HTTP)
async def test_a_malformed_request_with_a_token_in_it_leaves_nothing_anywhere(
    name: str, reporting: Reporting, told: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    token = secrets.token_hex(16)
    said = NOT_HTTP[name].replace(b"c4n4ry-7f3e", token.encode())
    simulator = SentrySimulator()
    async with (
        simulator.running() as dsn,
        reporting(dsn) as reports,
        calling(App(EdgeContext(InMemory().use_cases, always, bytes), ())) as client,
    ):
        with also_telling(reports):
            answer = await talk(int(client.url.rpartition(":")[2]), said)
    assert answer.split(b" ", 2)[1] == b"400"
    everything = (
        answer
        + told.getvalue().encode()
        + "".join(capfd.readouterr()).encode()
        + b"".join(simulator.requests)
    )
    assert token.encode() not in everything
    assert simulator.requests == [], "what a stranger sends is no error of ours"
