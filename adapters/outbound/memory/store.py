"""A store in memory: private copies going out, pending writes coming in, each commit one step that nobody can split."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from typing_extensions import override

from adapters.outbound.memory.audit_log import MemoryAuditLog
from adapters.outbound.memory.claims import Claim, claims
from adapters.outbound.memory.queue import MemoryQueue
from adapters.outbound.memory.repositories.exports import MemoryRecords
from adapters.outbound.memory.rows import UNREADABLE, Loaded, Rows, copied, identity
from adapters.outbound.memory.tx import MemoryTx
from adapters.outbound.memory.webhooks import deliveries_of, job_of
from application.inventory import BY_TYPE, INVENTORY
from application.ports.ids import Ids
from application.ports.jobs import JobLease
from application.ports.keyring import Keyring
from application.ports.store import Store, StoreUnavailable, VersionConflict
from application.unit_of_work import RetriedUpdates
from domain.accounts import Account
from domain.classification import Field
from domain.erasure import Erasure
from domain.kernel import AccountId, Aggregate, CarrierRef
from domain.residue import Holding, Residue


class MemoryStore(RetriedUpdates[MemoryTx], Store):
    """`Store` in dictionaries. Personal values lie here in clear: this is a fake.

    Knobs: `outage` has every method raise StoreUnavailable; `lose_next` has the next commit lose its race
    (VersionConflict); `lose_answer` has the next commit go through and raise StoreUnavailable all the same.
    """

    def __init__(self, keyring: Keyring, queue: MemoryQueue, ids: Ids) -> None:
        """Begin empty. Jobs go to `queue`, in the same step as the rows."""
        self.outage = self.lose_next = self.lose_answer = False
        self.accounts: dict[AccountId, Rows] = {}
        self.claims: dict[Claim, tuple[AccountId, UUID]] = {}
        self.erasures: dict[AccountId, Erasure] = {}
        self.residues = defaultdict[AccountId, dict[tuple[Holding, CarrierRef], Residue]](dict)
        self.audit_log = MemoryAuditLog(self.answer)
        """The public half of the audit log."""
        self.listeners: set[Callable[[AccountId], None]] = set()
        """Called when live events of an account were committed."""
        self._keyring, self._queue, self._ids = keyring, queue, ids

    @override
    @asynccontextmanager
    async def begin(
        self, account_id: AccountId, *, completing: JobLease | None = None
    ) -> AsyncIterator[MemoryTx]:
        await self.answer()
        await self._keyring.open(account_id)
        loaded = Loaded(self.rows(account_id), self.answer, [])
        tx = MemoryTx(account_id=account_id, ids=self._ids, loaded=loaded)
        yield tx
        if tx.charge is not None:
            await tx.charge.take()
        await self.answer()
        self._commit(tx, completing)
        if self.lose_answer:
            self.lose_answer = False
            raise StoreUnavailable

    @override
    @asynccontextmanager
    async def snapshot(self, account_id: AccountId) -> AsyncIterator[MemoryRecords]:
        await self.answer()
        await self._keyring.open(account_id)
        moment = {kind: dict(rows) for kind, rows in self.rows(account_id).items()}
        yield MemoryRecords(Loaded(moment, self.answer, []))

    @override
    async def count_rows(self, account_id: AccountId) -> dict[str, int]:
        await self.answer()
        rows = self.rows(account_id)
        counts = {stored.name: len(rows[stored.of]) for stored in INVENTORY}
        return {**counts, "jobs": self._queue.count(account_id)}

    @override
    async def delete_rows(self, account_id: AccountId) -> dict[str, int]:
        counted = await self.count_rows(account_id)
        for rows in self.rows(account_id).values():
            for row in rows.values():
                self._unclaim(row)
            rows.clear()
        self._queue.delete(account_id)
        return counted

    @override
    async def erasure(self, account_id: AccountId) -> Erasure | None:
        await self.answer()
        return self.erasures.get(account_id)

    @override
    async def checkpoint(self, erasure: Erasure) -> None:
        await self.answer()
        self.erasures[erasure.account_id] = erasure

    @override
    async def forget_erasure(self, account_id: AccountId) -> None:
        await self.answer()
        self.erasures.pop(account_id, None)
        self.residues.pop(account_id, None)

    @override
    async def residue(self, account_id: AccountId, after: Residue | None, limit: int) -> list[Residue]:
        await self.answer()
        listed = self.residues.get(account_id, {})
        return [listed[key] for key in sorted(listed) if after is None or key > (after.holding, after.ref)][
            :limit
        ]

    @override
    async def add_residue(self, entries: Sequence[Residue]) -> None:
        await self.answer()
        for entry in entries:
            self.residues[entry.account_id].setdefault((entry.holding, entry.ref), entry)

    @override
    async def save_residue(self, entries: Sequence[Residue]) -> None:
        await self.answer()
        for entry in entries:
            self.residues[entry.account_id][entry.holding, entry.ref] = entry

    @override
    async def purge(self, kind: type[Aggregate], since: str, until: datetime, limit: int) -> int:
        await self.answer()
        every = (row for rows in self.accounts.values() for row in rows[kind].values())
        due = [row for row in every if (began := getattr(row, since)) is not None and began <= until]
        purged = sorted(due, key=lambda row: cast("datetime", getattr(row, since)))[:limit]
        for row in purged:
            del self.accounts[getattr(row, BY_TYPE[kind].owner)][kind][identity(row)]
            self._unclaim(row)
        return len(purged)

    async def answer(self) -> None:
        """Give others their turn, as a real store would. Raises StoreUnavailable during an outage."""
        await asyncio.sleep(0)
        if self.outage:
            raise StoreUnavailable

    def rows(self, account_id: AccountId) -> Rows:
        """Return everything this account has."""
        if account_id not in self.accounts:
            self.accounts[account_id] = {stored.of: {} for stored in INVENTORY}
        return self.accounts[account_id]

    # One step: nothing below waits for anything, and nothing is written before everything was checked.

    def _commit(self, tx: MemoryTx, completing: JobLease | None) -> None:
        if self.lose_next:
            self.lose_next = False
            raise VersionConflict
        kept = (aggregate for aggregate in tx.saved if not any(aggregate is r for r in tx.removed))
        merged = [(aggregate, self._merged(tx, aggregate)) for aggregate in kept]
        changed = [(aggregate, row) for aggregate, row in merged if row != self._row(tx, aggregate)]
        saved = [row for _, row in changed]
        removed = [self._current(tx, aggregate) for aggregate in tx.removed] + tx.parts_to_remove()
        for aggregate in tx.required_unchanged:
            self._current(tx, aggregate)
        self._check_claims(tx, saved, removed)
        self._check_life(tx, saved)
        told = deliveries_of(tx.loaded.rows, tx.live, self._ids)
        if tx.held is not None:
            self._queue.must_hold(tx.held, tx.account_id)
        if completing is not None:
            self._queue.end(completing, tx.account_id)
        for row in removed:
            del tx.loaded.rows[type(row)][identity(row)]
            self._unclaim(row)
        for row in (*saved, *tx.audit, *tx.live, *told):
            self._put(tx, row)
        for aggregate, row in changed:
            aggregate.version = row.version
        self.audit_log.add(tx.audit)
        self._queue.put([*tx.jobs, *map(job_of, told)])
        if tx.live:
            for listener in self.listeners:
                listener(tx.account_id)

    def _row(self, tx: MemoryTx, aggregate: Aggregate) -> Aggregate | None:
        """Return the row as it stands, None when there is none. Raises VersionConflict when its version moved on."""
        if getattr(aggregate, BY_TYPE[type(aggregate)].owner) != tx.account_id:
            raise ValueError("This belongs to another account.")
        row = tx.loaded.rows[type(aggregate)].get(identity(aggregate))
        if aggregate.version != (row.version if row else 0):
            raise VersionConflict
        return row

    def _current(self, tx: MemoryTx, aggregate: Aggregate) -> Aggregate:
        """Return the row as it stands. Raises VersionConflict when it changed or went since it was read."""
        row = self._row(tx, aggregate)
        if row is None:
            raise VersionConflict
        return row

    def _merged(self, tx: MemoryTx, aggregate: Aggregate) -> Aggregate:
        """Return the row as it would be afterwards.

        Its version is higher only if more changed than relative fields, or a count was emptied.
        """
        row = self._row(tx, aggregate)
        if row is None:
            return copied(aggregate, version=1)
        unreadable = [name for name in UNREADABLE[type(aggregate)] if getattr(aggregate, name) is None]
        merged = copied(aggregate, **{name: getattr(row, name) for name in unreadable})
        original = tx.loaded.original(aggregate)
        relative = [field for field in BY_TYPE[type(aggregate)].columns if field.policy.relative]
        if original is not None:
            moved = {field.name: _moved(field, row, original, aggregate) for field in relative}
            merged = copied(merged, **moved)
        as_before = {field.name: getattr(row, field.name) for field in relative}
        decided = copied(merged, **as_before) != row or any(
            original is not None and getattr(aggregate, field.name) == 0 != getattr(original, field.name)
            for field in relative
        )
        return copied(merged, version=row.version + 1) if decided else merged

    def _check_life(self, tx: MemoryTx, saved: list[Aggregate]) -> None:
        """Raise VersionConflict when something new would join an account that was erased meanwhile."""
        accounts = tx.loaded.rows[Account] or any(isinstance(row, Account) for row in saved)
        if not accounts and (tx.audit or tx.live or tx.jobs or any(row.version == 1 for row in saved)):
            raise VersionConflict

    def _check_claims(self, tx: MemoryTx, saved: list[Aggregate], removed: list[Aggregate]) -> None:
        """Raise VersionConflict when a row claims what another one has."""
        replaced = (tx.loaded.rows[type(row)].get(identity(row)) for row in saved)
        freed = {claimed for row in (*replaced, *removed) if row for claimed in claims(row)}
        wanted = [claimed for row in saved for claimed in claims(row)]
        if len(set(wanted)) < len(wanted) or any(
            claimed in self.claims and claimed not in freed for claimed in wanted
        ):
            raise VersionConflict

    def _put(self, tx: MemoryTx, row: Aggregate) -> None:
        rows = tx.loaded.rows[type(row)]
        if former := rows.get(identity(row)):
            self._unclaim(former)
        rows[identity(row)] = row
        for claimed in claims(row):
            self.claims[claimed] = tx.account_id, identity(row)

    def _unclaim(self, row: Aggregate) -> None:
        for claimed in claims(row):
            self.claims.pop(claimed, None)


def _moved(field: Field, row: Aggregate, original: Aggregate, changed: Aggregate) -> Any:  # noqa: ANN401 - an int or an instant
    """Return a relative field as the row has it, moved by what this unit of work did to it."""
    stands, before, after = (getattr(one, field.name) for one in (row, original, changed))
    return max(stands + (after - before), 0) if field.type is int else max(stands, after)
