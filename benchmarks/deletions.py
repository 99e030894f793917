"""What is deleted for good: whole accounts, and what falls due, by the product's store and by hand.

The rules are the same for both: an account's own row first, no statement that locks rows of two accounts, none that
locks more than `BATCH` rows, and everything counted before and afterwards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from adapters.outbound.local.kms import LocalKms
from adapters.outbound.postgres.codec import Keys
from adapters.outbound.postgres.erasing import BATCH
from adapters.outbound.postgres.keyring import PostgresKeyring
from adapters.outbound.postgres.pool import connect
from adapters.outbound.postgres.sealing import AccountCipher
from adapters.outbound.postgres.store import PostgresStore
from adapters.outbound.system.clock import SystemClock
from adapters.outbound.system.ids import TimeOrderedIds
from application.inventory import INVENTORY
from application.ports.jobs import ERASURE_JOB
from benchmarks import population as people
from benchmarks.check import Unequal
from benchmarks.product import Ground, Rig
from benchmarks.seed import copy
from bootstrap.worlds.sandbox import SANDBOX
from domain.idempotency import IdempotencyRecord
from domain.kernel import AccountId, IdempotencyRecordId

TARGET = 0.6
DUE, SWEEP = 2_000, 500
"""Records that fall due for a pair, and how many of them a sweep takes at once."""
NEIGHBOURS = 500
"""Accounts they are spread over, at most."""
LONG_AGO, NOW = datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Deleted:
    """What came of it: the product's rate over that of what was written by hand, pair by pair."""

    what: str
    rows: int = 0
    ratios: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def line(self) -> str:
        """Tell it in a line."""
        return (
            f"{self.what}: {median(self.ratios):.2f} of the floor ({min(self.ratios):.2f}-{max(self.ratios):.2f}),"
            f" target {TARGET:.2f}; {median(self.seconds) / self.rows * 1e6:.1f} µs a row"
        )


class ByHand:
    """The floor: a connection, and a statement for each step."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        tables = {stored.name: stored.owner for stored in INVENTORY} | {"directory": "account_id"}
        where = {name: f"{name} WHERE {owner} = $1" for name, owner in tables.items()}
        where["jobs"] = f"jobs WHERE account_id = $1 AND name <> '{ERASURE_JOB}'"
        self._count = "SELECT " + ", ".join(
            f"(SELECT count(*) FROM {rows}) AS {name}" for name, rows in where.items()
        )
        self._delete = {
            name: f"DELETE FROM {name} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {rows} LIMIT {BATCH}))"
            for name, rows in where.items()
        }

    async def count_rows(self, account: AccountId) -> dict[str, int]:
        return dict(await self._connection.fetchrow(self._count, account))

    async def delete_rows(self, account: AccountId) -> dict[str, int]:
        gone = dict.fromkeys(self._delete, 0)
        for name, statement in self._delete.items():
            latest = BATCH
            while latest == BATCH:
                latest = int((await self._connection.execute(statement, account)).rpartition(" ")[2])
                gone[name] += latest
        return gone

    async def purge(self, limit: int) -> int:
        due = defaultdict[UUID, list[UUID]](list)
        found = "SELECT account_id, id FROM idempotency_records WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2"
        for account, row in await self._connection.fetch(found, NOW, limit):
            due[account].append(row)
        delete = "DELETE FROM idempotency_records WHERE account_id = $1 AND id = ANY($2) AND expires_at <= $3"
        for account, rows in due.items():
            await self._connection.execute(delete, account, rows, NOW)
        return sum(map(len, due.values()))


async def deletions(ground: Ground, pairs: int) -> list[Deleted]:
    """Take turns: an account each, and a number of due records each. Raises Unequal when something is left."""
    url, clock = ground.database_url, SystemClock()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(connect(url))
        keys = await stack.enter_async_context(connect(ground.keyring_url, least=1, most=4))
        keyring = PostgresKeyring(keys, LocalKms(ground.kms, clock.now))
        store = PostgresStore(database, keyring, TimeOrderedIds(clock), environment=SANDBOX)
        connection = await asyncpg.connect(url)
        stack.push_async_callback(connection.close)
        floor = ByHand(connection)
        due = await _due_later(ground, keyring)
        accounts, swept = Deleted("erasure of an account's rows"), Deleted(f"purge of {DUE} due records")
        for pair in range(-1, pairs):  # the first one warms both sides, and is not counted
            took: dict[type, float] = {}
            sides: tuple[PostgresStore | ByHand, ...] = (store, floor) if pair % 2 else (floor, store)
            for place, side in enumerate(sides):
                account = people.account_id(ground.size.accounts - 1 - 2 * (pair + 1) - place)
                began = perf_counter()
                accounts.rows = await _erased(side, account)
                took[type(side)] = perf_counter() - began
            _note(accounts, took, counted=pair >= 0)
            took = {}
            for side in sides:
                await _fall_due(connection, due)
                began = perf_counter()
                gone = 0
                while latest := await _purged(side):
                    gone += latest
                took[type(side)] = perf_counter() - began
                if gone != DUE:
                    raise Unequal(f"{gone} of {DUE} due records went")
            swept.rows = DUE
            _note(swept, took, counted=pair >= 0)
    return [accounts, swept]


async def _erased(side: PostgresStore | ByHand, account: AccountId) -> int:
    """Count, delete and count again, as an erasure does; return how many rows went."""
    before = await side.count_rows(account)
    gone = await side.delete_rows(account)
    left = await side.count_rows(account)
    if gone != before or any(left.values()) or not gone["messages"]:
        raise Unequal(f"rows of an erased account: {before}, went {gone}, left {left}")
    return sum(gone.values())


async def _purged(side: PostgresStore | ByHand) -> int:
    if isinstance(side, ByHand):
        return await side.purge(SWEEP)
    return await side.purge(IdempotencyRecord, "expires_at", NOW, SWEEP)


async def _due_later(ground: Ground, keyring: PostgresKeyring) -> list[tuple[AccountId, Keys]]:
    """Return whose records fall due, with what seals them: those that are erased come last, and are none of them."""
    system = await keyring.system("index")
    accounts = [people.account_id(n) for n in range(min(NEIGHBOURS, ground.size.accounts // 2))]
    keys = [await keyring.open(account) for account in accounts]
    return [
        (account, Keys(AccountCipher(SANDBOX, account, key), system))
        for account, key in zip(accounts, keys, strict=True)
    ]


async def _fall_due(connection: asyncpg.Connection, due: list[tuple[AccountId, Keys]]) -> None:
    """Add records that are past their time, spread over accounts, among all that are stored."""
    records = (
        IdempotencyRecord(
            account_id=due[n % len(due)][0], id=IdempotencyRecordId(uuid4()), key=f"due:{uuid4()}", request="",
            expires_at=LONG_AGO + timedelta(seconds=n),
        )
        for n in range(DUE)
    )  # fmt: skip
    await copy(connection, IdempotencyRecord, records, dict(due))


def _note(result: Deleted, took: dict[type, float], *, counted: bool) -> None:
    if counted:
        result.ratios.append(took[ByHand] / took[PostgresStore])
        result.seconds.append(took[PostgresStore])


async def tell(rig: Rig, say: Callable[[Any], None], pairs: int) -> bool:
    """Measure and print it; tell whether the target was met."""
    for one in (made := await deletions(rig.ground, pairs)):
        say(one.line())
    return all(median(one.ratios) >= TARGET for one in made)
