"""Webhooks are handed to the app as a list: each provider verifies with credentials of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from hmac import compare_digest

import pytest
from aiohttp import web
from typing_extensions import override

from adapters.inbound.http.app import App, build
from adapters.inbound.http.server import serving
from adapters.inbound.http_io import WebhookEndpoint, Webhooks, read_body
from adapters.inbound.webhooks.twilio import TwilioSignature, TwilioWebhooks
from adapters.inbound.webhooks.twilio.messages import MESSAGE_STATUS, SMS
from adapters.outbound.twilio.recordings import caller_of, transcription_of
from adapters.outbound.twilio.signature import sign
from adapters.outbound.twilio.twiml import twiml
from adapters.outbound.twilio.vocabulary import outcome_of
from application.ports.store import StoreUnavailable
from tests.support.http_world import PUBLIC_URL, STRANGER, HttpWorld

NEW, FORMER = "the-token-after-the-rotation", "the-token-before-the-rotation"
PING = "/webhooks/toy/ping"
FORM = {"MessageSid": f"SM{1:032x}", "From": STRANGER, "To": "+12025550143", "Body": "hello"}


class ToyWebhooks(Webhooks):
    """A provider of another school: a shared secret in a header."""

    def __init__(self, secret: str, path: str = PING) -> None:
        self.secret, self.path = secret, path
        self.heard: list[tuple[bytes, str]] = []
        self.outage = False

    @override
    def endpoints(self) -> Mapping[str, WebhookEndpoint]:
        return {self.path: self.ping}

    async def ping(self, request: web.BaseRequest, query: str) -> web.Response:
        if not compare_digest(request.headers.get("X-Toy-Secret", ""), self.secret):
            return web.Response(status=401)
        if self.outage:
            raise StoreUnavailable
        self.heard.append((await read_body(request), query))
        return web.Response(status=202)


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world:
        yield world


def edge(http: HttpWorld, *webhooks: Webhooks) -> App:
    async def ready() -> None: ...

    return build(http.world.use_cases, ready=ready, webhooks=webhooks)


def twilio(http: HttpWorld, *tokens: str) -> TwilioWebhooks:
    return TwilioWebhooks(
        http.world.use_cases,
        TwilioSignature(tokens),
        outcome_of,
        twiml,
        caller_of,
        transcription_of,
        PUBLIC_URL + "/",
    )


async def test_providers_stand_side_by_side_and_know_their_own_credentials_only(http: HttpWorld) -> None:
    toy = ToyWebhooks("s3cret")
    async with serving(edge(http, twilio(http, NEW), toy), "127.0.0.1", 0) as http.port:
        signature = {"X-Twilio-Signature": sign(NEW, PUBLIC_URL + PING)}
        assert (await http.call("POST", PING, headers=signature)).status == 401
        secret = {"X-Toy-Secret": "s3cret"}
        assert (await http.call("POST", f"{PING}?a=%20b", raw=b"hi", headers=secret)).status == 202
        assert (await http.call("POST", SMS, headers=secret)).status == 403
        signed = sign(NEW, PUBLIC_URL + SMS, FORM.items())
        assert (await http.webhook(SMS, FORM, signed=signed)).status == 200
        assert (await http.call("GET", PING)).headers["Allow"] == "POST"
    assert toy.heard == [(b"hi", "a=%20b")]


async def test_refusals_and_outages_of_any_provider_are_answered_by_the_app(http: HttpWorld) -> None:
    toy = ToyWebhooks("s3cret")
    secret = {"X-Toy-Secret": "s3cret"}
    async with serving(edge(http, toy), "127.0.0.1", 0) as http.port:
        big = await http.call("POST", PING, raw=b"a" * 65537, headers=secret)
        assert (big.status, big.code) == (413, "body_too_large")
        toy.outage = True
        away = await http.call("POST", PING, raw=b"hi", headers=secret)
        assert (away.status, away.code, away.headers["Retry-After"]) == (503, "store_unavailable", "5")
    assert toy.heard == []


async def test_a_provider_that_is_not_handed_over_does_not_exist(http: HttpWorld) -> None:
    async with serving(edge(http), "127.0.0.1", 0) as http.port:
        for path in (SMS, MESSAGE_STATUS, PING):
            assert (await http.call("POST", path)).status == 404


@pytest.mark.parametrize("path", [SMS, "/v1/lines"])
async def test_two_providers_or_a_provider_and_the_api_cannot_share_a_path(
    path: str, http: HttpWorld
) -> None:
    with pytest.raises(ValueError, match=f"POST {path}"):
        edge(http, twilio(http, NEW), ToyWebhooks("s3cret", path))


@pytest.mark.parametrize(("token", "status"), [(NEW, 200), (FORMER, 200), ("another", 403)])
async def test_during_a_rotation_either_token_verifies(token: str, status: int, http: HttpWorld) -> None:
    async with serving(edge(http, twilio(http, NEW, FORMER)), "127.0.0.1", 0) as http.port:
        signed = sign(token, PUBLIC_URL + SMS, FORM.items())
        assert (await http.webhook(SMS, FORM, signed=signed)).status == status
