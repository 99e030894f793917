"""The OpenAPI document is valid, complete, and says of every rule what the domain says."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, get_type_hints
from uuid import uuid4

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from typing_extensions import is_typeddict

from adapters.inbound.email_addresses import email_address
from adapters.inbound.http import openapi, params, problems
from adapters.inbound.http.refusals import refusals
from adapters.inbound.http.resources.sandbox import Faults
from adapters.inbound.http.route import Route
from adapters.inbound.http.routes import ROUTES, SANDBOX_ROUTES
from adapters.inbound.http.schemas import answered
from adapters.inbound.http.wording import FIELDS
from adapters.inbound.http_io import Refused
from application.ports.keyring import KeyGone, KeysUnavailable
from application.ports.ledger import LedgerBroken
from application.ports.store import StoreFull, StoreUnavailable, VersionConflict
from application.use_cases import UseCases
from domain.kernel import NotFound, PicoError, SealBroken
from domain.values import Label, Locale, MessageBody, Password, Peer, PhoneNumber
from tests.support.http_world import HttpWorld, filled

ALL = ROUTES + SANDBOX_ROUTES
DOCUMENT = openapi.document(ALL)
SCHEMAS = DOCUMENT["components"]["schemas"]


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world:
        yield world


def test_the_document_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_every_route_that_is_not_hidden_is_in_it_once() -> None:
    described = [
        (method.upper(), path) for path, operations in DOCUMENT["paths"].items() for method in operations
    ]
    assert described == list(dict.fromkeys(described))
    assert set(described) == {(route.method, str(route.template)) for route in ALL if not route.hidden}
    names = [operation["operationId"] for path in DOCUMENT["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


async def test_it_is_served_and_shows_the_sandbox_only_where_there_is_one(http: HttpWorld) -> None:
    answer = await http.call("GET", "/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json == json.loads(json.dumps(openapi.document(ROUTES)))
    assert not any(path.startswith("/sandbox") for path in answer.json["paths"])


def test_everything_it_refers_to_is_there_and_nothing_lies_about_unused() -> None:
    text = json.dumps(DOCUMENT)
    used = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert used == set(SCHEMAS)


def test_no_object_that_comes_in_may_hold_more_than_is_described() -> None:
    for route in ALL:
        if route.body is not None and route.body is not Faults:
            assert SCHEMAS[route.body.__name__]["additionalProperties"] is False


def test_no_field_that_comes_in_says_a_default() -> None:
    # openapi-typescript 7 would have it always be sent (its issue 2489)
    for route in ALL:
        if route.body is not None and route.body is not Faults:
            fields = SCHEMAS[route.body.__name__]["properties"]
            assert [name for name, schema in fields.items() if "default" in schema] == []


def test_every_field_of_an_answer_is_always_there() -> None:
    answers = [answered(route) for route in ALL if not route.hidden]
    described = {answer.__name__ for answer in answers if is_typeddict(answer)}
    assert {"Account", "Health", "Line", "Messages"} < described
    for name in described:
        assert set(SCHEMAS[name]["required"]) == set(SCHEMAS[name]["properties"])
        assert SCHEMAS[name]["additionalProperties"] is False


def test_everything_has_a_description() -> None:
    assert {tag["name"] for tag in DOCUMENT["tags"]} == {
        tag for path in DOCUMENT["paths"].values() for operation in path.values() for tag in operation["tags"]
    }
    assert [tag["name"] for tag in DOCUMENT["tags"] if not tag["description"]] == []
    for name, schema in SCHEMAS.items():
        assert schema["description"], name
        for field, described in schema.get("properties", {}).items():
            assert described["description"], f"{name}.{field}"
    for path in DOCUMENT["paths"].values():
        for operation in path.values():
            assert operation["summary"]
            assert operation["description"]
            for parameter in operation.get("parameters", ()):
                assert parameter["description"], parameter["name"]
            for answer in operation["responses"].values():
                assert answer["description"]
    shown = [name for schema in SCHEMAS.values() for name in schema.get("properties", {})]
    asked = [parameter["name"] for path in DOCUMENT["paths"].values() for operation in path.values()
             for parameter in operation.get("parameters", ())]  # fmt: skip
    assert set(FIELDS) - {"pointer"} <= {*shown, *asked}, "nothing lies about unused"


def codes(operation: dict[str, Any]) -> set[str]:
    return {
        code
        for response in operation["responses"].values()
        for kind, content in response.get("content", {}).items()
        if kind == "application/problem+json"
        for code in content["schema"]["properties"]["code"]["enum"]
    }


def test_every_no_has_a_code_of_its_own_and_is_announced() -> None:
    for route in ALL:
        if not route.hidden:
            operation = DOCUMENT["paths"][str(route.template)][route.method.lower()]
            assert codes(operation) == {refusal.code for refusal in refusals(route)}


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if not route.hidden], ids=lambda one: one.handler.__name__
)
def test_every_no_that_a_use_case_names_is_announced(route: Route[Any]) -> None:
    named = {
        word
        for name in re.findall(r"use_cases\.(\w+)", inspect.getsource(route.handler))
        for said in (get_type_hints(UseCases)[name].__call__.__doc__ or "").split("Raises ")[1:]
        for word in re.findall(r"\b[A-Z]\w+", said)
    }
    rules = {kind.__name__: kind for kind in every_rule()}
    announced = set(refusals(route))
    assert {word for word in named if word in rules and rules[word] not in announced} == set()


def every_rule(of: type[PicoError] = PicoError) -> set[type[PicoError]]:
    return {of}.union(*(every_rule(kind) for kind in of.__subclasses__()))


@pytest.mark.parametrize(
    "error", [StoreUnavailable, StoreFull, KeysUnavailable, KeyGone, SealBroken, NotFound, VersionConflict]
)
async def test_whatever_happens_to_the_store_is_answered_as_announced(
    error: type[PicoError], http: HttpWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`HttpWorld` holds every answer against the document."""
    token = await http.person()

    async def fail(*_: object, **__: object) -> None:
        raise error

    @asynccontextmanager
    async def fail_at_once(*_: object, **__: object) -> AsyncIterator[None]:
        await fail()
        yield

    monkeypatch.setattr(http.world.store, "update", fail)
    reading = error is not VersionConflict
    if reading:
        monkeypatch.setattr(http.world.store, "begin", fail_at_once)
    asked = 0
    for route in ROUTES:
        if route.body is None and not route.open and (reading or route.method != "GET"):
            answer = await http.call(route.method, filled(route, str(uuid4())), token=token)
            asked += answer.status >= 400 and answer.code == error.code
    assert asked > 3


