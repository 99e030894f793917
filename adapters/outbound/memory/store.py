"""A store in memory: private copies going out, pending writes coming in, each commit one step that nobody can split."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import cast
from uuid import UUID

from adapters.outbound.memory.queue import MemoryQueue
from adapters.outbound.memory.tx import INDEXED, A, MemoryTx, Rows, copied, identity
from application.inventory import BY_TYPE, INVENTORY
from application.ports.keyring import Keyring
from application.ports.store import StoreUnavailable, VersionConflict
from application.ports.system import Ids
from domain.accounts import Account
from domain.erasure import Erasure
from domain.exports import ExportPart
from domain.idempotency import IdempotencyRecord
from domain.kernel import AccountId, Aggregate, AuditId
from domain.lines import HOLDING, PhoneLine
from domain.messages import Conversation, Message
from domain.sessions import Session

Claim = tuple[object, ...]


def claim(row: Aggregate) -> Claim | None:
    """Return what only one row may have at a time, if this one has such a thing."""
    claimed: Claim | None = None
    match row:
        case Account():
            claimed = "address", row.email.canonical
        case Session():
            claimed = "token", row.token
        case PhoneLine() if row.state in HOLDING:
            claimed = "number", row.number
        case Conversation(deleted_at=None):
            claimed = "peer", row.line_id, row.peer
        case Message() if row.ref is not None:
            claimed = "ref", row.account_id, row.ref
        case IdempotencyRecord():
            claimed = "operation", row.account_id, row.key
        case ExportPart():
            claimed = "part", row.export_id, row.position
    return claimed


class MemoryStore:
    """`Store` in dictionaries. Personal values lie here in clear: this is a fake.

    Knobs: `outage` has every method raise StoreUnavailable; `lose_next` has the next commit lose its race
    (VersionConflict);
    `lose_answer` has the next commit go through and raise StoreUnavailable all the same.
    """

    def __init__(self, keyring: Keyring, queue: MemoryQueue, ids: Ids) -> None:
        """Begin empty. Jobs go to `queue`, in the same step as the rows."""
        self.outage = self.lose_next = self.lose_answer = False
        self.accounts: dict[AccountId, Rows] = {}
        self.claims: dict[Claim, tuple[AccountId, UUID]] = {}
        self.erasures: dict[AccountId, Erasure] = {}
        self.audit_log: dict[AuditId, bytes] = {}
        """The public half of the audit log: commitments by entry."""
        self._keyring, self._queue, self._ids = keyring, queue, ids

    @asynccontextmanager
    async def begin(self, account_id: AccountId, *, completing: int | None = None) -> AsyncIterator[MemoryTx]:
        """See `Store.begin`."""
        await self.answer()
        await self._keyring.open(account_id)
        tx = MemoryTx(
            ids=self._ids, account_id=account_id, rows_by_type=self.rows(account_id), answer=self.answer
        )
        yield tx
        await self.answer()
        self._commit(tx, completing)
        if self.lose_answer:
            self.lose_answer = False
            raise StoreUnavailable

    async def count_rows(self, account_id: AccountId) -> dict[str, int]:
        """See `Store.count_rows`."""
        await self.answer()
        rows = self.rows(account_id)
        return {stored.name: len(rows[stored.of]) for stored in INVENTORY} | {
            "jobs": self._queue.count(account_id)
        }

    async def delete_rows(self, account_id: AccountId) -> dict[str, int]:
        """See `Store.delete_rows`."""
        counted = await self.count_rows(account_id)
        for rows in self.rows(account_id).values():
            for row in rows.values():
                self._let_go(row)
            rows.clear()
        self._queue.delete(account_id)
        return counted

    async def erasure(self, account_id: AccountId) -> Erasure | None:
        """See `Store.erasure`."""
        await self.answer()
        return self.erasures.get(account_id)

    async def checkpoint(self, erasure: Erasure) -> None:
        """See `Store.checkpoint`."""
        await self.answer()
        known = self.erasures.get(erasure.account_id)
        if known is None or not known.ahead_of(erasure):
            self.erasures[erasure.account_id] = erasure

    async def forget_erasure(self, account_id: AccountId) -> None:
        """See `Store.forget_erasure`."""
        await self.answer()
        self.erasures.pop(account_id, None)

    async def purge_sessions(self, revoked_before: datetime, limit: int) -> int:
        """See `Store.purge_sessions`."""
        return await self._purge(
            Session,
            lambda session: session.revoked_at is not None and session.revoked_at <= revoked_before,
            limit,
        )

    async def purge_idempotency_records(self, expired_before: datetime, limit: int) -> int:
        """See `Store.purge_idempotency_records`."""
        return await self._purge(IdempotencyRecord, lambda once: once.expires_at <= expired_before, limit)

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

    def _commit(self, tx: MemoryTx, completing: int | None) -> None:
        if self.lose_next:
            self.lose_next = False
            raise VersionConflict
        kept = (aggregate for aggregate in tx.saved if not any(aggregate is r for r in tx.removed))
        changed = [aggregate for aggregate in kept if self._differs(tx, aggregate)]
        saved = [self._merged(tx, aggregate) for aggregate in changed]
        removed = [self._current(tx, aggregate) for aggregate in tx.removed] + tx.parts_to_remove()
        for aggregate in tx.required_unchanged:
            self._current(tx, aggregate)
        self._check_claims(tx, saved, removed)
        self._check_life(tx, saved)
        if completing is not None:
            self._queue.end(completing, tx.account_id)
        for row in removed:
            del tx.rows_by_type[type(row)][identity(row)]
            self._let_go(row)
        for row in (*saved, *tx.audit):
            self._put(tx, row)
        for aggregate in changed:
            aggregate.version += 1
        self.audit_log |= {entry.id: entry.commitment for entry in tx.audit}
        self._queue.put(tx.jobs)

    def _row(self, tx: MemoryTx, aggregate: Aggregate) -> Aggregate | None:
        """Return the row as it stands, None when there is none.

        Raises VersionConflict when it changed since it was read.
        """
        if getattr(aggregate, BY_TYPE[type(aggregate)].owner) != tx.account_id:
            raise ValueError("This belongs to another account.")
        row = tx.rows_by_type[type(aggregate)].get(identity(aggregate))
        if aggregate.version != (row.version if row else 0):
            raise VersionConflict
        return row

    def _current(self, tx: MemoryTx, aggregate: Aggregate) -> Aggregate:
        """Return the row as it stands. Raises VersionConflict when it changed or went since it was read."""
        row = self._row(tx, aggregate)
        if row is None:
            raise VersionConflict
        return row

    def _differs(self, tx: MemoryTx, aggregate: Aggregate) -> bool:
        """Tell whether there is anything to write. What did not change is only relied on."""
        row = self._row(tx, aggregate)
        return row is None or replace(self._merged(tx, aggregate), version=row.version) != row

    def _merged(self, tx: MemoryTx, aggregate: Aggregate) -> Aggregate:
        """Return what is to be stored: fields that are never read back stay as they were."""
        row = tx.rows_by_type[type(aggregate)].get(identity(aggregate))
        unread = [name for name in INDEXED[type(aggregate)] if getattr(aggregate, name) is None]
        kept = {name: getattr(row, name) for name in unread if row}
        return copied(aggregate, version=aggregate.version + 1, **kept)

    def _check_life(self, tx: MemoryTx, saved: list[Aggregate]) -> None:
        """Raise VersionConflict when something new would join an account that was erased meanwhile."""
        accounts = tx.rows_by_type[Account] or any(isinstance(row, Account) for row in saved)
        if not accounts and (tx.audit or tx.jobs or any(row.version == 1 for row in saved)):
            raise VersionConflict

    def _check_claims(self, tx: MemoryTx, saved: list[Aggregate], removed: list[Aggregate]) -> None:
        """Raise VersionConflict when a row claims what another one has."""
        replaced = (tx.rows_by_type[type(row)].get(identity(row)) for row in saved)
        freed = {claim(row) for row in (*replaced, *removed) if row}
        wanted = [claimed for row in saved if (claimed := claim(row))]
        if len(set(wanted)) < len(wanted) or any(
            claimed in self.claims and claimed not in freed for claimed in wanted
        ):
            raise VersionConflict

    def _put(self, tx: MemoryTx, row: Aggregate) -> None:
        rows = tx.rows_by_type[type(row)]
        if former := rows.get(identity(row)):
            self._let_go(former)
        rows[identity(row)] = row
        if claimed := claim(row):
            self.claims[claimed] = tx.account_id, identity(row)

    def _let_go(self, row: Aggregate) -> None:
        if claimed := claim(row):
            self.claims.pop(claimed, None)

    async def _purge(self, of: type[A], due: Callable[[A], bool], limit: int) -> int:
        await self.answer()
        every = (row for rows in self.accounts.values() for row in cast("Iterable[A]", rows[of].values()))
        purged = list(islice((row for row in every if due(row)), limit))
        for row in purged:
            del self.accounts[getattr(row, BY_TYPE[of].owner)][of][identity(row)]
            self._let_go(row)
        return len(purged)
