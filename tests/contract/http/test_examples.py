"""Every example of the OpenAPI document works when sent to a Sandbox, and fits the schema that it stands beside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from adapters.inbound.http import openapi
from adapters.inbound.http.examples import VALUES, example
from adapters.inbound.http.routes import ROUTES, SANDBOX_ROUTES
from tests.support.example_life import ExampleLife, operations
from tests.support.http_world import HttpWorld

DOCUMENT = json.loads(json.dumps(openapi.document(ROUTES + SANDBOX_ROUTES)))
OPERATIONS = operations(DOCUMENT)
RESOURCE = Resource.from_contents(
    {"$id": "urn:pico", "components": DOCUMENT["components"]}, default_specification=DRAFT202012
)
REGISTRY: Registry = Registry().with_resource("urn:pico", RESOURCE)


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=lambda said: said.strip("/"))
async def test_an_operation_does_what_its_example_says(method: str, path: str) -> None:
    """`HttpWorld` holds every answer against the document."""
    async with HttpWorld.running(sandbox=True) as http:
        life = ExampleLife(http, DOCUMENT)
        await life.begin()
        if (method, path) not in http.contract.done:
            await life.do(method, path)
        assert (method, path) in http.contract.done


@pytest.mark.parametrize(
    ("method", "path"),
    [
        where
        for where, operation in OPERATIONS.items()
        if any(one["in"] == "query" and not one["required"] for one in operation.get("parameters", ()))
    ],
    ids=lambda said: said.strip("/"),
)
async def test_so_it_does_with_all_that_its_query_may_hold(method: str, path: str) -> None:
    async with HttpWorld.running(sandbox=True) as http:
        life = ExampleLife(http, DOCUMENT)
        await life.begin()
        await life.do(method, path, everything=True)


def contents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what stands in every body, with where that is."""
    for (method, path), operation in OPERATIONS.items():
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{method} {path} {kind}", content
        for status, answer in operation["responses"].items():
            for kind, content in answer.get("content", {}).items():
                yield f"{method} {path} {status} {kind}", content


def fits(schema: dict[str, Any], value: object) -> bool:
    absolute = json.loads(json.dumps(schema).replace('"#/', '"urn:pico#/'))
    checker = Draft202012Validator.FORMAT_CHECKER
    return bool(Draft202012Validator(absolute, registry=REGISTRY, format_checker=checker).is_valid(value))


def test_every_json_body_has_an_example_that_fits() -> None:
    for where, content in contents():
        kind = where.rpartition(" ")[2]
        if kind == "application/problem+json":
            codes = content["schema"]["properties"]["code"]["enum"]
            assert list(content["examples"]) == codes, where
            for said in content["examples"].values():
                shown = DOCUMENT["components"]["examples"][said["$ref"].rpartition("/")[2]]["value"]
                assert fits(content["schema"], shown), where
        elif kind == "application/json":
            assert fits(content["schema"], content["example"]), where


def test_every_parameter_has_an_example_that_fits() -> None:
    for where, operation in OPERATIONS.items():
        for parameter in operation.get("parameters", ()):
            schema = parameter["schema"]
            shown = parameter["example"] if parameter["required"] else schema["examples"][0]
            assert fits(schema, shown), (where, parameter["name"])


def test_they_are_of_nobody() -> None:
    said = json.dumps([DOCUMENT["components"]["examples"], list(contents()), *map(str, VALUES.values())])
    numbers = set(re.findall(r"\+[1-9]\d{6,14}\b", said))
    assert len(numbers) > 1
    for number in numbers:
        assert re.fullmatch(r"\+1\d{3}55501\d\d", number), "reserved for stories"
    hosts = set(re.findall(r'[^"\s]+@([^"\s]+)', said))
    assert hosts
    assert all(re.search(r"(^|\.)example(\.(org|com|net))?$", host) for host in hosts), "RFC 2606"


def test_a_word_without_an_example_is_named() -> None:
    with pytest.raises(LookupError, match="shoe_size"):
        example({"type": "object", "properties": {"shoe_size": {"type": "integer"}}}, {})


def test_none_lies_about_unused() -> None:
    names = {
        name for schema in DOCUMENT["components"]["schemas"].values() for name in schema.get("properties", ())
    }
    names |= {one["name"] for operation in OPERATIONS.values() for one in operation.get("parameters", ())}
    assert set(VALUES) <= names | {"Range"}