def test_nobody_is_told_to_ask_again_for_what_does_not_mend_itself() -> None:
    told = problems.answer(StoreUnavailable()).headers
    assert "Retry-After" in told
    for error, status in ((SealBroken(), 409), (LedgerBroken(), 500), (StoreFull(), 507)):
        answer = problems.answer(error)
        assert (answer.status, "Retry-After" in answer.headers) == (status, False)


def test_one_code_means_one_thing() -> None:
    """The edge and the domain may share a code only where both say that there is nothing."""
    edge = {kind.code for kind in Refused.__subclasses__()}
    rules = {kind.code for route in ALL for kind in refusals(route) if issubclass(kind, PicoError)}
    assert edge & rules <= {"not_found"}


@pytest.mark.parametrize(
    ("model", "field", "parse", "samples"),
    [
        ("SignUp", "email", email_address, ["a@b.co", "a", "a@c d", "@b.co", "a@b.co\n", "é@ü.de", "x" * 255 + "@b"]),
        ("SignUp", "locale", Locale.parse, ["en", "he-IL", "zh-Hant-TW", "EN", "english", "en_US", "en\n"]),
        ("SignUp", "display_name", Label.parse, ["a", " ", "", "a\tb", " a ", "x" * 65, "a\x85b", "\u200b", "שלום"]),
        ("SignUp", "password", Password.parse, ["x" * 11, "x" * 12, "e\u0301" * 256, "x" * 1025]),
        ("Purchase", "number", PhoneNumber.parse, ["+12025550143", "12025550143", "+0123456", "+1202555014\n"]),
        ("OutgoingMessage", "body", MessageBody.parse, ["", "a", "a\nb", "x" * 1600, "x" * 1601]),
        ("OutgoingMessage", "to", Peer.destination, ["+12025550143", "12", "123", "12345678", "PICO", "+12345", "1\n"]),
        ("ClockAdvance", "advance", params.duration, ["P30D", "PT1H", "P1DT1S", "P", "PT", "P1DT", "P1H", "P1D\n"]),
    ],
)  # fmt: skip
def test_the_document_and_the_domain_accept_the_same(
    model: str, field: str, parse: Callable[[str], object], samples: list[str]
) -> None:
    schema = SCHEMAS[model]["properties"][field]
    for sample in samples:
        # ECMA-262 has no `$` before a last line feed; Python's has.
        pattern = schema.get("pattern", "").replace("$", r"\Z")
        documented = (
            schema.get("minLength", 0) <= len(sample) <= schema.get("maxLength", 10**6)
            and re.search(pattern, sample) is not None
        )
        try:
            parse(sample)
            accepted = True
        except (PicoError, ValueError):
            accepted = False
        assert documented is accepted, f"sample {samples.index(sample)}"
