"""How often somebody may ask, how much is worked on at a time, and what is refused while nobody can count."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from adapters.inbound.http import room
from adapters.inbound.http.app import App
from adapters.inbound.http.context import EdgeContext
from adapters.inbound.http.routes import ROUTES
from adapters.inbound.http.server import serving
from adapters.inbound.http_io import WebhookEndpoint, read_body
from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.postgres.limits import PostgresLimits
from adapters.outbound.postgres.pool import connect
from adapters.outbound.redis.connection import connect as connect_to_redis
from adapters.outbound.redis.limits import RedisLimits
from application.ports.limits import Limits
from bootstrap.worlds import InMemory
from bootstrap.worlds.edge import always, calling
from domain.limits import Limit
from domain.requests import A_MINUTE, RequestPolicy
from tests.contract.conftest import Postgres
from tests.support.http_world import PASSWORD, STRANGER, Answer, HttpWorld
from tests.support.valkey import Valkey

LOOSE = RequestPolicy.of()
A_FEW = Limit(name="few", most=6, within=timedelta(minutes=1), at_once=3)
NEW = {
    "email": "new@example.org",
    "password": PASSWORD,
    "display_name": "New",
    "locale": "en",
    "accepted": {"terms": True, "privacy": True},
}


async def statuses(http: HttpWorld, times: int, *asked: Any, **more: Any) -> list[int]:
    return [(await http.call(*asked, **more)).status for _ in range(times)]


def from_(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


async def test_an_account_that_asks_too_often_is_told_when_to_come_back_and_others_are_not() -> None:
    async with HttpWorld.running(limited=replace(LOOSE, of_an_account=A_FEW)) as http:
        ada, ben = await http.person(), await http.person("ben")
        assert await statuses(http, 3, "GET", "/v1/account", token=ada) == [200] * 3
        refused = await http.call("GET", "/v1/lines", token=ada)
        assert (refused.status, refused.code) == (429, "too_many_requests")
        assert refused.headers["Retry-After"] == "20"
        assert refused.headers["RateLimit-Policy"] == '"few";q=6;w=60'
        assert refused.headers["RateLimit"] == '"few";r=0;t=20'
        assert (await http.call("GET", "/v1/lines", token=ben)).status == 200
        http.world.clock.advance(timedelta(seconds=20))
        assert await statuses(http, 2, "GET", "/v1/account", token=ada) == [200, 429]


async def test_what_is_heavy_is_counted_for_itself() -> None:
    async with HttpWorld.running(limited=replace(LOOSE, heavy=A_FEW)) as http:
        ada = await http.person()
        assert await statuses(http, 4, "GET", "/v1/search?q=hello", token=ada) == [200] * 3 + [429]
        assert await statuses(http, 9, "GET", "/v1/account", token=ada) == [200] * 9


async def test_one_client_is_told_from_another_by_what_our_proxy_says_and_whoever_has_none_is_nobody() -> (
    None
):
    async with HttpWorld.running(limited=replace(LOOSE, of_a_client=A_FEW)) as http:
        ada = await http.person()
        one, other = from_("192.0.2.1, 198.51.100.7"), from_("192.0.2.1, 198.51.100.8")
        asked = ("GET", "/v1/account")
        assert await statuses(http, 4, *asked, token=ada, headers=one) == [200] * 3 + [429]
        assert await statuses(http, 1, *asked, token=ada, headers=other) == [200]
        assert await statuses(http, 9, *asked, token=ada) == [200] * 9
        # An unknown token is looked at no oftener than a good one.
        stranger = from_("203.0.113.1")
        assert await statuses(http, 4, *asked, token="x" * 40, headers=stranger) == [401] * 3 + [429]


async def test_who_is_not_signed_in_has_a_share_of_what_is_heavy_by_client() -> None:
    async with HttpWorld.running(limited=replace(LOOSE, heavy=A_FEW)) as http:
        guess = {"email": "ada@example.org", "password": "wrong horse battery staple"}
        asked = ("POST", "/v1/sessions", guess)
        assert (await statuses(http, 4, *asked, headers=from_("192.0.2.1")))[-1] == 429
        assert await statuses(http, 1, *asked, headers=from_("192.0.2.2")) == [401]


async def test_one_client_does_not_use_up_everybodys_sign_ups() -> None:
    async with HttpWorld.running(limited=replace(LOOSE, sign_ups_of_a_client=A_FEW)) as http:
        asked = ("POST", "/v1/accounts", NEW)
        assert await statuses(http, 4, *asked, headers=from_("192.0.2.1")) == [202] * 3 + [429]
        assert await statuses(http, 1, *asked, headers=from_("192.0.2.2")) == [202]


async def test_health_and_documents_are_counted_nowhere() -> None:
    nothing = replace(LOOSE, of_a_client=Limit(name="few", most=2, within=timedelta(hours=1), at_once=1))
    async with HttpWorld.running(limited=nothing) as http:
        for path in ("/healthz", "/readyz", "/openapi.json"):
            assert await statuses(http, 5, "GET", path, headers=from_("192.0.2.1")) == [200] * 5


Shared = Callable[[], AbstractAsyncContextManager[tuple[Limits, Limits]]]


@pytest.fixture(params=["memory", "postgres", "redis"])
def shared(request: pytest.FixtureRequest) -> Shared:
    """Give two processes' limits that are the same ones."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[tuple[Limits, Limits]]:
        keyring = MemoryKeyring()
        if request.param == "postgres":
            postgres: Postgres = request.getfixturevalue("postgres")
            dsn = await postgres.database("limits")
            async with connect(dsn, least=1, most=4) as one, connect(dsn, least=1, most=4) as other:
                yield PostgresLimits(one, keyring), PostgresLimits(other, keyring)
        elif request.param == "redis":
            url = request.getfixturevalue("valkey").url
            async with connect_to_redis(url) as one, connect_to_redis(url) as other:
                yield RedisLimits(one, keyring), RedisLimits(other, keyring)
        else:
            both = InMemory().limits
            yield both, both

    return opened


