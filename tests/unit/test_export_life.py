"""An export is built, handed over, built afresh when it was interrupted, and gone soon."""

from __future__ import annotations

from datetime import timedelta

import pytest

from application.credentials import WrongCredentials
from application.export_building import BuildExport
from application.ports.jobs import JobLease
from bootstrap.worlds import InMemory
from domain.exports import ExportNotReady, ExportState
from domain.values import Password
from tests.support.actors import PASSWORD, sign_up, with_line
from tests.support.archives import export_in
from tests.unit.test_erasure import Crash


async def test_an_export_holds_everything_and_is_gone_soon_after_it_was_handed_over(world: InMemory) -> None:
    ada = await with_line(world)
    await ada.receives("incoming")
    await ada.sends("outgoing")
    export = await world.use_cases.start_export(ada.id)
    assert (await world.use_cases.start_export(ada.id)).id == export.id
    await world.settle()
    export = await world.use_cases.read_export(ada.id, export.id)
    assert export.state is ExportState.READY
    assert export.rows_done == export.rows_total > 0
    with pytest.raises(WrongCredentials):
        await world.use_cases.download_export(ada.id, export.id, Password("wrong password"))
    slices = await world.use_cases.download_export(ada.id, export.id, PASSWORD)
    records = export_in(b"".join([part async for part in slices]))["records"]
    assert [account["email"] for account in records["accounts"]] == [ada.email]
    assert sorted(message["body"] for message in records["messages"]) == ["incoming", "outgoing"]
    assert records["phone_lines"][0]["number"] == ada.number
    assert "password" not in records["accounts"][0]
    assert (await world.use_cases.list_exports(ada.id)).items[0].state is ExportState.DOWNLOADED
    assert [part async for part in await world.use_cases.download_export(ada.id, export.id, PASSWORD)]
    cut_off = await world.use_cases.download_export(ada.id, export.id, PASSWORD)
    await world.advance(timedelta(minutes=10))
    for late in (world.use_cases.download_export(ada.id, export.id, PASSWORD), anext(cut_off)):
        with pytest.raises(ExportNotReady):
            await late
    assert (await world.store.count_rows(ada.id))["export_parts"] == 0


async def test_an_export_that_was_interrupted_is_built_afresh(world: InMemory) -> None:
    ada = await with_line(world)
    await ada.receives("incoming")
    export = await world.use_cases.start_export(ada.id)

    class Dying(BuildExport):
        async def _finish(self, *_args: object) -> None:
            raise Crash

    honest = world.use_cases.job_handlers["build_export"]
    dying = Dying(**{name: getattr(honest, name) for name in BuildExport.__dataclass_fields__})
    with pytest.raises(Crash):
        await dying(ada.id, export.id, JobLease(ada.id, 1))
    await world.settle()
    slices = await world.use_cases.download_export(ada.id, export.id, PASSWORD)
    assert len(export_in(b"".join([part async for part in slices]))["records"]["messages"]) == 1


async def test_an_export_nobody_fetched_expires_after_a_day(world: InMemory) -> None:
    ada = await sign_up(world)
    export = await world.use_cases.start_export(ada.id)
    await world.settle()
    await world.advance(timedelta(hours=24))
    assert (await world.use_cases.read_export(ada.id, export.id)).state is ExportState.EXPIRED
    assert (await world.store.count_rows(ada.id))["export_parts"] == 0
    with pytest.raises(ExportNotReady):
        await world.use_cases.download_export(ada.id, export.id, PASSWORD)
