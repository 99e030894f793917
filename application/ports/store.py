"""The store: one account's unit of work, and the few acts that stand outside it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from application.ports.jobs import Job, JobLease
from application.ports.limits import Charge
from application.ports.repositories.accounts import Accounts
from application.ports.repositories.audit_entries import AuditEntries
from application.ports.repositories.blocked_numbers import BlockedNumbers
from application.ports.repositories.calls import Calls
from application.ports.repositories.contacts import Contacts
from application.ports.repositories.conversations import Conversations
from application.ports.repositories.exports import Exports, Records
from application.ports.repositories.greetings import Greetings
from application.ports.repositories.idempotency import IdempotencyRecords
from application.ports.repositories.lines import Lines
from application.ports.repositories.media import MediaRecords
from application.ports.repositories.messages import Messages
from application.ports.repositories.porting import PortRequests
from application.ports.repositories.push import PushTokens
from application.ports.repositories.search import SearchIndex
from application.ports.repositories.sessions import Sessions
from application.ports.repositories.subscriptions import Subscriptions
from application.ports.repositories.voicemail import Voicemails
from application.ports.repositories.webhooks import WebhookDeliveries, WebhookEndpoints
from domain.audit import AuditKind
from domain.erasure import Erasure
from domain.idempotency import Operation
from domain.kernel import AccountId, Aggregate, ErrorKind, PicoError
from domain.residue import Residue

R = TypeVar("R")

SNAPSHOT_SECONDS = 600.0
"""A database keeps, for a snapshot, whatever was deleted or changed since: not for ever."""


class VersionConflict(PicoError):
    """Somebody else committed first; nothing of this attempt was kept."""

    kind = ErrorKind.CONFLICT
    code = "version_conflict"


class StoreUnavailable(PicoError):
    """The store did not answer. Nothing of this attempt is known to be kept."""

    kind = ErrorKind.UNAVAILABLE
    code = "store_unavailable"


class StoreFull(StoreUnavailable):
    """The store's disk is full: it reads, and takes nothing in."""

    kind = ErrorKind.FULL
    code = "store_full"


class JobGone(PicoError):
    """The job was ended before, or its lease has passed to another worker; nothing of this attempt was kept."""

    kind = ErrorKind.CONFLICT
    code = "job_gone"


class Tx(Protocol):
    """One account's unit of work: private copies on reading, one atomic flush at the end."""

    @property
    def accounts(self) -> Accounts:
        """The account itself."""

    @property
    def sessions(self) -> Sessions:
        """Its sessions."""

    @property
    def lines(self) -> Lines:
        """Its phone lines."""

    @property
    def conversations(self) -> Conversations:
        """Its conversations."""

    @property
    def messages(self) -> Messages:
        """Its messages."""

    @property
    def contacts(self) -> Contacts:
        """Its contacts."""

    @property
    def media(self) -> MediaRecords:
        """The pictures of its messages."""

    @property
    def voicemails(self) -> Voicemails:
        """What was left on its lines."""

    @property
    def greetings(self) -> Greetings:
        """What callers of its lines hear."""

    @property
    def blocked_numbers(self) -> BlockedNumbers:
        """The numbers it has blocked."""

    @property
    def calls(self) -> Calls:
        """Its calls."""

    @property
    def port_requests(self) -> PortRequests:
        """The numbers it brings along."""

    @property
    def push_tokens(self) -> PushTokens:
        """The tokens by which its devices are woken."""

    @property
    def webhook_endpoints(self) -> WebhookEndpoints:
        """The addresses that are called when something happens."""

    @property
    def webhook_deliveries(self) -> WebhookDeliveries:
        """What is told to them."""

    @property
    def subscriptions(self) -> Subscriptions:
        """What it pays for."""

    @property
    def search(self) -> SearchIndex:
        """The words of its messages."""

    @property
    def exports(self) -> Exports:
        """Its exports."""

    @property
    def audit_entries(self) -> AuditEntries:
        """What was done to it."""

    @property
    def records(self) -> Records:
        """Everything it has, as the inventory lists it."""

    @property
    def idempotency(self) -> IdempotencyRecords:
        """What its operations came to."""

    def save(self, aggregate: Aggregate) -> None:
        """Insert (version 0) or update what changed; once committed, the aggregate knows its new version.

        Saved as it was read, it must only be unchanged. Its events become audit entries and jobs in the same commit,
        and a delivery, with its job, for each webhook endpoint that was there before and hears of what happened.
        """
        ...

    def remove(self, aggregate: Aggregate) -> None:
        """Delete the row, also when it is saved besides. What is already gone makes the commit a VersionConflict."""
        ...

    def require_unchanged(self, aggregate: Aggregate) -> None:
        """Make the commit a VersionConflict if this aggregate, read but not written, has changed since."""
        ...

    def idempotent(self, operation: Operation, resource_id: UUID, expires_at: datetime) -> None:
        """Put on record that `operation` made `resource_id`. Done meanwhile by another: VersionConflict."""
        ...

    def never_again(self, operation: Operation) -> None:
        """Put on record, for as long as the account is there, that `operation` was done. As above: VersionConflict."""
        ...

    def note(self, kind: AuditKind, subject: UUID, at: datetime) -> None:
        """Put an entry on the audit log about something that changes no aggregate. The account must have a row."""
        ...

    def queue(self, job: Job) -> None:
        """Queue a job that no event calls for."""
        ...

    def take(self, charge: Charge) -> None:
        """Have the commit take this of a limit, or raise the charge's refusal or LimitsUnavailable: one a commit."""
        ...

    def hold(self, lease: JobLease) -> None:
        """Have the commit renew the lease, or raise JobGone when it is another worker's: one a commit.

        A job that writes to a provider right after the commit need not ask `Queue.holds` as well. When the answer came
        too late for that, the commit stands, and StoreUnavailable is raised.
        """
        ...


