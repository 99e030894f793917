"""Exports: the product's job and the floor's, account by account, and whether both wrote the same."""

from __future__ import annotations

import json
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from itertools import zip_longest
from pathlib import Path
from statistics import median
from tempfile import NamedTemporaryFile
from time import perf_counter
from typing import Any
from zipfile import ZipFile, ZipInfo

import asyncpg

from adapters.outbound.local.kms import LocalKms
from adapters.outbound.memory.byte_store import MemoryByteStore
from adapters.outbound.memory.system import HandClock
from adapters.outbound.postgres.keyring import PostgresKeyring
from adapters.outbound.postgres.places import DueJob
from adapters.outbound.postgres.pool import Database, connect
from adapters.outbound.postgres.queue import PostgresQueue
from adapters.outbound.postgres.store import PostgresStore
from adapters.outbound.sealed.objects import SealedObjects
from adapters.outbound.system.clock import SystemClock
from adapters.outbound.system.ids import TimeOrderedIds
from application.export_building import BuildExport
from application.export_check import problems_of
from application.export_schema import EXPORT
from application.exports import StartExport, slices
from application.ports.jobs import JobLease
from application.ports.keyring import Keyring
from benchmarks import population as people
from benchmarks.check import Unequal
from benchmarks.floor.database import SETTINGS
from benchmarks.floor.exporting import Exporter
from benchmarks.floor.shown import Vault
from benchmarks.product import Ground, Rig
from bootstrap.worlds.sandbox import SANDBOX
from domain.exports import Export, ExportPart
from domain.kernel import AccountId, ExportId
from domain.retention import Retention

TARGET = 0.6
MOST_MB = 64
"""By how much memory may grow."""
ACCOUNTS = 8
"""Exports in a pair."""
CLEAN = (
    "DELETE FROM export_parts", "DELETE FROM exports", "DELETE FROM live_events WHERE kind = 'export.ready'",
    "DELETE FROM jobs WHERE name IN ('build_export', 'mail_export_ready')",
)  # fmt: skip
Way = Callable[[AccountId, ExportId, JobLease], Awaitable[None]]
"""Builds an export that was asked for."""


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
    """Both ways to build an export, on one database."""

    database: Database
    keyring: Keyring
    start: StartExport
    build: BuildExport
    queue: PostgresQueue
    floor: Exporter

    async def product(self, account: AccountId, export: ExportId, lease: JobLease) -> None:
        """Build one as the worker does."""
        await self.build(account, export, lease)

    async def hand_written(self, account: AccountId, export: ExportId, lease: JobLease) -> None:
        """Build one by hand."""
        key = await self.keyring.open(account)
        await self.floor.export(account, export, key, lease, self.build.clock.now())

    async def built(self, way: Way, account: AccountId) -> tuple[Export, float]:
        """Ask for an export and build it; return it as it stands, and how long that took."""
        export = await self.start(account)
        (job,) = await self.database.fetch("SELECT id FROM jobs WHERE name = 'build_export'")
        (leased,) = await self.queue.claim([DueJob(account, job[0], "build_export")])
        began = perf_counter()
        await way(account, export.id, leased.lease)
        took = perf_counter() - began
        async with self.build.store.begin(account) as tx:
            return await tx.exports.get(export.id), took

    async def clean(self) -> None:
        for statement in CLEAN:
            await self.database.execute(statement)


async def exports(ground: Ground, pairs: int) -> Exported:
    """Take turns, account by account. Raises Unequal when they do not write the same."""
    async with _side(ground) as side:
        accounts = [people.account_id(each) for each in range(min(ACCOUNTS, ground.size.accounts))]
        key = await side.keyring.open(accounts[0])
        rows = await compared(side.build, side.floor, Vault(SANDBOX.encode(), accounts[0], key))
        await _stored(side, accounts[0])
        result = Exported(rows * len(accounts))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for pair in range(pairs):
            took = {"product": 0.0, "floor": 0.0}
            for nth, account in enumerate(accounts):
                ways: dict[str, Way] = {"product": side.product, "floor": side.hand_written}
                for name in took if (pair + nth) % 2 else reversed(took):
                    took[name] += (await side.built(ways[name], account))[1]
                    await side.clean()
            result.product.append(took["product"])
            result.floor.append(took["floor"])
            result.ratios.append(took["floor"] / took["product"])
        result.grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return result


