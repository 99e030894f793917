"""An export is sealed, and gone minutes after its download or in a day."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from application.exports import DownloadExport
from domain.exports import ExportNotReady
from domain.kernel import AccountId, ExportId
from tests.support.canary_account import lived
from tests.support.harness import Databases, in_clear
from tests.support.proofs import proves, refused
from tests.support.sabotage import keeping

MOMENT, MINUTE, DAY = timedelta(microseconds=1), timedelta(minutes=1), timedelta(days=1)


class HandsOverAgain(DownloadExport):
    """Its last minutes never begin."""

    async def _claim(self, account_id: AccountId, export_id: ExportId) -> None:
        async with self.store.begin(account_id) as tx:
            await tx.exports.get(export_id)


def hands_exports_over_again(stored: Databases) -> Databases:
    return partial(stored, download_export=HandsOverAgain)


def keeps_exports_for_two_days(stored: Databases) -> Databases:
    return partial(stored, retention=keeping(export=2 * DAY))


@proves("H15", text="a29ca8d552e0", saboteur=in_clear("export_parts.content"), says="an export lies in clear")
@proves(
    "H15", text="a29ca8d552e0", saboteur=hands_exports_over_again, says="an export stays after its download"
)
@proves("H15", text="a29ca8d552e0", saboteur=keeps_exports_for_two_days, says="an export outlives its day")
async def test_an_export_is_sealed_and_gone_minutes_after_its_download_or_in_a_day(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        taken = await world.use_cases.start_export(ada.id)
        await world.settle()
        assert await world.rows("export_parts")
        packed = "export.json"  # an archive presses what is said, and spells out the names of its files
        assert await world.traces(*ada.secrets, packed) == set(), "an export lies in clear"
        assert [part async for part in await world.use_cases.download_export(ada.id, taken.id, ada.password)]
        await world.advance(10 * MINUTE)
        with refused(ExportNotReady, "an export stays after its download"):
            await world.use_cases.download_export(ada.id, taken.id, ada.password)
        assert await world.rows("export_parts") == [], "an export stays after its download"
        broken_off = await world.use_cases.start_export(ada.id)
        await world.settle()
        await (await world.use_cases.download_export(ada.id, broken_off.id, ada.password)).aclose()
        await world.advance(10 * MINUTE)
        assert await world.rows("export_parts") == [], "an export stays after its download"
        await world.use_cases.start_export(ada.id)  # and one that nobody fetches
        await world.settle()
        await world.advance(DAY - MOMENT)
        assert await world.rows("export_parts")
        await world.advance(MOMENT)
        assert await world.rows("export_parts") == [], "an export outlives its day"