class Store(Protocol):
    """Every method raises StoreUnavailable when the store does not answer."""

    def begin(
        self, account_id: AccountId, *, completing: JobLease | None = None
    ) -> AbstractAsyncContextManager[Tx]:
        """Open the account's key, then a unit of work for reading. Raises KeyGone.

        What is saved in it is committed once, without another try: use cases write through `update`. On an exception
        it leaves no trace. Raises VersionConflict or JobGone at the end as `update` does.
        """
        ...

    async def update(
        self,
        account_id: AccountId,
        change: Callable[[Tx], Awaitable[R]],
        *,
        completing: JobLease | None = None,
    ) -> R:
        """Run `change` in a unit of work, commit, and return what it returned. Raises KeyGone.

        Aggregates, audit entries and jobs are committed together, and the job under lease `completing`, one of this
        account's, ends in the same commit: JobGone when the lease is no longer held. After a lost race `change` is
        run again on fresh copies; VersionConflict when it keeps losing. On an exception nothing is kept.
        """
        ...

    def snapshot(self, account_id: AccountId) -> AbstractAsyncContextManager[Records]:
        """Open the account's key, then its records as they are at this one moment. Raises KeyGone.

        What is committed later never shows, however long it is read. Only a few are open at a time, each for
        `SNAPSHOT_SECONDS` at most: StoreUnavailable for whoever waits for a place in vain, or reads on after that.
        """
        ...

    async def count_rows(self, account_id: AccountId) -> dict[str, int]:
        """Return how many rows hold this account's id, by table, jobs included (`jobs`). Needs no key.

        The job that erases the account (`ERASURE_JOB`) does not count: it ends when it is done.
        """
        ...

    async def delete_rows(self, account_id: AccountId) -> dict[str, int]:
        """Delete every row of the account by inventory, then its jobs, its `ERASURE_JOB` apart. Needs no key.

        Returns how many went, by table. Any commit for the account is a VersionConflict from then on. Repeating is
        harmless.
        """
        ...

    async def erasure(self, account_id: AccountId) -> Erasure | None:
        """Return how far an unfinished erasure has come. A checkpoint that somebody altered counts as none."""
        ...

    async def checkpoint(self, erasure: Erasure) -> None:
        """Remember how far an erasure has come. Repeating is harmless."""
        ...

    async def forget_erasure(self, account_id: AccountId) -> None:
        """Drop the checkpoint and the residue list of a finished erasure. Repeating is harmless."""
        ...

    async def residue(self, account_id: AccountId, after: Residue | None, limit: int) -> list[Residue]:
        """Return up to `limit` entries of an erasure's residue list after one of them, in an order of the store's own.

        Raises SealBroken when an entry is not as this store wrote it. Needs no key of the account.
        """
        ...

    async def add_residue(self, entries: Sequence[Residue]) -> None:
        """Put entries of one account on the list; what is on it stays as it is. Repeating is harmless."""
        ...

    async def save_residue(self, entries: Sequence[Residue]) -> None:
        """Put entries of one account on the list; what is on it becomes as it is here. Repeating is harmless."""
        ...

    async def purge(self, kind: type[Aggregate], since: str, until: datetime, limit: int) -> int:
        """Delete up to `limit` records of a kind whose instant `since` (a field) is at or before `until`, oldest first.

        Returns how many went. Repeating is harmless. Needs no key.
        """
        ...
