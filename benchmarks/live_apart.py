"""`./pico bench --live-apart`: how soon a server tells what another one committed, and what looking for it costs.

One server commits, another follows so many accounts, each over a pool of its own; between them is PostgreSQL alone.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from adapters.outbound.postgres.live import PostgresLiveEvents
from adapters.outbound.postgres.pool import connect
from application.live_hub import AT_ONCE, LiveHub, Stream
from benchmarks.timing import people
from bootstrap.settings import Settings
from bootstrap.worlds.sandbox import Sandbox
from domain.kernel import AccountId, SessionId
from domain.values import Label

CHANGES = 100
LOOKS = 20


async def tell(accounts: int) -> int:
    """Measure with so many accounts followed, and print what came of it."""
    with tempfile.TemporaryDirectory(prefix="pico-live-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101, S103 - the database's user must reach it
        state = Path(folder) / "state"
        settings = Settings(port=0, state_dir=state, database_url=None, keyring_url=None, public_url=None)
        async with (
            Sandbox.running(settings, work=False) as sandbox,
            connect(sandbox.databases.database_url, least=2, most=8) as elsewhere,
        ):
            events = PostgresLiveEvents(elsewhere)
            hub, streams = LiveHub(events), dict[AccountId, Stream]()
            for account_id in await people(sandbox, accounts):
                head = await events.head(account_id)
                streams[account_id] = hub.join(account_id, SessionId(account_id), head, head)
            seen = {account_id: stream.place for account_id, stream in streams.items()}
            some = dict(random.sample(sorted(seen.items()), min(AT_ONCE, accounts)))
            looks = [await _took(events.stirred(some)) for _ in range(LOOKS)]
            await asyncio.sleep(1)
            late = [await _told(sandbox, streams, number) for number in range(CHANGES)]
            for account_id, stream in streams.items():
                hub.leave(account_id, stream)
            await asyncio.sleep(1)
    late.sort()
    sys.stdout.write(
        f"{accounts} accounts followed: told {median(late):.0f} ms after their commit elsewhere, at the latest "
        f"{late[-1]:.0f}; a look after {len(some)} of them takes {median(looks):.1f} ms\n"
    )
    return 0


async def _took(asked: object) -> float:
    began = perf_counter()
    await asked  # type: ignore[misc]
    return (perf_counter() - began) * 1e3


async def _told(sandbox: Sandbox, streams: dict[AccountId, Stream], number: int) -> float:
    """Change something there; return the milliseconds from its commit until it is known here."""
    account_id, stream = random.choice(list(streams.items()))
    stream.news.clear()
    await sandbox.use_cases.change_profile(account_id, Label(f"Name {number}"), None)
    took = await _took(stream.news.wait())
    await asyncio.sleep(random.uniform(0, 0.25))
    return took
