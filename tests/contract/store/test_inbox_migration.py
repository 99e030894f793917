"""Messages that were there before conversations counted them are counted when the schema moves on."""

from __future__ import annotations

from importlib import import_module

from domain.kernel import MessageId
from tests.contract.conftest import Postgres
from tests.contract.store.inbox import InboxPromises
from tests.contract.store.test_postgres import fresh

FROZEN: str = import_module("adapters.outbound.postgres.migrations.store.versions.0002_inbox").STATEMENTS


async def test_what_was_there_before_is_counted(postgres: Postgres) -> None:
    promises = InboxPromises()
    async with fresh(postgres) as world:
        conversation = await promises.begun(world)
        said: list[MessageId] = [
            await promises.say(world, conversation, inbound=inbound) for inbound in (True, True, False)
        ]
        await promises.delete(world, conversation, said[0])
        other = await promises.begun(world)
        await world.database.execute("UPDATE conversations SET total = 0, unread = 2")
        await world.database.execute(FROZEN.rsplit("\n\n", maxsplit=1)[-1])
        await promises.must_agree(world, conversation, unread=1)
        await promises.must_agree(world, other, unread=0)
