"""`./pico bench --big-export MESSAGES`: one account's export, and by how much memory grows while it is made.

The account is filled as the benchmark's are. The export is built in a process of its own, which does nothing else, so
that the greatest memory it ever had is the export's.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import asyncpg

from adapters.outbound.local.byte_store import LocalByteStore
from adapters.outbound.local.kms import LocalKms
from adapters.outbound.postgres.keyring import PostgresKeyring
from adapters.outbound.postgres.places import DueJob
from adapters.outbound.postgres.pool import connect
from adapters.outbound.postgres.queue import PostgresQueue
from adapters.outbound.postgres.store import PostgresStore
from adapters.outbound.sealed.objects import SealedObjects
from adapters.outbound.system.clock import SystemClock
from adapters.outbound.system.ids import TimeOrderedIds
from application.export_building import BuildExport
from application.exports import StartExport
from benchmarks import population as people
from benchmarks.population import Population
from benchmarks.seed import seed
from bootstrap.postgres_server import start
from bootstrap.worlds.sandbox import SANDBOX
from domain.retention import Retention

MOST_MB = 64
LITTLE = 20_000
"""Messages of an account that is exported first: what any export takes is not growth."""


class Place(NamedTuple):
    """Where the account lies."""

    database_url: str
    keyring_url: str
    folder: str


class Made(NamedTuple):
    """What came of it."""

    messages: int
    parts: int
    size: int
    seconds: float
    memory_mb: float


def build(place: Place, told: Any) -> None:  # noqa: ANN401 - a connection
    """Be a process that builds one export, and tell what it took."""

    async def built() -> Made:
        clock = SystemClock()
        async with AsyncExitStack() as stack:
            database = await stack.enter_async_context(connect(place.database_url, least=1, most=4))
            keys = await stack.enter_async_context(connect(place.keyring_url, least=1, most=2))
            keyring = PostgresKeyring(keys, LocalKms(Path(place.folder) / "kms", clock.now))
            ids, account = TimeOrderedIds(clock), people.account_id(0)
            store = PostgresStore(database, keyring, ids, environment=SANDBOX)
            objects = SealedObjects(LocalByteStore(Path(place.folder) / "objects"), keyring, SANDBOX)
            export = await StartExport(store, clock, ids, Retention())(account)
            (job,) = await database.fetch("SELECT id FROM jobs WHERE name = 'build_export'")
            (leased,) = await PostgresQueue(database).claim([DueJob(account, job[0], "build_export")])
            began = perf_counter()
            await BuildExport(store=store, objects=objects, clock=clock, ids=ids, retention=Retention())(
                account, export.id, leased.lease
            )
            took = perf_counter() - began
            parts = await database.first("SELECT count(*), sum(length(content)) FROM export_parts")
        return Made(0, parts[0], parts[1], took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)

    told.send(asyncio.run(built()))


async def measured(messages: int, folder: Path) -> Made:
    """Fill an account and export it."""
    await asyncio.to_thread(folder.mkdir, mode=0o755)
    with start(folder / "rows") as server:
        connection = await asyncpg.connect(server.url("postgres"))
        for name in ("pico", "pico_keyring"):
            await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()
        place = Place(server.url("pico"), server.url("pico_keyring"), str(folder))
        size = Population(1, messages // 50, messages)
        await seed(place.database_url, place.keyring_url, folder / "kms", size)
        connection = await asyncpg.connect(place.database_url)
        counted: int = await connection.fetchval("SELECT count(*) FROM messages")
        await connection.close()
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=build, args=(place, there))
        process.start()
        there.close()
        made: Made = await asyncio.to_thread(here.recv)
        await asyncio.to_thread(process.join)
    return made._replace(messages=counted)


async def tell(messages: int, folder: Path, say: Callable[[str], None]) -> int:
    """Measure and print it; return 1 when memory grows by more than it may."""
    little, much = (
        await measured(LITTLE, folder / "little"),
        await measured(messages, folder / "much"),
    )
    for made in (little, much):
        say(
            f"{made.messages} messages: {made.size / 2**20:.0f} MiB in {made.parts} parts, {made.seconds:.0f} s,"
            f" {made.memory_mb:.0f} MB of memory at most"
        )
    grown = much.memory_mb - little.memory_mb
    say(f"memory grew by {grown:.0f} MB; it may by {MOST_MB}")
    return int(grown > MOST_MB)
