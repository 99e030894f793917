"""An export is of one moment, and there is one of them."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest

from application import export_building
from application.export_building import BuildExport
from bootstrap.worlds import InMemory
from domain.values import Peer
from tests.support.actors import Person, with_line


async def exported(build: BuildExport, person: Person) -> dict[str, Any]:
    """Write the document to its end."""
    slices = []
    async with aclosing(build.document(person.id)) as document:
        async for text, _, _ in document:
            slices.append(text)
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
            await ada.texted(f"message {n}", Peer(f"+1310555{n:04}"))

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
