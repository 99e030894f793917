"""The store on PostgreSQL: one account's unit of work, and the few acts that stand outside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from time import monotonic
from weakref import WeakKeyDictionary

import sqlalchemy as sa
import structlog
from typing_extensions import override

from adapters.error_report import report
from adapters.outbound.postgres import erasing, residue
from adapters.outbound.postgres.codec import Keys
from adapters.outbound.postgres.flush import Flush
from adapters.outbound.postgres.limits import PostgresLimits
from adapters.outbound.postgres.pool import Database, NothingLeft
from adapters.outbound.postgres.reading import ACCOUNT, Reader, owned
from adapters.outbound.postgres.renewal import must_be_recent
from adapters.outbound.postgres.repositories.exports import PostgresRecords
from adapters.outbound.postgres.repositories.search import segments_in_memory
from adapters.outbound.postgres.sealing import AccountCipher
from adapters.outbound.postgres.snapshots import Snapshots
from adapters.outbound.postgres.statements import compiled
from adapters.outbound.postgres.tables import SEALED_UNDER
from adapters.outbound.postgres.tx import PostgresTx
from application.ports.ids import Ids
from application.ports.jobs import JobLease
from application.ports.keyring import AccountKey, Ending, KeyGone, Keyring, KeysUnavailable
from application.ports.limits import Charge
from application.ports.store import Store, VersionConflict
from application.unit_of_work import RetriedUpdates
from domain.accounts import Account
from domain.erasure import Erasure
from domain.kernel import AccountId, Aggregate
from domain.residue import Residue

log = structlog.get_logger()
UNDER = compiled(sa.select(SEALED_UNDER).where(owned(Account)), ACCOUNT)
"""Under which of its two keys what is written for an account is to be sealed, while it has two."""


class CipherCache:
    """Working keys, each kept exactly as long as the keyring keeps the account's key that it was derived from."""

    def __init__(self, environment: str) -> None:
        self._environment = environment
        self._kept = WeakKeyDictionary[AccountKey, AccountCipher]()

    @property
    def kept(self) -> int:
        """How many there are now."""
        return len(self._kept)

    def open(self, account_id: AccountId, key: AccountKey, other: AccountKey | None = None) -> AccountCipher:
        """Return the cipher of this account under this very key, which opens what is under the `other` as well."""
        cipher = self._kept.get(key)
        if cipher is None:
            cipher = self._kept[key] = AccountCipher(self._environment, account_id, key, other)
        return cipher


class PostgresStore(RetriedUpdates[PostgresTx], Store):
    """`Store` on a migrated database. `environment` keeps the ciphertexts of one installation out of another."""

    def __init__(self, database: Database, keyring: Keyring, ids: Ids, *, environment: str) -> None:
        self._database = database
        self._keyring = keyring
        self._ids = ids
        self._ciphers = CipherCache(environment)
        self._segments = segments_in_memory()
        self._snapshots = Snapshots(database.dsn)
        database.beside.append(self._snapshots.close)

    @override
    @asynccontextmanager
    async def begin(
        self, account_id: AccountId, *, completing: JobLease | None = None
    ) -> AsyncIterator[PostgresTx]:
        # Keys come first: no connection is held while the keyring is asked.
        keys = await self._keys(account_id)
        tx = PostgresTx(self._ids, self._database, account_id, keys, self._segments)
        yield tx
        flush = Flush(tx, tx.reader, completing, await self._taking(tx.charge))
        if flush.shape:
            asked_at = monotonic()
            await self._send(flush, tx.charge)
            flush.committed()
            if completing is not None:
                self._database.ended.add(completing.job_id)
            if flush.ended:
                await self._note(account_id, flush.ended)
            if any(not job.delay for job in tx.jobs):
                self._database.wake()
            if tx.live:
                self._database.tell(account_id)
            if tx.held is not None:
                must_be_recent(asked_at, tx.held.lasts)

    async def _taking(self, charge: Charge | None) -> Sequence[object]:
        """Return what the flush takes of a limit: nothing that was taken before, or is counted elsewhere."""
        if charge is None or charge.taken:
            return ()
        limits = charge.limits
        if isinstance(limits, PostgresLimits) and limits.can_take_within(self._database, charge):
            return await limits.within_commit(charge)
        await charge.take()
        return ()

    async def _send(self, flush: Flush, charge: Charge | None) -> None:
        try:
            await self._database.fetch(flush.text, *flush.values)
        except NothingLeft:
            if charge is None:
                raise
        else:
            return
        await charge.take()  # by itself, which tells how long to wait; or something was given back meanwhile
        raise VersionConflict

    async def _note(self, account_id: AccountId, endings: Sequence[Ending]) -> None:
        """Have the keyring remember what is over. The commit stands without it: then only an alarm tells."""
        try:
            await self._keyring.note_endings(account_id, endings)
        except KeyGone:
            return  # erased at this moment, with all that could come back
        except KeysUnavailable as error:
            report(error, "endings not noted", account=str(account_id), rows=len(endings))

    @override
    @asynccontextmanager
    async def snapshot(self, account_id: AccountId) -> AsyncIterator[PostgresRecords]:
        keys = await self._keys(account_id)
        async with self._snapshots.open() as moment:
            yield PostgresRecords(Reader(moment, account_id, keys, {}))

    async def _keys(self, account_id: AccountId) -> Keys:
        key = await self._keyring.open(account_id)
        system = await self._keyring.system("index")
        if (former := key.former) is None:
            return Keys(self._ciphers.open(account_id, key), system)
        row = await self._database.first(UNDER, account_id)
        pair = (key, former) if row is None or row[0] >= key.version else (former, key)
        return Keys(self._ciphers.open(account_id, *pair), system, turning=True)

    @override
    async def count_rows(self, account_id: AccountId) -> dict[str, int]:
        return await erasing.count_rows(self._database, account_id)

    @override
    async def delete_rows(self, account_id: AccountId) -> dict[str, int]:
        return await erasing.delete_rows(self._database, account_id)

    @override
    async def erasure(self, account_id: AccountId) -> Erasure | None:
        key = await self._keyring.system("index")
        return await erasing.checkpoint_of(self._database, key, account_id)

    @override
    async def checkpoint(self, erasure: Erasure) -> None:
        await erasing.checkpoint(self._database, await self._keyring.system("index"), erasure)

    @override
    async def forget_erasure(self, account_id: AccountId) -> None:
        await erasing.forget(self._database, account_id)

    @override
    async def residue(self, account_id: AccountId, after: Residue | None, limit: int) -> list[Residue]:
        key = await self._keyring.system("index")
        return await residue.read(self._database, key, account_id, after, limit)

    @override
    async def add_residue(self, entries: Sequence[Residue]) -> None:
        await residue.write(self._database, await self._keyring.system("index"), entries, over=False)

    @override
    async def save_residue(self, entries: Sequence[Residue]) -> None:
        await residue.write(self._database, await self._keyring.system("index"), entries, over=True)

    @override
    async def purge(self, kind: type[Aggregate], since: str, until: datetime, limit: int) -> int:
        return await erasing.purge_by(kind, since)(self._database, until, limit)
