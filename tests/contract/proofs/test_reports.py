"""What leaves when something goes wrong on our side: to Sentry, to the logs, into answers and mails."""

from __future__ import annotations

import asyncio
import functools
import io
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch

import pytest
import sentry_sdk
from aiohttp import web
from sentry_sdk.utils import event_from_exception

from adapters.error_report import Listener, also_telling
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
from adapters.outbound.sentry import reports as module
from adapters.outbound.sentry.reports import SentryReports
from adapters.outbound.sentry.simulator import SentrySimulator
from adapters.outbound.twilio.recordings import caller_of, transcription_of
from adapters.outbound.twilio.twiml import twiml
from adapters.outbound.twilio.vocabulary import outcome_of
from bootstrap.plaintext_scan import search_bytes
from bootstrap.worlds import InMemory
from tests.contract.http.test_raw import NOT_HTTP, talk
from tests.support.failing import PATIENCE, Reporting, fail, flushed
from tests.support.http_client import AUTH_TOKEN, PUBLIC_URL, Client, always, calling
from tests.support.http_world import filled
from tests.support.proofs import proves

FEW = 9


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
