"""Other sites' pages call the API only where their origin is named."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.inbound.http.app import build
from adapters.inbound.http.cors import shared_with
from adapters.inbound.http.server import serving
from tests.support.http_client import always
from tests.support.http_world import HttpWorld

SITE, OTHER = "https://app.pico.example", "https://elsewhere.example"
ASKING = {"Origin": SITE, "Access-Control-Request-Method": "POST"}


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world:
        yield world


async def test_no_origin_is_let_in_unless_it_is_named(http: HttpWorld) -> None:
    for method, headers in (("GET", {"Origin": SITE}), ("OPTIONS", ASKING)):
        answer = await http.call(method, "/healthz", headers=headers)
        assert not {name for name in answer.headers if name.startswith("Access-Control")}


async def test_a_named_origin_may_ask_and_see_the_answer(http: HttpWorld) -> None:
    app = shared_with(frozenset({SITE}), build(http.world.use_cases, ready=always))
    async with serving(app, "127.0.0.1", 0) as http.port:
        preflight = await http.call("OPTIONS", "/v1/sessions", headers=ASKING)
        assert (preflight.status, preflight.headers["Access-Control-Allow-Origin"]) == (204, SITE)
        assert "Idempotency-Key" in preflight.headers["Access-Control-Allow-Headers"]
        for path, status in (("/healthz", 200), ("/v1/account", 401), ("/nowhere", 404)):
            answer = await http.call("GET", path, headers={"Origin": SITE})
            assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (status, SITE)
            assert "Request-Id" in answer.headers["Access-Control-Expose-Headers"]
            assert answer.headers["Vary"] == "Origin"
            assert "Access-Control-Allow-Credentials" not in answer.headers
        for headers in ({"Origin": OTHER}, {}, {"Origin": "null"}):
            answer = await http.call("GET", "/healthz", headers=headers)
            assert "Access-Control-Allow-Origin" not in answer.headers
            assert answer.headers["Vary"] == "Origin", "a cache must not hand it to somebody else"
        refused = await http.call("OPTIONS", "/v1/sessions", headers=ASKING | {"Origin": OTHER})
        assert refused.status == 405