async def test_what_costs_money_is_counted_by_all_servers_together(shared: Shared) -> None:
    async with shared() as both:
        world = InMemory()
        taken = []
        for limits in both:
            world.limits = limits  # type: ignore[assignment]  # another than the memory's
            async with HttpWorld.running(world, limited=replace(LOOSE, sign_ups=A_FEW)) as http:
                taken += await asyncio.gather(
                    *(statuses(http, 1, "POST", "/v1/accounts", NEW) for _ in range(6))
                )
        assert sorted(taken) == [[202]] * 3 + [[429]] * 9


async def everything_asked(http: HttpWorld, token: str, line: str) -> dict[str, Answer]:
    """Ask for what costs money, and for what does not."""
    line_path = f"/v1/lines/{line}"
    http.offer("+12025550199")
    message = {"to": STRANGER, "body": "hello"}
    return {
        "sign up": await http.call("POST", "/v1/accounts", NEW),
        "buy": await http.call(
            "POST", "/v1/lines", {"number": "+12025550199"}, token=token, headers=http.key()
        ),
        "send": await http.call("POST", f"{line_path}/messages", message, token=token, headers=http.key()),
        "call": await http.call(
            "POST", f"{line_path}/calls", {"to": STRANGER}, token=token, headers=http.key()
        ),
        "sign in": await http.call(
            "POST", "/v1/sessions", {"email": "ada@example.org", "password": PASSWORD}
        ),
        "reset": await http.call("POST", "/v1/password-resets", {"email": "ada@example.org"}),
        "read": await http.call("GET", "/v1/conversations", token=token),
        "search": await http.call("GET", "/v1/search?q=hello", token=token),
        "label": await http.call("PATCH", line_path, {"label": "mine"}, token=token),
        "export": await http.call("POST", "/v1/account/exports", token=token),
        "numbers": await http.call("GET", "/v1/available-numbers?country=US", token=token),
    }


async def test_an_outage_of_the_limiter_refuses_what_costs_money_and_nothing_else() -> None:
    world = InMemory()
    async with HttpWorld.running(world, limited=LOOSE) as http:
        token = await http.person()
        line = await http.line(token)
        world.limits.outage = True
        answers = await everything_asked(http, token, line)
        refused = {what: answer for what, answer in answers.items() if answer.status >= 400}
        assert set(refused) == {"sign up", "buy", "send", "call"}
        for answer in refused.values():
            assert (answer.status, answer.code) == (503, "limits_unavailable")
            assert int(answer.headers["Retry-After"]) > 0
        world.limits.outage = False
        answers = await everything_asked(http, token, line)
        assert {what for what, answer in answers.items() if answer.status >= 400} == set()


async def test_an_outage_of_a_real_limiter_is_the_same(valkey: Valkey) -> None:
    world = InMemory()
    async with connect_to_redis(valkey.url) as redis:
        world.limits = RedisLimits(redis, MemoryKeyring())  # type: ignore[assignment]  # as above
        world.wire()
        async with HttpWorld.running(world, limited=LOOSE) as http:
            token = await http.person()
            line = await http.line(token)
            valkey.stop()
            answers = await everything_asked(http, token, line)
            assert {what for what, answer in answers.items() if answer.status == 503} == {
                "sign up", "buy", "send", "call",
            }  # fmt: skip


