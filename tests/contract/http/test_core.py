"""The rules every route obeys: paths, methods, tokens, bodies, queries, errors."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import ClientPayloadError
from multidict import CIMultiDict, CIMultiDictProxy
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from adapters.inbound.http.app import App
from adapters.inbound.http.context import EdgeContext
from adapters.inbound.http.guards import Bearer
from adapters.inbound.http.problems import NotSignedIn
from adapters.inbound.http.reply import Download, Media, Reply
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import OPEN, Route
from adapters.inbound.http.routes import ROUTES, SANDBOX_ROUTES
from adapters.inbound.http.server import serving
from application.ports.store import StoreUnavailable
from tests.support.http_world import PASSWORD, HttpWorld, filled

CANARY = "c4n4ry-7f3e"
FILE = Media("application/json", "it.json")
ID = "ba7438ab-fcbc-45f0-8467-5ffe777db495"
CREDENTIALS = {"email": "ada@example.org", "password": PASSWORD}


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world:
        yield world


# ------------------------------------------------------------------------------------ paths and methods


NOWHERE = [
    "/v1",
    "/v1/lines/",
    "//v1/lines",
    "/v1/lines/7",
    "/v1/lines/{}",
    f"/v1/lines/{ID}x",
    f"/v1/lines/{{{ID}}}",
    f"/v1/lines/urn:uuid:{ID}",
    f"/v1/lines/{ID.replace('-', '')}",
    f"/v1/lines/{ID}/{ID}",
    f"/v1/{ID}/lines",
]


@pytest.mark.parametrize("path", NOWHERE)
async def test_a_path_that_leads_nowhere_is_404_and_so_is_an_id_that_is_none(
    path: str, http: HttpWorld
) -> None:
    token = await http.person()
    answer = await http.call("GET", path, token=token)
    assert (answer.status, answer.code) == (404, "not_found")


async def test_ids_are_read_in_either_case(http: HttpWorld) -> None:
    token = await http.person()
    line = await http.line(token)
    assert (await http.call("GET", f"/v1/lines/{line.upper()}", token=token)).json["id"] == line


async def test_a_method_that_a_path_does_not_know_is_405_and_says_which_it_knows(http: HttpWorld) -> None:
    answer = await http.call("PUT", "/v1/lines")
    assert (answer.status, answer.code, answer.headers["Allow"]) == (
        405, "method_not_allowed", "POST, GET, HEAD",
    )  # fmt: skip
    assert (await http.call("GET", "/v1/sessions/current")).headers["Allow"] == "DELETE"
    assert (await http.call("GET", "/webhooks/twilio/sms")).headers["Allow"] == "POST"


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.method == "GET"], ids=lambda route: route.path
)
async def test_head_answers_as_get_does_without_a_body(route: Route, http: HttpWorld) -> None:
    token = await http.person()
    line = await http.line(token)
    for path in (filled(route, ID), filled(route, line)):
        for given in (token, None):
            got = await http.call("GET", path, token=given)
            head = await http.call("HEAD", path, token=given)
            assert (head.status, head.body) == (got.status, b"")
            own = {"Date": "", "Request-Id": "", "Transfer-Encoding": ""}  # the last is made while sending
            assert head.headers | own == got.headers | own


async def test_head_shows_the_account_is_there(http: HttpWorld) -> None:
    answer = await http.call("HEAD", "/v1/account", token=await http.person())
    assert (answer.status, answer.body) == (200, b"")


async def test_no_answer_tells_a_version_or_may_be_kept(http: HttpWorld) -> None:
    for path in ("/healthz", "/nowhere", "/docs", "/v1/lines"):
        headers = (await http.call("GET", path)).headers
        assert headers["Server"] == "Pico"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"


# ----------------------------------------------------------------------------------------------- tokens


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if not route.open], ids=lambda r: f"{r.method} {r.path}"
)
async def test_every_route_that_is_not_open_asks_for_a_token_first(route: Route, http: HttpWorld) -> None:
    answer = await http.call(route.method, filled(route, ID), raw=b"not json", headers={})
    assert (answer.status, answer.code) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="pico"'


async def test_whatever_is_wrong_with_a_token_the_answer_is_the_same(http: HttpWorld) -> None:
    token = await http.person()
    wrong = [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Basic {token}",
        token,
        f"Bearer {CANARY}",
        f"Bearer {token}x",
        f"Bearer {token} x",
        f"Bearer {token[:-1]}\u00e9",
        "Bearer pico_s1_" + "a" * 60,
    ]
    answers = [
        await http.call("GET", "/v1/lines", headers={} if value is None else {"Authorization": value})
        for value in wrong
    ]
    said = [answer.json | {"request_id": None} for answer in answers]
    assert {answer.status for answer in answers} == {401}
    assert said == [said[0]] * len(wrong)
    assert (await http.call("GET", "/v1/lines", token=token)).status == 200
    assert (await http.call("GET", "/v1/lines", headers={"Authorization": f"bearer {token}"})).status == 200


@pytest.mark.parametrize("value", ["Bearer \udcff", "Bearer a b", "Bearer a\n", "Bearer \u0661", "Bearer"])
async def test_what_cannot_be_a_token_is_not_even_looked_up(value: str) -> None:
    async def ready() -> None: ...

    headers = CIMultiDictProxy(CIMultiDict(Authorization=value))
    nothing = EdgeContext(None, ready, bytes)  # type: ignore[arg-type]  # without use cases, a look-up would fail
    with pytest.raises(NotSignedIn):
        await Bearer().admit(Request(nothing, "GET", headers, None))


# ----------------------------------------------------------------------------------------------- errors


async def test_an_outage_is_503_and_says_when_to_come_back(http: HttpWorld) -> None:
    assert (await http.call("GET", "/readyz")).status == 200
    http.outage = StoreUnavailable()
    answer = await http.call("GET", "/readyz")
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "store_unavailable", "5")
    assert (await http.call("GET", "/healthz")).status == 200


def answering(http: HttpWorld, handler: Callable[[Request[None]], Awaitable[Reply]]) -> App:
    """Build an edge of one route."""

    async def ready() -> None: ...

    return App(
        EdgeContext(http.world.use_cases, ready, bytes), [Route("GET", "/it", handler, 200, guards=OPEN)]
    )


async def test_every_answer_bears_a_name_of_its_own(http: HttpWorld) -> None:
    """`HttpWorld` looks that a problem says the same as its header."""
    token = await http.person()
    asked = [
        await http.call(method, path, token=token)
        for method, path in (
            ("GET", "/healthz"), ("GET", "/docs"), ("GET", "/nowhere"), ("PUT", "/healthz"), ("GET", "/v1/lines"),
            ("DELETE", "/v1/sessions/current"), ("GET", "/v1/account"), ("POST", "/webhooks/twilio/sms"),
        )
    ]  # fmt: skip
    names = {answer.headers["Request-Id"] for answer in asked}
    assert len(names) == len(asked)
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in names)


@pytest.mark.parametrize("kind", [LookupError, TimeoutError, ConnectionError])
async def test_an_error_nobody_foresaw_is_a_constant_500_and_a_log_line_without_its_message(
    kind: type[Exception], http: HttpWorld
) -> None:
    async def broken(_request: Request[None]) -> Reply:
        raise kind(CANARY)

    with capture_logs(processors=[merge_contextvars]) as events:
        async with serving(answering(http, broken), "127.0.0.1", 0) as http.port:
            answer = await http.call("GET", f"/it?{CANARY}")
    assert (answer.status, answer.code) == (500, "internal")
    assert CANARY.encode() not in answer.body
    assert [event["error"] for event in events] == [kind.__name__]
    assert events[0]["request_id"] == answer.json["request_id"], "how to find the line"
    assert re.fullmatch(r"adapters\.inbound\.http\.admitting:\w+:\d+", events[0]["where"])
    assert CANARY not in repr(events)


@pytest.mark.parametrize("good", [0, 1, 2])
async def test_a_download_that_fails_is_a_problem_or_visibly_broken_off_and_always_closed(
    good: int, http: HttpWorld
) -> None:
    closed = []

    async def chunks() -> AsyncGenerator[bytes, None]:
        try:
            for _ in range(good):
                yield b'"half'
            raise LookupError(CANARY)
        finally:
            closed.append(True)

    async def download(_request: Request[None]) -> Reply:
        return Download(chunks(), FILE)

    with capture_logs() as events:
        async with serving(answering(http, download), "127.0.0.1", 0) as http.port:
            if good == 0:
                assert (await http.call("GET", "/it")).code == "internal"
            else:
                with pytest.raises(ClientPayloadError):
                    await http.call("GET", "/it")
    assert closed == [True]
    assert [event["error"] for event in events] == ["LookupError"]
    assert CANARY not in repr(events)


async def test_a_download_whose_reader_goes_away_ends_and_is_nobodys_error(http: HttpWorld) -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"x" * 65536
        finally:
            closed.set()

    async def download(_request: Request[None]) -> Reply:
        return Download(endless(), FILE)

    with capture_logs() as events:
        async with serving(answering(http, download), "127.0.0.1", 0) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /it HTTP/1.1\r\nHost: pico.example\r\n\r\n")
            await reader.readexactly(100_000)
            writer.transport.abort()
            async with asyncio.timeout(5):
                await closed.wait()
    assert events == []


# ------------------------------------------------------------------------------------ sandbox, documents


@pytest.mark.parametrize("route", SANDBOX_ROUTES, ids=lambda r: f"{r.method} {r.path}")
async def test_the_sandbox_api_exists_only_in_a_sandbox(route: Route, http: HttpWorld) -> None:
    assert (await http.call(route.method, route.path)).status == 404


async def test_swagger_ui_is_served_whole_by_ourselves_under_a_strict_policy(http: HttpWorld) -> None:
    page = await http.call("GET", "/docs")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert b"//" not in page.body, "no address but our own"
    parts = re.findall(r'(?:href|src)="([^"]+)"', page.body.decode())
    assert len(parts) == 3
    for part in parts:
        answer = await http.call("GET", part)
        assert (answer.status, bool(answer.body)) == (200, True)
        assert answer.headers["Content-Type"].startswith(("text/css", "text/javascript"))
