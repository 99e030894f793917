"""A rotation in PostgreSQL: under which key each cell lies, meanwhile too, and which accounts are due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from adapters.outbound.postgres.codec import CODECS
from adapters.outbound.postgres.sealing import FORMAT, HEADER, AccountCipher
from adapters.outbound.sealed.frames import version_of
from application.key_rotation import NotHeardYet
from application.ports.keyring import AccountKey
from application.ports.store import Tx
from domain.audit import AuditKind
from domain.classification import StorageKind
from domain.kernel import AccountId, CarrierRef, SealBroken
from domain.values import Label
from tests.contract.rotation.house import House, rotated, tx_rows
from tests.support.harness import ENVIRONMENT, OnPostgres


def cells() -> list[tuple[str, str]]:
    return [
        (codec.name, column.name)
        for codec in CODECS.values() for column in codec.table.c if column.info["kind"] is StorageKind.SEALED
    ]  # fmt: skip


async def held(house: House) -> dict[tuple[str, str], list[tuple[Any, bytes]]]:
    """Return every sealed cell of the account."""
    assert isinstance(house.world, OnPostgres)
    found = {}
    for table, column in cells():
        owner = "id" if table == "accounts" else "account_id"
        rows = await house.world.rows(table, **{owner: house.ada.id})
        found[table, column] = [(row["id"], row[column]) for row in rows if row[column] is not None]
    return found


def opens(key: AccountKey, house: House, table: str, column: str, row_id: Any, blob: bytes) -> bool:
    try:
        AccountCipher(ENVIRONMENT, house.ada.id, key).column(table, column).open(row_id.bytes, blob)
    except SealBroken:
        return False
    return True


async def test_the_former_key_opens_nothing_and_makes_no_index_that_leads_anywhere(stored: House) -> None:
    world = stored.world
    assert isinstance(world, OnPostgres)
    former = await world.keyring.open(stored.ada.id)
    indexes = await indexed(world, stored.ada.id)
    assert any(
        opens(former, stored, *place, *cell) for place, some in (await held(stored)).items() for cell in some
    )
    await rotated(stored)
    after = await held(stored)
    assert sum(map(len, after.values())) > 40
    for place, some in after.items():
        for row_id, blob in some:
            assert blob[:HEADER] == FORMAT + (2).to_bytes(2), f"{place} is under the former key"
            assert not opens(former, stored, *place, row_id, blob)
    assert not indexes & await indexed(world, stored.ada.id), "a blind index is as it was"
    async with world.objects.open(stored.ada.id, stored.object_id) as opened:
        assert version_of(opened.cipher.header) == 2  # type: ignore[attr-defined]  # a sealed one
    rows = await world.rows("account_keys", account_id=stored.ada.id)
    assert [row["version"] for row in rows] == [2]


async def indexed(world: OnPostgres, account_id: AccountId) -> set[bytes]:
    found = set[bytes]()
    for codec in CODECS.values():
        for column in codec.table.c:
            if column.info["kind"] is StorageKind.INDEX:
                found |= {row[column.name] for row in await world.rows(codec.name, account_id=account_id)}
    return found - {None}


@pytest.mark.parametrize("renamed", [False, True])
async def test_a_unit_of_work_from_before_the_turn_goes_again(stored: House, *, renamed: bool) -> None:
    ada, world = stored.ada, stored.world
    await stored.rotate.begin(ada.id)
    await stored.heard()
    tries = []

    async def change(tx: Tx) -> None:
        account = await tx.accounts.get_even_broken()
        tries.append(account.version)
        if len(tries) == 1:
            await world.resealing.turn(ada.id)
        if renamed:
            account.change_profile(Label("Another"), None, world.clock.now())
            tx.save(account)
        tx.note(AuditKind.PROFILE_CHANGED, ada.id, world.clock.now())

    await world.store.update(ada.id, change)
    assert len(tries) == 2, "what was sealed under the former key was committed after the turn"
    await stored.rotate.finish(ada.id)
    await stored.seen()


async def test_before_others_can_know_of_the_key_nothing_is_sealed_under_it(stored: House) -> None:
    await stored.rotate.begin(stored.ada.id)
    with pytest.raises(NotHeardYet) as early:
        await stored.rotate.finish(stored.ada.id)
    assert early.value.retry_after is not None
    assert timedelta(minutes=5) < early.value.retry_after <= timedelta(minutes=6)
    await stored.ada.sends("meanwhile", stored.ada.peer)
    blobs = [blob for some in (await held(stored)).values() for _, blob in some]
    assert {blob[:HEADER] for blob in blobs} == {FORMAT + (1).to_bytes(2)}


async def test_writers_go_on_throughout(stored: House) -> None:
    ada, world = stored.ada, stored.world
    written: list[str] = []
    over = asyncio.Event()

    async def write(name: str) -> None:
        number = 0
        while not over.is_set():
            number += 1
            body = f"{name} {number}"
            for _ in range(2):
                await ada.receives(body, ada.peer, ref=CarrierRef(body))
            written.append(body)

    writers = [asyncio.create_task(write(name)) for name in ("one", "two")]
    try:
        for _ in range(3):
            await rotated(stored)
            await asyncio.sleep(0.1)
    finally:
        over.set()
        await asyncio.gather(*writers)
    text = await tx_rows(world, ada.id)
    assert len(written) > 6
    for body in written:
        assert text.count(f"'body': '{body}'") == 1, "a message is lost, or there twice"


async def test_older_keys_are_found_and_those_that_were_cut_off(stored: House) -> None:
    ada, world = stored.ada, stored.world
    now = world.clock.now()
    long_ago: Callable[[int], Any] = lambda days: now - timedelta(days=days)  # noqa: E731 - said thrice
    await world.pool.execute("UPDATE account_keys SET created_at = $1", long_ago(10))  # type: ignore[attr-defined]
    assert ada.id in [each async for each in stored.rotate.older(long_ago(5))]
    assert [each async for each in stored.rotate.older(long_ago(20))] == []
    await stored.rotate.begin(ada.id)
    assert [each async for each in stored.rotate.older(long_ago(20))] == [ada.id]
