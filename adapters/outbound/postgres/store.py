"""The store on PostgreSQL: one account's unit of work, and the few acts that stand outside it."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from adapters.outbound.postgres.codec import Keys
from adapters.outbound.postgres.flush import Flush
from adapters.outbound.postgres.pool import Database
from adapters.outbound.postgres.reads import PostgresTx
from adapters.outbound.postgres.sealing import AccountCipher
from application.inventory import INVENTORY
from application.ports.keyring import AccountKey, Keyring
from application.ports.system import Ids
from domain.erasure import Erasure, Step
from domain.kernel import AccountId

BATCH = 5_000
"""How many rows one statement deletes at most: locks stay short."""

_JOBS = "jobs"
_JOBS_OF = "substring(payload FOR 16) = uuid_send($1)"
_ERASURE = (
    "SELECT account_id, began_at, done::text, texts, numbers, rows, messages_left FROM erasures"
    " WHERE account_id = $1"
)
_CHECKPOINT = """
    INSERT INTO erasures (account_id, began_at, done, texts, numbers, rows, messages_left)
    VALUES ($1, $2, $3::text::step, $4, $5, $6, $7)
    ON CONFLICT (account_id) DO UPDATE SET (began_at, done, texts, numbers, rows, messages_left) =
        (excluded.began_at, excluded.done, excluded.texts, excluded.numbers, excluded.rows, excluded.messages_left)
        WHERE erasures.done IS NULL OR erasures.done <= excluded.done
"""


class CipherCache:
    """Working keys made lately: at most `limit`, each for `seconds`. A destroyed key is not kept beyond that."""

    def __init__(self, environment: str, limit: int = 1024, seconds: float = 300.0) -> None:
        self._environment = environment
        self._limit = limit
        self._seconds = seconds
        self._kept: OrderedDict[AccountId, tuple[float, AccountKey, AccountCipher]] = OrderedDict()

    def open(self, account_id: AccountId, key: AccountKey) -> AccountCipher:
        """Return the cipher of this account under this very key."""
        now = time.monotonic()
        while self._kept and next(iter(self._kept.values()))[0] <= now:  # the oldest come first
            self._kept.popitem(last=False)
        kept = self._kept.get(account_id)
        if kept is not None and kept[1] is key:
            return kept[2]
        cipher = AccountCipher(self._environment, account_id, key)
        self._kept.pop(account_id, None)
        self._kept[account_id] = now + self._seconds, key, cipher
        if len(self._kept) > self._limit:
            self._kept.popitem(last=False)
        return cipher


class PostgresStore:
    """`Store` on a migrated database. `environment` keeps the ciphertexts of one installation out of another."""

    def __init__(self, database: Database, keyring: Keyring, ids: Ids, *, environment: str) -> None:
        self._database = database
        self._keyring = keyring
        self._ids = ids
        self._ciphers = CipherCache(environment)

    @asynccontextmanager
    async def begin(
        self, account_id: AccountId, *, completing: int | None = None
    ) -> AsyncIterator[PostgresTx]:
        """See `Store.begin`. Keys come first: no connection is held while the keyring is asked.

        What was saved as it was read is not written, only relied on.
        """
        cipher = self._ciphers.open(account_id, await self._keyring.open(account_id))
        keys = Keys(cipher, await self._keyring.system("index"))
        tx = PostgresTx(self._ids, self._database, account_id, keys)
        yield tx
        flush = Flush(
            tx, account_id, keys, None if completing is None else (completing, self._database.worker)
        )
        if flush.shape:
            await self._database.fetch(flush.text, *flush.values)
            flush.committed()
            if any(not job.delay for job in tx.jobs):
                self._database.ring()

    async def count_rows(self, account_id: AccountId) -> dict[str, int]:
        """See `Store.count_rows`."""
        tables = [(stored.name, f"{stored.name} WHERE {stored.owner} = $1") for stored in INVENTORY]
        tables.append((_JOBS, f"pgqueuer WHERE {_JOBS_OF}"))
        counts = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {rows}" for name, rows in tables)  # noqa: S608
        return dict(await self._database.fetch(counts, account_id))

    async def delete_rows(self, account_id: AccountId) -> dict[str, int]:
        """See `Store.delete_rows`. The account's own row goes first: no commit can add to it from then on."""
        gone = {}
        for stored in INVENTORY:
            some = f"SELECT id FROM {stored.name} WHERE {stored.owner} = $1 LIMIT {BATCH}"  # noqa: S608 - of constants
            gone[stored.name] = await self._delete_in_batches(
                f"DELETE FROM {stored.name} WHERE {stored.owner} = $1 AND id IN ({some})", account_id  # noqa: S608
            )  # fmt: skip
        gone[_JOBS] = await self._database.execute(f"DELETE FROM pgqueuer WHERE {_JOBS_OF}", account_id)  # noqa: S608
        return gone

    async def _delete_in_batches(self, statement: str, account_id: AccountId) -> int:
        gone = latest = await self._database.execute(statement, account_id)
        while latest == BATCH:
            latest = await self._database.execute(statement, account_id)
            gone += latest
        return gone

    async def erasure(self, account_id: AccountId) -> Erasure | None:
        """See `Store.erasure`."""
        row = await self._database.first(_ERASURE, account_id)
        return row and Erasure(**{**row, "done": row["done"] and Step(row["done"])})

    async def checkpoint(self, erasure: Erasure) -> None:
        """See `Store.checkpoint`."""
        await self._database.execute(
            _CHECKPOINT,
            erasure.account_id, erasure.began_at, erasure.done, erasure.texts, erasure.numbers, erasure.rows,
            erasure.messages_left,
        )  # fmt: skip

    async def forget_erasure(self, account_id: AccountId) -> None:
        """See `Store.forget_erasure`."""
        await self._database.execute("DELETE FROM erasures WHERE account_id = $1", account_id)

    async def purge_sessions(self, revoked_before: datetime, limit: int) -> int:
        """See `Store.purge_sessions`."""
        return await self._purge("sessions", "revoked_at", revoked_before, limit)

    async def purge_idempotency_records(self, expired_before: datetime, limit: int) -> int:
        """See `Store.purge_idempotency_records`."""
        return await self._purge("idempotency_records", "expires_at", expired_before, limit)

    async def _purge(self, table: str, since: str, until: datetime, limit: int) -> int:
        due = f"SELECT account_id, id FROM {table} WHERE {since} <= $1 ORDER BY {since} LIMIT $2 FOR UPDATE SKIP LOCKED"  # noqa: S608
        return await self._database.execute(
            f"DELETE FROM {table} WHERE (account_id, id) IN ({due})", until, limit  # noqa: S608 - of constants
        )  # fmt: skip
