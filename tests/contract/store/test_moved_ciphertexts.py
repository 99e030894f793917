"""What an intruder who can write to the database gains by moving or bending ciphertexts: errors, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import product

import asyncpg
import pytest

from application.inventory import BY_TYPE, INVENTORY, Stored
from application.ports.repositories.exports import UNREADABLE
from domain.classification import StorageKind
from domain.kernel import AccountId
from domain.messages import Message
from tests.contract.conftest import Postgres
from tests.contract.store.test_postgres import PostgresWorld, fresh

SEALED = [
    (stored, column.name)
    for stored in INVENTORY
    for column in stored.columns
    if column.policy.kind is StorageKind.SEALED
]


@pytest.fixture
async def world(postgres: Postgres) -> AsyncIterator[PostgresWorld]:
    async with fresh(postgres) as made:
        yield made


async def blobs(
    connection: asyncpg.Connection, stored: Stored, column: str, owner: AccountId
) -> list[tuple[object, bytes]]:
    """Return (row id, ciphertext) of one column of one account."""
    return [
        (row[0], row[1])
        for row in await connection.fetch(
            f"SELECT id, {column} FROM {stored.name} WHERE {stored.owner} = $1 AND {column} IS NOT NULL",  # noqa: S608
            owner,
        )
    ]


async def put(
    connection: asyncpg.Connection, stored: Stored, column: str, row_id: object, blob: bytes
) -> None:
    """Write a ciphertext where it does not belong."""
    await connection.execute(f"UPDATE {stored.name} SET {column} = $1 WHERE id = $2", blob, row_id)  # noqa: S608


async def opens(world: PostgresWorld, owner: AccountId, stored: Stored) -> bool:
    """Tell whether all of an account's records of this kind can be read."""
    async with world.store.begin(owner) as tx:
        return not any(UNREADABLE in row for row in await tx.records.page(stored, None, 100))


async def test_a_ciphertext_opens_in_no_other_row_column_or_account(world: PostgresWorld) -> None:
    ada, boris = (await world.belongings()).account_id, (await world.belongings()).account_id
    connection = await asyncpg.connect(world.dsn)
    try:
        held = {
            (stored, column, owner): await blobs(connection, stored, column, owner)
            for (stored, column), owner in product(SEALED, (ada, boris))
        }
        assert [place for place, found in held.items() if not found] == [], "a column without a ciphertext"
        moved = 0
        for (stored, column), (place, found) in product(SEALED, held.items()):
            for row_id, original in held[stored, column, ada]:
                for other_id, blob in found:
                    if (stored, column, ada, row_id) == (*place, other_id):
                        continue
                    await put(connection, stored, column, row_id, blob)
                    assert not await opens(world, ada, stored), (
                        f"{place[0].name}.{place[1]} in {stored.name}.{column}"
                    )
                    await put(connection, stored, column, row_id, original)
                    moved += 1
            assert await opens(world, ada, stored)
    finally:
        await connection.close()
    assert moved > 2 * len(SEALED) ** 2


def bent(blob: bytes) -> Iterator[bytes]:
    """Yield the ciphertext with each of its bits turned, one at a time; the first byte only names the format."""
    for place in range(8, 8 * len(blob)):
        changed = bytearray(blob)
        changed[place // 8] ^= 1 << place % 8
        yield bytes(changed)


async def test_no_bit_of_a_ciphertext_can_be_turned(world: PostgresWorld) -> None:
    ada = (await world.belongings()).account_id
    texts = BY_TYPE[Message]
    connection = await asyncpg.connect(world.dsn)
    try:
        row_id, blob = (await blobs(connection, texts, "body", ada))[0]
        for changed in bent(blob):
            await put(connection, texts, "body", row_id, changed)
            assert not await opens(world, ada, texts)
        await put(connection, texts, "body", row_id, blob)
        assert await opens(world, ada, texts)
    finally:
        await connection.close()
