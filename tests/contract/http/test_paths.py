"""Paths: typed parameters, several of them, and no path that means two things."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from adapters.inbound.http import openapi, resources
from adapters.inbound.http.app import App
from adapters.inbound.http.context import EdgeContext
from adapters.inbound.http.paths import PathTable, PathTemplate
from adapters.inbound.http.reply import Json
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import OPEN, Route
from adapters.inbound.http.routes import ROUTES, SANDBOX_ROUTES
from domain.values import PhoneNumber
from tests.support.http_world import HttpWorld, serving_only

ID, OTHER = "ba7438ab-fcbc-45f0-8467-5ffe777db495", "01890000-0000-7000-8000-0000000000a1"
CONTACT = "/lines/{line_id:uuid}/contacts/{number:e164}/notes/{note_id:uuid}"


async def contact(_request: Request[None], line_id: UUID, number: PhoneNumber, note_id: UUID) -> Json:
    """Tell what was found."""
    kinds = [type(line_id).__name__, type(number).__name__, type(note_id).__name__]
    return {"values": [str(line_id), str(number), str(note_id)], "kinds": kinds}


async def one(_request: Request[None], line_id: UUID) -> Json:
    """Tell that it is a line by id."""
    return {"id": str(line_id)}


async def by_number(_request: Request[None], number: PhoneNumber) -> Json:
    """Tell that it is a line by number."""
    return {"number": str(number)}


async def current(_request: Request[None]) -> Json:
    """Tell that it is the current line."""
    return {"current": True}


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world, serving_only(world, *TABLE):
        yield world


TABLE = (
    Route("GET", CONTACT, contact, 200, guards=OPEN),
    Route("GET", "/lines/{line_id:uuid}", one, 200, guards=OPEN),
    Route("GET", "/lines/{number:e164}", by_number, 200, guards=OPEN),
    Route("GET", "/lines/current", current, 200, guards=OPEN),
)


@pytest.mark.parametrize("number", ["+12025550143", "%2B12025550143", "%2b12025550143"])
async def test_a_handler_gets_every_parameter_as_a_value(number: str, http: HttpWorld) -> None:
    answer = await http.call("GET", f"/lines/{ID.upper()}/contacts/{number}/notes/{OTHER}")
    assert answer.json["values"] == [ID, "+12025550143", OTHER]
    assert answer.json["kinds"] == ["UUID", "PhoneNumber", "UUID"]


async def test_types_tell_paths_of_one_shape_apart_and_literals_come_first(http: HttpWorld) -> None:
    assert (await http.call("GET", f"/lines/{ID}")).json == {"id": ID}
    assert (await http.call("GET", "/lines/+12025550143")).json == {"number": "+12025550143"}
    assert (await http.call("GET", "/lines/current")).json == {"current": True}


@pytest.mark.parametrize(
    "path",
    [
        "/lines/12025550143",
        "/lines/+0123456",
        "/lines/+1202555014x",
        "/lines/%2B",
        "/lines/%252B12025550143",
        f"/lines/{ID}/",
        f"/lines/{ID}/contacts",
        f"/lines/{ID}/contacts/+12025550143",
        f"/lines/{ID}/contacts/{ID}/notes/{ID}",
        f"/lines/+12025550143/contacts/+12025550143/notes/{ID}",
        f"/lines/{ID}/contacts/+12025550143/notes/{ID}/more",
        f"/lines/current/contacts/+12025550143/notes/{ID}",
        "/lines",
        "/" * 2000,
    ],
)
async def test_a_value_of_the_wrong_type_leads_nowhere(path: str, http: HttpWorld) -> None:
    answer = await http.call("GET", path)
    assert (answer.status, answer.code) == (404, "not_found")


def test_the_document_describes_each_parameter_by_its_type() -> None:
    operation = openapi.document(TABLE)["paths"]["/lines/{line_id}/contacts/{number}/notes/{note_id}"]["get"]
    described = {parameter["name"]: parameter["schema"] for parameter in operation["parameters"]}
    assert list(described) == ["line_id", "number", "note_id"]
    assert described["line_id"]["format"] == "uuid"
    assert described["number"] == {"type": "string", "pattern": r"^\+[1-9][0-9]{6,14}$"}
    assert "404" in operation["responses"]


@pytest.mark.parametrize(
    "path",
    [
        "lines",
        "/lines/{id}",
        "/lines/{id:word}",
        "/lines/x{id:uuid}",
        "/lines/{id:uuid",
        "/{id:uuid}/{id:uuid}",
    ],
)
def test_a_malformed_template_is_refused(path: str) -> None:
    with pytest.raises(ValueError):
        PathTemplate.parse(path)


@pytest.mark.parametrize("path", ["/lines", "/lines/{line:uuid}", "/lines/{line_id:uuid}/{number:e164}"])
def test_a_handler_must_take_the_parameters_of_its_path(path: str) -> None:
    with pytest.raises(ValueError, match="one takes"):
        Route("GET", path, one, 200)


@pytest.mark.parametrize("order", [1, -1])
def test_a_literal_that_is_also_a_value_is_ambiguous_and_refused(order: int) -> None:
    table: PathTable[list] = PathTable(list)
    first, second = ["/lines/{id:uuid}/x", f"/lines/{ID}/{{id:uuid}}"][::order]
    table.at(PathTemplate.parse(first))
    with pytest.raises(ValueError):
        table.at(PathTemplate.parse(second))


@pytest.mark.parametrize("path", ["/lines/{id:uuid}", "/lines"])
def test_a_path_is_one_entry_whatever_its_parameters_are_called(path: str) -> None:
    table: PathTable[list] = PathTable(list)
    assert table.at(PathTemplate.parse(path)) is table.at(PathTemplate.parse(path.replace("{id", "{line_id")))


def test_two_routes_in_one_place_are_refused() -> None:
    async def ready() -> None: ...

    nothing = EdgeContext(None, ready, bytes)  # type: ignore[arg-type]  # nothing is asked of the use cases
    App(nothing, TABLE)
    with pytest.raises(ValueError, match="GET /lines/"):
        App(nothing, (*TABLE, TABLE[1]))


def test_every_resource_is_in_the_table() -> None:
    modules = {path.stem for path in Path(resources.__path__[0]).glob("*.py")} - {"__init__"}
    mounted = {route.handler.__module__.rpartition(".")[2] for route in (*ROUTES, *SANDBOX_ROUTES)}
    assert mounted == modules
