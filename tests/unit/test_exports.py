"""An export is of one moment, and an account has one at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application import export_building
from application.export_building import BuildExport, Piece
from application.inventory import INVENTORY, Stored
from application.ports.repositories.exports import Records, Written
from application.ports.store import StoreUnavailable, VersionConflict
from bootstrap.worlds import InMemory
from domain.exports import (
    AGAIN_FOR,
    Export,
    ExportDownloaded,
    ExportNotReady,
    ExportReady,
    ExportRequested,
    ExportState,
)
from domain.kernel import AccountId, ExportId
from domain.retention import Retention
from domain.values import Peer
from tests.support.actors import PASSWORD, Person, with_line
from tests.support.archives import export_in

ACCOUNT, EXPORT, NOW = AccountId(UUID(int=1)), ExportId(UUID(int=2)), datetime(2026, 1, 1, tzinfo=UTC)
DAY, MOMENT = timedelta(days=1), timedelta(microseconds=1)


def asked_for() -> Export:
    return Export.request(ACCOUNT, EXPORT, 99, NOW, NOW + DAY)


parts = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 3)), max_size=9)


@given(first=parts, second=parts)
def test_progress_is_the_sum_of_the_parts_and_begins_anew_with_every_attempt(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    export = asked_for()
    assert export.requested_at == NOW
    assert export.collect() == [ExportRequested(account_id=ACCOUNT, subject=EXPORT, at=NOW)]
    for attempt in (first, second):
        export.restart()
        assert (export.rows_done, export.rows_total, export.is_partial) == (0, 99, False)
        for rows, unreadable in attempt:
            export.progress(rows, unreadable)
        assert export.rows_done == sum(rows for rows, _ in attempt)
        assert export.rows_unreadable == sum(unreadable for _, unreadable in attempt)
        assert export.is_partial == any(unreadable for _, unreadable in attempt)
    export.ready(NOW, NOW + DAY)
    assert export.rows_total == export.rows_done, "what was promised is what came"
    assert export.collect() == [ExportReady(account_id=ACCOUNT, subject=EXPORT, at=NOW)]


@given(first=st.timedeltas(timedelta(), 2 * DAY), again=st.timedeltas(timedelta(), DAY))
def test_a_download_is_for_once_and_for_ten_minutes_more(first: timedelta, again: timedelta) -> None:
    export = asked_for()
    export.ready(NOW, NOW + DAY)
    export.collect()
    until = min(DAY, first + AGAIN_FOR)
    for at, may in ((first, first < DAY), (first + again, first < DAY and first + again < until)):
        if may:
            export.download(NOW + at)
        else:
            with pytest.raises(ExportNotReady):
                export.download(NOW + at)
    if first < DAY:
        assert (export.state, export.expires_at) == (ExportState.DOWNLOADED, NOW + until)
        assert export.collect() == [ExportDownloaded(account_id=ACCOUNT, subject=EXPORT, at=NOW + first)]
    else:
        assert (export.state, export.collect()) == (ExportState.READY, [])


@pytest.mark.parametrize("state", ExportState)
def test_only_what_is_being_built_grows_and_only_what_nobody_fetched_expires(state: ExportState) -> None:
    acts: list[Callable[[Export], None]] = [
        Export.restart,
        Export.must_be_building,
        lambda export: export.progress(1, 0),
        lambda export: export.ready(NOW, NOW + DAY),
    ]
    for act in acts:
        export = replace(asked_for(), state=state)
        if state is ExportState.BUILDING:
            act(export)
        else:
            with pytest.raises(ExportNotReady):
                act(export)
            assert export == replace(asked_for(), state=state)
    export = replace(asked_for(), state=state)
    export.expire()
    assert export.state is (
        ExportState.DOWNLOADED if state is ExportState.DOWNLOADED else ExportState.EXPIRED
    )


async def exported(build: BuildExport, person: Person) -> dict[str, Any]:
    """Write the document to its end."""
    slices = []
    async with aclosing(build.document(person.id)) as document:
        async for part in document:
            slices.append(part.text)
            await asyncio.sleep(0)
    records: dict[str, Any] = json.loads("".join(slices))["records"]
    return records


acts_between = st.lists(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=3), max_size=12)


@settings(max_examples=60, deadline=None)
@given(before=st.lists(st.integers(0, 4), max_size=6), turns=acts_between)
async def test_whatever_happens_between_two_slices_the_file_is_of_one_moment(
    before: list[int], turns: list[list[tuple[bool, int]]]
) -> None:
    world = InMemory()
    ada = await with_line(world)
    build = world.use_cases.job_handlers["build_export"]
    assert isinstance(build, BuildExport)
    for peer in before:
        await ada.receives("before", Peer(f"+1310555000{peer}"))

    async def act(deletes: bool, which: int) -> None:
        listed = (await world.use_cases.list_conversations(ada.id, None, None, 9)).items
        if deletes and listed:
            await world.use_cases.delete_conversation(ada.id, listed[which % len(listed)].id)
            await world.settle()
        else:
            await ada.receives("meanwhile", Peer(f"+1310555000{which}"))

    slices, left = [], iter(turns)
    async with aclosing(build.document(ada.id)) as document:
        async for part in document:
            slices.append(part.text)
            for deletes, which in next(left, []):
                await act(deletes, which)
    records = json.loads("".join(slices))["records"]
    assert [row["body"] for row in records["messages"]] == ["before"] * len(before)
    named = {row["conversation_id"] for row in records["messages"]}
    assert named == {row["id"] for row in records["conversations"]}
    lines = {row["id"] for row in records["phone_lines"]}
    assert {row["line_id"] for row in (*records["conversations"], *records["messages"])} <= lines


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
    assert export_in(b"".join([part async for part in slices]))["records"]["messages"][0]["body"] == "later"


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
    assert export_in(text)["format"] == "pico-export-1"


async def test_what_is_asked_for_says_how_much_is_to_come_and_when_it_is_over() -> None:
    world = InMemory()
    ada = await with_line(world)
    await ada.receives("hello")
    async with world.store.begin(ada.id) as tx:
        rows = await tx.records.count()
    export = await world.use_cases.start_export(ada.id)
    assert export.rows_total == sum(rows[stored.name] for stored in INVENTORY if stored.exported)
    assert export.expires_at == world.clock.now() + Retention().export.keep
    await world.settle()
    await world.use_cases.download_export(ada.id, export.id, PASSWORD)
    world.clock.advance(AGAIN_FOR)
    with pytest.raises(ExportNotReady):
        await world.use_cases.download_export(ada.id, export.id, PASSWORD)


class Damaged(BuildExport):
    """Finds that the first record of every page is broken."""

    async def _page(self, records: Records, stored: Stored, after: UUID | None) -> Written:
        page = await super()._page(records, stored, after)
        first = json.loads(f"[{page.text}]")[:1]
        return page._replace(broken=[UUID(row["id"]) for row in first])


async def test_broken_records_are_counted_and_named_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    for part in (1, export_building.PART):
        monkeypatch.setattr(export_building, "PART", part)
        world = InMemory()
        ada = await with_line(world)
        export = await world.use_cases.start_export(ada.id)
        build = Damaged(world.store, world.objects, world.clock, world.ids, Retention())
        lease = world.queue.take("build_export")
        await build(ada.id, export.id, lease)
        slices = [each async for each in await world.use_cases.download_export(ada.id, export.id, PASSWORD)]
        told = export_in(b"".join(slices))
        firsts = [{"table": table, "id": rows[0]["id"]} for table, rows in told["records"].items() if rows]
        assert (told["partial"], told["unreadable"]) == (True, firsts)
        (done,) = (await world.use_cases.list_exports(ada.id)).items
        assert (done.state, done.rows_unreadable) == (ExportState.DOWNLOADED, len(firsts))
        assert done.rows_done == sum(map(len, told["records"].values()))
        assert not await world.queue.holds(ada.id, lease), "the job does not end with the last part"


class Dying(BuildExport):
    """Comes to a sudden end after its third part."""

    async def _append(self, account_id: AccountId, export_id: ExportId, part: Piece) -> None:
        await super()._append(account_id, export_id, part)
        if part.position == 2:
            raise StoreUnavailable


async def test_an_attempt_that_was_interrupted_leaves_nothing_in_the_next_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(export_building, "PART", 1)
    world = InMemory()
    ada = await with_line(world)
    export = await world.use_cases.start_export(ada.id)
    build = world.use_cases.job_handlers["build_export"]
    assert isinstance(build, BuildExport)
    lease = world.queue.take("build_export")
    with pytest.raises(StoreUnavailable):
        await Dying(world.store, world.objects, world.clock, world.ids, Retention())(ada.id, export.id, lease)
    assert await held(world, ada) == (3, [ExportState.BUILDING])
    await build(ada.id, export.id, lease)
    slices = [each async for each in await world.use_cases.download_export(ada.id, export.id, PASSWORD)]
    records = export_in(b"".join(slices))["records"]
    (done,) = (await world.use_cases.list_exports(ada.id)).items
    assert done.rows_done == done.rows_total == sum(map(len, records.values()))


async def test_parts_of_two_attempts_at_once_are_never_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_building, "PART", 1)
    world = InMemory()
    ada = await with_line(world)
    export = await world.use_cases.start_export(ada.id)
    build = world.use_cases.job_handlers["build_export"]
    assert isinstance(build, BuildExport)
    lease = world.queue.take("build_export")
    ends = await asyncio.gather(*(build(ada.id, export.id, lease) for _ in range(2)), return_exceptions=True)
    assert any(isinstance(end, VersionConflict) for end in ends)
    while (await world.use_cases.read_export(ada.id, export.id)).is_building:
        await build(ada.id, export.id, lease)
    slices = [each async for each in await world.use_cases.download_export(ada.id, export.id, PASSWORD)]
    assert len(export_in(b"".join(slices))["records"]["accounts"]) == 1
    async with world.store.begin(ada.id) as tx:
        before = await tx.exports.get(export.id)
    await build(ada.id, export.id, lease)
    async with world.store.begin(ada.id) as tx:
        assert await tx.exports.get(export.id) == before, "it was built again after its end"
