"""Guards are values: one class is enough for a new rule, and the document says what the dispatch does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Annotated, Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic.json_schema import Examples
from typing_extensions import TypedDict, override

from adapters.inbound.http import openapi
from adapters.inbound.http.guards import Bearer, Guard, Idempotent
from adapters.inbound.http.reply import Answer, Download, Json, Reply
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import OPEN, Deprecation, Route
from domain.kernel import ErrorKind, PicoError
from tests.support.http_world import HttpWorld, serving_only


class TooManyRequests(PicoError):
    """This was asked for too often."""

    kind = ErrorKind.LIMITED
    code = "too_many_requests"

    def __init__(self, retry_after: timedelta | None = None) -> None:
        super().__init__()
        self.retry_after = retry_after


@dataclass
class RateLimited(Guard):
    """Lets `left` requests through: all that it takes to add a limit."""

    left: int
    wait: timedelta | None = timedelta(seconds=30)

    refusals = (TooManyRequests,)
    headers = MappingProxyType({"RateLimit-Remaining": "How many more requests are let through."})
    parameters = (
        {
            "name": "X-Purpose",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "examples": ["tea"]},
        },
    )

    @override
    async def admit(self, request: Request[Any]) -> None:
        if not self.left:
            raise TooManyRequests(self.wait)
        self.left -= 1
        request.response_headers["RateLimit-Remaining"] = str(self.left)


class Greeting(TypedDict):
    """A greeting."""

    hello: Annotated[str, Examples(["you"])]


async def greet(_request: Request[None]) -> Greeting:
    """Greet."""
    return {"hello": "you"}


async def greet_with_header(_request: Request[None]) -> Answer[Greeting]:
    """Greet, and say where from."""
    return Answer({"hello": "you"}, {"Location": "/greetings/1"})


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world:
        yield world


def described(route: Route[Any]) -> Json:
    """Return what a valid document says of a route."""
    document = openapi.document([route])
    OpenAPIV31SpecValidator(document).validate()
    found: Json = document["paths"][str(route.template)][route.method.lower()]
    return found


async def test_a_new_guard_is_one_class(http: HttpWorld) -> None:
    route = Route("GET", "/greeting", greet, 200, guards=(RateLimited(2),))
    async with serving_only(http, route):
        for left in ("1", "0"):
            answer = await http.call("GET", "/greeting")
            assert (answer.status, answer.json) == (200, {"hello": "you"})
            assert answer.headers["RateLimit-Remaining"] == left
        refused = await http.call("GET", "/greeting")
    assert (refused.status, refused.code) == (429, "too_many_requests")
    assert refused.headers["Retry-After"] == "30"
    assert "RateLimit-Remaining" not in refused.headers


def test_the_document_says_of_a_guard_what_the_guard_says() -> None:
    operation = described(Route("GET", "/greeting", greet, 200, guards=(RateLimited(2),)))
    assert operation["parameters"] == list(RateLimited.parameters)
    assert operation["security"] == []
    assert operation["responses"]["200"]["headers"].keys() == {"RateLimit-Remaining", "Request-Id"}
    assert operation["responses"]["429"]["headers"].keys() == {"Retry-After", "Request-Id"}


def test_the_guards_of_a_route_are_in_its_document() -> None:
    guards = (Bearer(), Idempotent())
    operation = described(Route("POST", "/greeting", greet, 200, guards=guards))
    assert operation["security"] == [{"bearer": []}]
    assert [one["name"] for one in operation["parameters"]] == ["Idempotency-Key"]
    assert operation["responses"].keys() == {"200", "400", "401", "500", "503"}


def test_a_route_that_names_no_guard_asks_for_a_session() -> None:
    route = Route("GET", "/greeting", greet, 200)
    assert (route.guards, route.open) == ((Bearer(),), False)
    assert Route("GET", "/greeting", greet, 200, guards=OPEN).open
    assert Route("GET", "/greeting", greet, 200, guards=(RateLimited(1),)).open, "it asks for no credentials"


async def test_guards_are_asked_in_order_and_before_the_body_is_read(http: HttpWorld) -> None:
    limit = RateLimited(0)
    async with serving_only(http, Route("POST", "/greeting", greet, 200, guards=(Bearer(), limit))):
        assert (await http.call("POST", "/greeting", raw=b"not json")).status == 401
    async with serving_only(http, Route("POST", "/greeting", greet, 200, guards=(limit, Bearer()))):
        assert (await http.call("POST", "/greeting", raw=b"not json")).status == 429


@pytest.mark.parametrize(
    ("wait", "header"),
    [
        (None, "5"),
        (timedelta(0), "1"),
        (timedelta(milliseconds=1001), "2"),
        (timedelta(minutes=2), "120"),
    ],
)
@pytest.mark.parametrize("kind", [ErrorKind.LIMITED, ErrorKind.UNAVAILABLE])
async def test_retry_after_is_in_whole_seconds_and_never_too_early(
    wait: timedelta | None, header: str, kind: ErrorKind, http: HttpWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TooManyRequests, "kind", kind)
    async with serving_only(http, Route("GET", "/it", greet, 200, guards=(RateLimited(0, wait),))):
        answer = await http.call("GET", "/it")
    assert answer.status == {ErrorKind.LIMITED: 429, ErrorKind.UNAVAILABLE: 503}[kind]
    assert answer.headers["Retry-After"] == header


def test_only_errors_worth_repeating_may_say_when() -> None:
    assert PicoError.retry_after is None


async def test_a_handler_may_add_headers_beside_those_of_the_guards(http: HttpWorld) -> None:
    says = {"Location": "Where the greeting is."}
    route = Route("POST", "/greeting", greet_with_header, 201, guards=(RateLimited(9),), headers=says)
    async with serving_only(http, route):
        answer = await http.call("POST", "/greeting")
    assert (answer.status, answer.json) == (201, {"hello": "you"})
    assert (answer.headers["Location"], answer.headers["RateLimit-Remaining"]) == ("/greetings/1", "8")
    assert answer.headers["Content-Type"] == "application/json"
    done = described(route)["responses"]["201"]
    assert done["headers"].keys() == {"Location", "RateLimit-Remaining", "Request-Id"}
    assert done["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Greeting"}


async def test_a_route_that_is_on_its_way_out_says_so_and_until_when(http: HttpWorld) -> None:
    since, ends = (
        datetime(2026, 1, 5, 12, tzinfo=UTC),
        datetime(2026, 7, 6, tzinfo=timezone(timedelta(hours=2))),
    )
    route = Route("GET", "/greeting", greet, 200, guards=OPEN, deprecation=Deprecation(since, ends))
    async with serving_only(http, route):
        answer = await http.call("GET", "/greeting")
    assert answer.headers["Deprecation"] == "@1767614400"
    assert answer.headers["Sunset"] == "Sun, 05 Jul 2026 22:00:00 GMT"
    operation = described(route)
    assert operation["deprecated"] is True
    assert operation["responses"]["200"]["headers"].keys() == {"Deprecation", "Sunset", "Request-Id"}


async def test_headers_of_one_answer_do_not_stay_for_the_next(http: HttpWorld) -> None:
    async def nothing(_request: Request[None]) -> Reply:
        return None

    limited = Route("GET", "/it", nothing, 204, guards=(RateLimited(9),))
    async with serving_only(http, limited, Route("GET", "/other", nothing, 204, guards=OPEN)):
        assert "RateLimit-Remaining" in (await http.call("GET", "/it")).headers
        assert "RateLimit-Remaining" not in (await http.call("GET", "/other")).headers


def test_an_answer_without_a_schema_can_be_given_by_a_hidden_route_only() -> None:
    async def bare(_request: Request[None]) -> Download:
        raise NotImplementedError

    with pytest.raises(Exception, match="Unable to generate pydantic-core schema"):
        openapi.document([Route("GET", "/it", bare, 200)])
    assert openapi.document([Route("GET", "/it", bare, 200, hidden=True)])["paths"] == {}
