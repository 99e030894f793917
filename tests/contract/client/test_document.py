"""The Python client and the OpenAPI document say the same: every operation, parameter and field, each called once."""

from __future__ import annotations

import ast
import io
import json
import re
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import unquote

import httpx
import pytest

import pico_client
from adapters.inbound.http import openapi
from adapters.inbound.http.examples import example as example_of
from adapters.inbound.http.routes import ROUTES, SANDBOX_ROUTES
from pico_client import DoNotDisturb, MonthlyPrice, Pico, SandboxPico
from pico_client.results import Result, read
from tests.support.example_life import operations

DOCUMENT = json.loads(json.dumps(openapi.document(ROUTES + SANDBOX_ROUTES)))
OPERATIONS = operations(DOCUMENT)
SCHEMAS = DOCUMENT["components"]["schemas"]
HEADERS = {"Idempotency-Key": "key", "If-Match": "if_match", "Last-Event-ID": "last_event_id"}
PAGING = {"limit", "cursor"}
"""Iterators see to it."""
TOLD_WHOLE = {"do_not_disturb": DoNotDisturb, "price": MonthlyPrice}
"""Objects that are handed over as one."""
STREAM = "text/event-stream"
BOUNDLESS = {"set_faults"}
"""Takes any names."""


def event_in(stream: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the JSON in each event."""
    schema: dict[str, Any] = stream["schema"]["properties"]["data"]["contentSchema"]
    return schema


def named(name: str) -> str:
    return f"{name}_" if name in {"from", "with"} else name


def leaves(value: dict[str, Any]) -> dict[str, Any]:
    """Return an object's fields, those of objects in it among them."""
    found: dict[str, Any] = {}
    for name, one in value.items():
        if name in TOLD_WHOLE:
            found[name] = read(TOLD_WHOLE[name], one)
        else:
            found |= leaves(one) if isinstance(one, dict) else {named(name): one}
    return found


def arguments(operation: dict[str, Any]) -> dict[str, Any]:
    """Return what a method is to be called with: the document's examples of all that can be said."""
    found: dict[str, Any] = {}
    for parameter in operation.get("parameters", ()):
        name, schema = parameter["name"], parameter["schema"]
        if name not in PAGING and name != "Range" and "const" not in schema:
            example = parameter["example"] if parameter["required"] else schema["examples"][0]
            found[HEADERS.get(name, named(name))] = example
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example", {})
    files = operation.get("requestBody", {}).get("content", {})
    if "application/json" not in files and files:
        found["file"] = io.BytesIO(next(iter(files.values()))["example"].encode())
        if all(kind.startswith(("image/", "audio/")) for kind in files):
            found["kind"] = next(iter(files))
    return found | leaves(body)


class Server:
    """Answers one operation with the document's example, after looking at how it was asked."""

    def __init__(self, method: str, path: str) -> None:
        self.method, self.path = method, path
        self.operation = OPERATIONS[method, path]
        self.status, self.answer = next(iter(self.operation["responses"].items()))
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        assert request.method == self.method
        values = {one["name"]: one for one in self.operation.get("parameters", ())}
        ids = re.fullmatch(
            re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", self.path), request.url.raw_path.decode().partition("?")[0]
        )
        assert ids is not None
        said: dict[str, str] = {name: unquote(value) for name, value in ids.groupdict().items()}
        said |= dict(request.url.params)
        said |= {name: request.headers[name] for name in HEADERS if name in request.headers}
        for name, value in said.items():
            schema = values[name]["schema"]
            example = schema.get("const") or values[name].get("example") or schema["examples"][0]
            assert value == (",".join(example) if isinstance(example, list) else str(example))
        assert {name for name, one in values.items() if name not in PAGING and name != "Range"} == set(said)
        if "requestBody" in self.operation:
            kind = request.headers["Content-Type"]
            example = self.operation["requestBody"]["content"][kind]["example"]
            sent = request.read()
            assert (json.loads(sent) if kind == "application/json" else sent.decode()) == example
        else:
            assert request.content == b""
        assert ("Authorization" in request.headers) == bool(self.operation["security"])
        body = self.answer.get("content", {}).get("application/json")
        headers = {"ETag": '"1"'} if "ETag" in self.answer["headers"] else {}
        content = b"" if body is None else json.dumps(body["example"]).encode()
        if stream := self.answer.get("content", {}).get(STREAM):
            told = json.dumps(example_of(event_in(stream), SCHEMAS))
            content = f"retry: 1\n\n:\n\nid: 7\nevent: any\ndata: {told}\n\nid: 8\ndata: cut o".encode()
        return httpx.Response(int(self.status), content=content, headers=headers)


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=lambda said: said.strip("/"))
def test_each_operation_has_a_method_that_asks_as_documented_and_reads_what_is_answered(
    method: str, path: str
) -> None:
    server = Server(method, path)
    operation = server.operation
    token = "a-session-token" if operation["security"] else ""
    pico = SandboxPico("https://pico.example", token, transport=httpx.MockTransport(server), attempts=1)
    given = arguments(operation)
    into = io.BytesIO()
    if operation["operationId"].startswith("download_"):
        given["into"] = into
    result = getattr(pico, operation["operationId"])(**given)
    if isinstance(result, Iterator):
        result = list(result)
    assert server.asked == 1
    body = server.answer.get("content", {}).get("application/json")
    stream = server.answer.get("content", {}).get(STREAM)
    if stream is not None:
        (event,) = result
        shows_all_of(event, example_of(event_in(stream), SCHEMAS))
    elif body is None:
        assert result is None
    elif "into" in given:
        assert json.loads(into.getvalue()) == body["example"]
    else:
        example = body["example"]
        shows_all_of(result, example["items"] if isinstance(result, list) else example)


