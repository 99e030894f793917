"""Lists are in the order in which things came about, also after a restart and with the clock set back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from adapters.inbound.http.input import page_of
from adapters.inbound.http.json_format import read_id_cursor
from adapters.outbound.memory.system import CountingIds
from application.ports.ids import end_of, made_at
from bootstrap.worlds import InMemory
from domain.values import Label, PhoneNumber
from tests.contract.conftest import Postgres
from tests.support.actors import PASSWORD, Person, sign_up
from tests.support.harness import in_memory, on_postgres

BACK = timedelta(seconds=2)


@pytest.fixture(params=["memory", "postgres"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[InMemory]:
    """A world whose ids know of none before but by the clock, as those of a process that has just begun."""
    if request.param == "memory":
        yield in_memory()
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    async with on_postgres(postgres, tmp_path, ids=lambda world: CountingIds(world.clock)) as made:
        yield made


async def signs_in(ada: Person, _number: int) -> UUID:
    return (await ada.world.use_cases.sign_in(ada.email, PASSWORD)).session.id


async def buys_a_line(ada: Person, number: int) -> UUID:
    bought = await ada.world.use_cases.buy_line(
        ada.id, PhoneNumber(f"+1202555014{number}"), Label("Line"), f"buy-{number}"
    )
    return bought.line.id


async def asks_for_an_export(ada: Person, _number: int) -> UUID:
    export = await ada.world.use_cases.start_export(ada.id)
    await ada.world.settle()
    return export.id


async def sessions(ada: Person) -> Sequence[Any]:
    return await ada.world.use_cases.list_sessions(ada.id)


async def lines(ada: Person) -> Sequence[Any]:
    return (await ada.world.use_cases.list_lines(ada.id)).items


async def exports(ada: Person) -> Sequence[Any]:
    return (await ada.world.use_cases.list_exports(ada.id)).items


Makes = Callable[[Person, int], Awaitable[UUID]]
Lists = Callable[[Person], Awaitable[Sequence[Any]]]


@pytest.mark.parametrize(
    ("makes", "listed"), [(signs_in, sessions), (buys_a_line, lines), (asks_for_an_export, exports)]
)
async def test_the_newest_comes_first_whatever_the_clock_said(
    world: InMemory, makes: Makes, listed: Lists
) -> None:
    ada = await sign_up(world)
    before = [each.id for each in await listed(ada)]
    made: list[UUID] = []
    for number in range(4):
        made.append(await makes(ada, number))
        world.clock._now -= BACK
    order = [*reversed(made), *before]
    assert [each.id for each in await listed(ada)] == order

    page, cursor = page_of(await listed(ada), None, 2)
    assert cursor is not None
    newest = await makes(ada, 4)
    rest, end = page_of(await listed(ada), read_id_cursor(cursor), 9)
    assert [each.id for each in (*page, *rest)] == order, "what came meanwhile moved a page"
    assert end is None
    assert (await listed(ada))[0].id == newest


def test_an_id_tells_when_it_was_made_and_another_sorts_after_it() -> None:
    world = in_memory()
    first = world.ids.new()
    assert made_at(first) == world.clock.now()
    world.clock._now -= BACK
    assert world.ids.new() < first
    assert world.ids.new(after=end_of([world.ids.new(), first])) > first
    assert end_of([]) is None
