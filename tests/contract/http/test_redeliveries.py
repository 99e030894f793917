"""Each message twenty times, 32 deliveries at a time, over HTTP and on PostgreSQL: it is there once."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from pathlib import Path

from tests.contract.conftest import Postgres
from tests.support.actors import with_line
from tests.support.harness import on_postgres
from tests.support.http_client import calling, the_edge

EVENTS = int(os.environ.get("PICO_REDELIVERIES", "15"))
TIMES, AT_ONCE, SENDERS = 20, 32, 5


async def test_each_message_is_there_once_however_often_and_at_once_it_is_delivered(
    postgres: Postgres, tmp_path: Path
) -> None:
    async with on_postgres(postgres, tmp_path) as world, calling(the_edge(world)) as carrier:
        ada = await with_line(world)
        forms = [
            {"MessageSid": f"SM{number:032x}", "From": f"+1310555{number % SENDERS:04}", "To": str(ada.number),
             "Body": f"message {number}", "NumMedia": "0"}
            for number in range(EVENTS)
        ] * TIMES  # fmt: skip
        random.Random(9).shuffle(forms)
        turns, answers = asyncio.Semaphore(AT_ONCE), Counter[int]()

        async def delivered(form: dict[str, str]) -> None:
            """Deliver until it is taken, as carriers do."""
            status = 0
            while status != 200:
                async with turns:
                    status, _ = await carrier.webhook("/webhooks/twilio/sms", form)
                answers[status] += 1

        await asyncio.gather(*map(delivered, forms))
        assert set(answers) <= {200, 503}, answers
        messages = await world.rows("messages")
        assert [row["version"] for row in messages] == [1] * EVENTS, "one each, written once"
        assert len(await world.rows("jobs", name="delete_carrier_copy")) == EVENTS, "one event each"
        chats = await world.rows("conversations")
        assert [sum(row[name] for row in chats) for name in ("unread", "total")] == [EVENTS, EVENTS]
        assert len(chats) == min(SENDERS, EVENTS)
        said: Counter[str] = Counter()
        async with world.store.begin(ada.id) as tx:
            for row in chats:
                said.update(str(one.body) for one in await tx.messages.page(row["id"], None, EVENTS))
        assert said == Counter(f"message {number}" for number in range(EVENTS))