def shows_all_of(result: object, example: object) -> None:
    """Require that a result has each field of an example, and of its type."""
    if isinstance(result, Result):
        assert isinstance(example, dict)
        schema = SCHEMAS[type(result).__name__]
        hints = get_type_hints(type(result))
        assert hints.keys() - {"etag"} == {named(name) for name in schema["properties"]}
        assert schema["properties"].keys() == example.keys()
        for name, value in example.items():
            assert ("None" in str(hints[named(name)])) == nullable(schema["properties"][name]), name
            shows_all_of(getattr(result, named(name)), value)
    elif isinstance(result, list):
        assert isinstance(example, list)
        assert len(result) == len(example)
        for one, of in zip(result, example, strict=True):
            shows_all_of(one, of)
    elif isinstance(result, datetime):
        assert result.isoformat().replace("+00:00", "Z") == example
    else:
        assert result == example


def nullable(schema: dict[str, Any]) -> bool:
    return {"type": "null"} in schema.get("anyOf", ()) or schema.get("type") == "null"


def test_only_the_sandboxs_client_has_what_only_the_sandbox_has() -> None:
    names = {operation["operationId"]: path for (_, path), operation in OPERATIONS.items()}
    assert {name for name in names if not hasattr(Pico, name)} == {
        name for name, path in names.items() if path.startswith("/sandbox/")
    }
    methods = {name for name in dir(SandboxPico) if not name.startswith("_")} - {"close"}
    assert methods == set(names)


def test_everything_it_answers_can_be_named_by_who_uses_it() -> None:
    assert {kind.__name__ for kind in kinds_of(Result)} | {"Flaw", "Pico", "Problem", "SandboxPico"} == set(
        pico_client.__all__
    )


def kinds_of(kind: type[Result]) -> set[type[Result]]:
    """Return every kind of result below this one."""
    return {found for below in kind.__subclasses__() for found in {below} | kinds_of(below)}


def test_it_knows_nothing_but_httpx() -> None:
    package = Path(pico_client.__file__).parent
    imported = {
        name.partition(".")[0]
        for file in package.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        for name in (
            [one.name for one in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported - set(sys.stdlib_module_names) == {"httpx", "pico_client"}