async def compared(build: BuildExport, floor: Exporter, vault: Vault) -> int:
    """Return how many records an account's archive has. Raises Unequal unless both write the same files of it."""
    at = build.clock.now()
    ours = [
        piece.content async for piece in replace(build, clock=HandClock(at)).archive(AccountId(vault.account))
    ]
    theirs = [piece async for piece in floor.archive(vault, at)]
    with ZipFile(BytesIO(b"".join(ours))) as one, ZipFile(BytesIO(b"".join(theirs))) as other:
        for here, there in zip_longest(one.infolist(), other.infolist()):
            if _told(one, here) != _told(other, there):
                raise Unequal(f"exports differ in {getattr(here or there, 'filename', '')}")
        return sum(map(len, json.loads(one.read(EXPORT))["records"].values()))


def _told(archive: ZipFile, of: ZipInfo | None) -> tuple[object, ...]:
    return () if of is None else (of.filename, of.date_time, of.compress_type, archive.read(of))


async def _stored(side: _Side, account: AccountId) -> None:
    """Raise Unequal unless both leave the same rows, of which the product makes a whole archive."""
    left = []
    for way in (side.product, side.hand_written):
        await side.clean()
        before = await side.build.store.count_rows(account)
        export, _ = await side.built(way, account)
        with NamedTemporaryFile() as file:
            async for part in slices(side.build.store, account, export.id):
                file.write(part)
            file.flush()
            problems = problems_of(Path(file.name))
        after = await side.build.store.count_rows(account)
        added = {table: rows - before[table] for table, rows in after.items()}
        del added[ExportPart.stored_as]  # where a part ends is each side's own
        left.append((problems, export.state, export.rows_unreadable, added))
        if problems or export.rows_done != export.rows_total:
            raise Unequal(f"an export is not whole: {problems}")
    await side.clean()
    if left[0] != left[1]:
        raise Unequal(f"exports leave different rows: {left}")


@asynccontextmanager
async def _side(ground: Ground) -> AsyncIterator[_Side]:
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(connect(ground.database_url))
        keys = await stack.enter_async_context(connect(ground.keyring_url, least=1, most=4))
        keyring = PostgresKeyring(keys, LocalKms(ground.kms, clock.now))
        ids = TimeOrderedIds(clock)
        store = PostgresStore(database, keyring, ids, environment=SANDBOX)
        objects = SealedObjects(MemoryByteStore(), keyring, SANDBOX)  # these accounts have none
        floor = await stack.enter_async_context(by_hand(ground.database_url, SANDBOX))
        yield _Side(
            database, keyring, StartExport(store, clock, ids, Retention()),
            BuildExport(store=store, objects=objects, clock=clock, ids=ids, retention=Retention()),
            PostgresQueue(database), floor,
        )  # fmt: skip


@asynccontextmanager
async def by_hand(url: str, environment: str) -> AsyncIterator[Exporter]:
    """Connect the floor."""
    async with AsyncExitStack() as stack:
        reads, writes = [await asyncpg.connect(url, server_settings=SETTINGS) for _ in range(2)]
        stack.push_async_callback(reads.close)
        stack.push_async_callback(writes.close)
        yield Exporter(reads, writes, environment)


async def tell(rig: Rig, say: Callable[[Any], None], pairs: int) -> bool:
    """Measure and print it; tell whether the targets were met."""
    made = await exports(rig.ground, pairs)
    say(made.line())
    return median(made.ratios) >= TARGET and made.grown_mb <= MOST_MB