def test_what_costs_money_says_so() -> None:
    costing = {(route.method, route.path) for route in ROUTES if route.costs}
    assert costing >= {
        ("POST", path)
        for path in ("/v1/lines", "/v1/accounts", "/v1/billing/checkout", "/v1/billing/plan-changes")
    }


def test_no_limit_of_what_is_kept_lasts_longer_than_the_policy_says() -> None:
    for a_minute in (60, A_MINUTE, 10**7):
        policy = RequestPolicy.of(a_minute)
        for limit in (policy.purchases, policy.sign_ups):
            assert limit.room <= timedelta(days=2)


async def test_more_than_there_is_room_for_is_told_to_come_back_and_the_rest_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = InMemory()
    async with HttpWorld.running(world) as http:
        token = await http.person()
        gate, all_there, under_way = asyncio.Event(), asyncio.Event(), 0
        honest = world.store.begin

        @asynccontextmanager
        async def begin(*given: Any) -> AsyncIterator[Any]:
            nonlocal under_way
            under_way += 1
            if under_way == 5:
                all_there.set()
            await gate.wait()
            async with honest(*given) as tx:
                yield tx

        async def ready() -> None: ...

        monkeypatch.setattr(world.store, "begin", begin)
        app = App(EdgeContext(world.use_cases, ready, bytes, room=room.Room(5)), ROUTES)
        async with serving(app, "127.0.0.1", 0) as http.port:
            let_in = [asyncio.create_task(http.call("GET", "/v1/account", token=token)) for _ in range(5)]
            await all_there.wait()
            for path in ("/v1/lines", "/v1/account"):
                busy = await http.call("GET", path, token=token)
                assert (busy.status, busy.code, busy.headers["Retry-After"]) == (503, "busy", "1")
            assert (await http.call("GET", "/healthz")).status == 200
            gate.set()
            assert {answer.status for answer in await asyncio.gather(*let_in)} == {200}
            assert (await http.call("GET", "/v1/account", token=token)).status == 200


class Slow:
    """Webhooks that answer once somebody opens the gate, and read the body first."""

    def __init__(self) -> None:
        self.gate, self.at_work = asyncio.Event(), 0

    def endpoints(self) -> Mapping[str, WebhookEndpoint]:
        return {"/webhooks/slow": self.answer}

    async def answer(self, request: web.BaseRequest, query: str) -> web.StreamResponse:
        body = await read_body(request)
        self.at_work += 1
        await self.gate.wait()
        return web.Response(text=body.decode())


async def test_providers_calls_have_room_of_their_own_and_who_still_sends_takes_up_none() -> None:
    hooks, world = Slow(), InMemory()
    context = EdgeContext(world.use_cases, always, bytes, room=room.Room(1), webhook_room=room.Room(3))
    async with calling(App(context, ROUTES, [hooks])) as client:

        async def call() -> tuple[int, str, str]:
            async with client.session.post(f"{client.url}/webhooks/slow", data="said") as answer:
                return answer.status, answer.headers.get("Retry-After", ""), await answer.text()

        half = b"POST /webhooks/slow HTTP/1.1\r\nHost: pico\r\nContent-Length: 4\r\n\r\nsa"
        port = int(client.url.rpartition(":")[2])
        sending = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        for _, writer in sending:
            writer.write(half)
            await writer.drain()
        let_in = [asyncio.create_task(call()) for _ in range(3)]
        while hooks.at_work < 3:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        status, wait, said = await call()
        assert (status, wait, json.loads(said)["code"]) == (503, "1", "busy")
        async with client.session.get(f"{client.url}/v1/plans") as answer:
            assert answer.status == 200, "a provider's calls shut apps out"
        hooks.gate.set()
        assert await asyncio.gather(*let_in) == [(200, "", "said")] * 3
        assert (await call())[0] == 200
        for reader, writer in sending:
            writer.write(b"id")
            assert b" 200 " in await reader.readline()
            writer.close()


async def test_there_is_room_for_so_many_and_it_is_given_back_whatever_happens() -> None:
    of_two = room.Room(2)
    with of_two, pytest.raises(ZeroDivisionError), of_two:
        raise ZeroDivisionError
    with of_two, of_two, pytest.raises(room.Busy) as busy, of_two:
        pass
    assert busy.value.headers == {"Retry-After": "1"}
    with of_two:
        pass
