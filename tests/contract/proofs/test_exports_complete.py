"""The promise that an export is whole: every column that is declared to be exported, and nothing of anybody else."""

from __future__ import annotations

import os
import random
from typing import Any

from application.inventory import INVENTORY
from bootstrap.worlds import InMemory
from domain.values import Label
from tests.support.archives import export_in
from tests.support.canary_account import Planted, bought, lived
from tests.support.harness import Anywhere

PEOPLE = int(os.environ.get("PICO_EXPORTED_ACCOUNTS", "4"))
"""How many random accounts are exported: 200 are for whoever has some minutes."""
ITSELF = {"exports", "export_parts", "audit_entries", "live_events", "live_streams"}
"""What changes by the export's being made, and is compared by its columns alone."""


async def differed(world: InMemory, chance: random.Random) -> Planted:
    """Let somebody live, and then go on in a way of their own."""
    ada = await lived(world)
    for number in range(chance.randrange(3)):
        await ada.receives(f"again {number} of {ada.name}", ada.peer)
    if chance.random() < 0.5:
        await bought(world, ada)
    if chance.random() < 0.5:
        await world.use_cases.block_number(ada.id, ada.forward_to)
    if chance.random() < 0.5:
        await world.use_cases.sign_in(ada.email, ada.password, label=Label(f"device {ada.name}"))
    await world.settle()
    return ada


async def exported(world: InMemory, ada: Planted) -> dict[str, Any]:
    export = await world.use_cases.start_export(ada.id)
    await world.settle()
    slices = await world.use_cases.download_export(ada.id, export.id, ada.password)
    return export_in(b"".join([each async for each in slices]))


async def test_every_declared_column_of_a_random_account_is_there_and_nothing_of_another(
    anywhere: Anywhere,
) -> None:
    async with anywhere() as world:
        chance = random.Random(7)
        people = [await differed(world, chance) for _ in range(PEOPLE)]
        for ada in people:
            async with world.store.begin(ada.id) as tx:
                held = {of.name: await tx.records.page(of, None, 10_000) for of in INVENTORY if of.exported}
            archive = await exported(world, ada)
            records = archive["records"]
            assert records.keys() == held.keys(), "a kind of record is missing"
            assert (archive["partial"], archive["unreadable"]) == (False, [])
            for of in INVENTORY:
                if not of.exported:
                    continue
                for row in records[of.name]:
                    assert row.keys() == set(of.exported), f"a column of {of.name} is missing"
                if of.name not in ITSELF:
                    ids = {str(row["id"]) for row in held[of.name]}
                    assert {row["id"] for row in records[of.name]} == ids, f"a row of {of.name} is missing"
            text = str(archive)
            planted = {str(value) for value in ada.secrets} - {str(ada.password), str(ada.signed_in.token)}
            assert all(str(value) in text for value in planted), "a planted value is missing"
            foreign = {str(value) for other in people if other is not ada for value in other.secrets}
            assert not any(value in text for value in foreign - planted), "it tells of somebody else"
            assert not any(str(other.id) in text for other in people if other is not ada)
