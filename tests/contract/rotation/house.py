"""A world whose inhabitant has something everywhere, and what can be read of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from application.inventory import INVENTORY
from application.key_rotation import RotateAccountKey
from application.ports.store import Tx
from bootstrap.worlds import InMemory
from domain.kernel import AccountId, MediaId, ObjectId
from domain.media import Media
from domain.values import MessageBody, PhoneNumber
from pico_testkit import STRANGER
from tests.support.canary_account import Planted, lived
from tests.support.harness import OnPostgres


@dataclass
class House:
    """A world with somebody in it who has something everywhere."""

    world: InMemory
    ada: Planted
    blocked: PhoneNumber
    object_id: ObjectId

    @property
    def rotate(self) -> RotateAccountKey:
        return self.world.use_cases.rotate_account_key

    async def heard(self) -> None:
        """Let so much time pass that every process knows of the new key."""
        if isinstance(self.world, OnPostgres):
            await self.world.pool.execute("UPDATE account_keys SET created_at = now() - interval '1 hour'")

    async def seen(self) -> object:
        """Return all that can be read of the account, and what its blind indexes lead to."""
        do, ada = self.world.use_cases, self.ada
        async with self.world.store.begin(ada.id) as tx:
            records = {
                of.name: sorted(map(shown, await tx.records.page(of, None, 10_000)))
                for of in INVENTORY if of.name not in {"audit_entries", "live_events", "live_streams"}
            }  # fmt: skip
            found = (
                await tx.conversations.with_peer(ada.line_id, ada.peer) is not None,
                await tx.blocked_numbers.find(self.blocked) is not None,
                list(await tx.contacts.names([ada.peer])),
            )
        again = await do.send_message(ada.id, ada.line_id, STRANGER, MessageBody("Once."), "once")
        assert again.body == "Once.", "what is done once is done again"
        async with self.world.objects.open(ada.id, self.object_id) as opened:
            content = b"".join([piece async for piece in opened.read()])
        return records, found, content


async def content(of: bytes) -> AsyncIterator[bytes]:
    yield of


@asynccontextmanager
async def housed(world: InMemory) -> AsyncIterator[House]:
    ada = await lived(world)
    blocked = PhoneNumber("+13105550111")
    await world.use_cases.block_number(ada.id, blocked)
    await world.use_cases.send_message(ada.id, ada.line_id, STRANGER, MessageBody("Once."), "once")
    await world.settle()
    object_id = ObjectId(world.ids.new())

    async def expect(tx: Tx) -> None:
        tx.save(Media.upload(ada.id, MediaId(object_id), world.clock.now()))

    await world.store.update(ada.id, expect)
    await world.objects.put(ada.id, object_id, content(b"what it shows" * 9_000))
    house = House(world, ada, blocked, object_id)
    assert await house.seen() == await house.seen()
    yield house


async def rotated(house: House) -> None:
    await house.rotate.begin(house.ada.id)
    await house.heard()
    await house.rotate.finish(house.ada.id)


def shown(row: Mapping[str, Any]) -> str:
    """Return a record as text, personal values too."""
    return str({name: str(value) for name, value in row.items()})


async def tx_rows(world: InMemory, account_id: AccountId) -> str:
    async with world.store.begin(account_id) as tx:
        return "\n".join([shown(row) for of in INVENTORY for row in await tx.records.page(of, None, 10_000)])
