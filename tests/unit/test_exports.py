"""An export is of one moment, and an account has one at a time."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest

from application import export_building
from application.export_building import BuildExport
from bootstrap.worlds import InMemory
from domain.exports import ExportNotReady, ExportState
from domain.values import Peer
from tests.support.actors import PASSWORD, Person, with_line


async def exported(build: BuildExport, person: Person) -> dict[str, Any]:
    """Write the document to its end."""
    slices = []
    async with aclosing(build.document(person.id)) as document:
        async for part in document:
            slices.append(part.text)
            await asyncio.sleep(0)
    records: dict[str, Any] = json.loads("".join(slices))["records"]
    return records


async def test_whatever_the_file_names_is_in_the_file_under_constant_arrivals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(export_building, "ROWS", 2)
    world = InMemory()
    ada = await with_line(world)
    build = world.use_cases.job_handlers["build_export"]
    assert isinstance(build, BuildExport)

    async def arrivals() -> None:
        for n in range(60):
            await ada.receives(f"message {n}", Peer(f"+1310555{n:04}"))

    arriving = asyncio.create_task(arrivals())
    sizes = set()
    while not arriving.done():
        records = await exported(build, ada)
        conversations = {row["id"] for row in records["conversations"]}
        lines = {row["id"] for row in records["phone_lines"]}
        assert {row["conversation_id"] for row in records["messages"]} <= conversations
        assert {row["line_id"] for row in records["conversations"]} <= lines
        sizes.add(len(records["messages"]))
        await asyncio.sleep(0)
    await arriving
    assert len(sizes) > 2, "they arrived meanwhile"


async def held(world: InMemory, person: Person) -> tuple[int, list[ExportState]]:
    """Return how many parts lie there, and the states of the exports, newest first."""
    async with world.store.begin(person.id) as tx:
        exports = await tx.exports.list_all()
    return (await world.store.count_rows(person.id))["export_parts"], [each.state for each in exports]


async def test_asking_again_replaces_what_waits_to_be_fetched() -> None:
    world = InMemory()
    ada = await with_line(world)
    first = await world.use_cases.start_export(ada.id)
    await world.settle()
    await ada.receives("later")
    second = await world.use_cases.start_export(ada.id)
    assert second.id != first.id
    assert await held(world, ada) == (0, [ExportState.BUILDING, ExportState.EXPIRED])
    with pytest.raises(ExportNotReady):
        await world.use_cases.download_export(ada.id, first.id, PASSWORD)
    await world.settle()
    assert (await held(world, ada))[1] == [ExportState.READY, ExportState.EXPIRED]
    slices = await world.use_cases.download_export(ada.id, second.id, PASSWORD)
    assert json.loads(b"".join([part async for part in slices]))["records"]["messages"][0]["body"] == "later"


async def test_however_often_and_at_once_it_is_asked_for_there_is_one() -> None:
    world = InMemory()
    ada = await with_line(world)
    for _ in range(3):
        exports = await asyncio.gather(*(world.use_cases.start_export(ada.id) for _ in range(8)))
        assert len({export.id for export in exports}) == 1
        await world.settle()
        _, states = await held(world, ada)
        assert (states.count(ExportState.READY), states.count(ExportState.BUILDING)) == (1, 0)


async def test_one_that_is_being_downloaded_is_not_cut_off() -> None:
    world = InMemory()
    ada = await with_line(world)
    first = await world.use_cases.start_export(ada.id)
    await world.settle()
    slices = await world.use_cases.download_export(ada.id, first.id, PASSWORD)
    text = await anext(slices)
    await world.use_cases.start_export(ada.id)
    await world.settle()
    text += b"".join([part async for part in slices])
    assert json.loads(text)["format"] == "pico-export-1"
