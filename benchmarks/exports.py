"""Exports: the product's job and the floor's, account by account, and whether both wrote the same."""

from __future__ import annotations

import json
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from statistics import median
from time import perf_counter
from typing import Any
from zipfile import ZipFile, is_zipfile

import asyncpg

from adapters.outbound.local.kms import LocalKms
from adapters.outbound.memory.byte_store import MemoryByteStore
from adapters.outbound.postgres.keyring import PostgresKeyring
from adapters.outbound.postgres.places import DueJob
from adapters.outbound.postgres.pool import Database, connect
from adapters.outbound.postgres.queue import PostgresQueue
from adapters.outbound.postgres.store import PostgresStore
from adapters.outbound.sealed.objects import SealedObjects
from adapters.outbound.system.clock import SystemClock
from adapters.outbound.system.ids import TimeOrderedIds
from application.export_building import BuildExport
from application.exports import StartExport
from application.ports.keyring import Keyring
from benchmarks import population as people
from benchmarks.check import Unequal
from benchmarks.floor.exporting import Exporter
from benchmarks.product import Rig
from bootstrap.worlds.sandbox import SANDBOX
from domain.kernel import AccountId, ExportId
from domain.retention import Retention

TARGET = 0.6
ACCOUNTS = 8
"""Exports in a pair."""
CLEAN = "DELETE FROM export_parts", "DELETE FROM exports", "DELETE FROM jobs WHERE name = 'build_export'"


@dataclass(slots=True)
class Exported:
    """What came of it: the product's rate over the floor's, pair by pair."""

    rows: int
    ratios: list[float] = field(default_factory=list)
    product: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)
    grown_mb: float = 0.0

    def line(self) -> str:
        """Tell it in a line."""
        per_row = (median(times) / self.rows * 1e6 for times in (self.product, self.floor))
        return (
            f"export: {median(self.ratios):.2f} of the floor ({min(self.ratios):.2f}-{max(self.ratios):.2f}), target"
            f" {TARGET:.2f}; microseconds a row {' / '.join(f'{each:.1f}' for each in per_row)};"
            f" memory grew by {self.grown_mb:.0f} MB"
        )


@dataclass(slots=True)
class _Side:
    database: Database
    keyring: Keyring
    start: StartExport
    build: BuildExport
    queue: PostgresQueue
    floor: Exporter

    async def product(self, account: AccountId) -> tuple[ExportId, float]:
        """Build one as the worker does; return how long it took."""
        export = await self.start(account)
        (job,) = await self.database.fetch("SELECT id FROM jobs WHERE name = 'build_export'")
        (leased,) = await self.queue.claim([DueJob(account, job[0], "build_export")])
        began = perf_counter()
        await self.build(account, export.id, leased.lease)
        return export.id, perf_counter() - began

    async def hand_written(self, account: AccountId) -> tuple[ExportId, float]:
        """Build one by hand; return how long it took."""
        export = await self.start(account)
        key = await self.keyring.open(account)
        began = perf_counter()
        await self.floor.export(account, export.id, key.version, key.material)
        return export.id, perf_counter() - began

    async def document(self, account: AccountId, export: ExportId) -> dict[str, Any]:
        """Read what was written, but for what tells one export from another."""
        parts, position = [], 0
        async with self.build.store.begin(account) as tx:
            while part := await tx.exports.part(export, position):
                parts.append(part.content)
                position += 1
        written = b"".join(parts)
        if is_zipfile(BytesIO(written)):  # the product's is an archive, and holds tables for people besides
            with ZipFile(BytesIO(written)) as archive:
                written = archive.read("export.json")
        records: dict[str, Any] = json.loads(written)["records"]
        return {table: rows for table, rows in records.items() if table not in {"exports", "audit_entries"}}

    async def clean(self) -> None:
        for statement in CLEAN:
            await self.database.execute(statement)


async def exports(rig: Rig, pairs: int) -> Exported:
    """Take turns, account by account. Raises Unequal when they do not write the same."""
    async with _side(rig) as side:
        accounts = [people.account_id(each) for each in range(min(ACCOUNTS, rig.size.accounts))]
        result = Exported(await _compared(side, accounts[0]) * len(accounts))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for pair in range(pairs):
            took = {"product": 0.0, "floor": 0.0}
            for nth, account in enumerate(accounts):
                ways = {"product": side.product, "floor": side.hand_written}
                for name in took if (pair + nth) % 2 else reversed(took):
                    took[name] += (await ways[name](account))[1]
                    await side.clean()
            result.product.append(took["product"])
            result.floor.append(took["floor"])
            result.ratios.append(took["floor"] / took["product"])
        result.grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return result


async def _compared(side: _Side, account: AccountId) -> int:
    """Return how many records an account's export has, the same on both sides."""
    documents = []
    for way in (side.product, side.hand_written):
        await side.clean()
        documents.append(await side.document(account, (await way(account))[0]))
    await side.clean()
    if documents[0] != documents[1]:
        raise Unequal("exports differ")
    return sum(map(len, documents[0].values()))


@asynccontextmanager
async def _side(rig: Rig) -> AsyncIterator[_Side]:
    url, clock = rig.sides["product"].database_url, SystemClock()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(connect(url))
        keys = await stack.enter_async_context(connect(rig.sides["product"].keyring_url, least=1, most=4))
        keyring = PostgresKeyring(keys, LocalKms(rig.kms, clock.now))
        ids = TimeOrderedIds(clock)
        store = PostgresStore(database, keyring, ids, environment=SANDBOX)
        objects = SealedObjects(MemoryByteStore(), keyring, SANDBOX)  # these accounts have none
        by_hand = await asyncpg.connect(url)
        stack.push_async_callback(by_hand.close)
        yield _Side(
            database, keyring, StartExport(store, clock, ids, Retention()),
            BuildExport(store=store, objects=objects, clock=clock, ids=ids, retention=Retention()),
            PostgresQueue(database), Exporter(by_hand, SANDBOX),
        )  # fmt: skip


async def tell(rig: Rig, say: Callable[[Any], None], pairs: int) -> bool:
    """Measure and print it; tell whether the target was met."""
    made = await exports(rig, pairs)
    say(made.line())
    return median(made.ratios) >= TARGET
