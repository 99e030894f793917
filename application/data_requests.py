"""Use cases of the desk for requests that arrive by letter: note, show, close; and remember what is due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from application.ports.clock import Clock
from application.ports.data_requests import DataRequests
from application.ports.ids import Ids
from application.ports.keyring import KeyGone
from application.ports.store import Store, Tx
from application.purge import Purge, PurgeResult
from domain.data_requests import (
    LATE,
    URGENT,
    DataRequest,
    DataRequestAnswered,
    DataRequestId,
    DataRequestKind,
    DataRequestNoted,
    DataRequestOpen,
    DataRequestOutcome,
    NotReceivedYet,
)
from domain.kernel import AccountId, Event, NotFound
from domain.retention import Retention

LOOK_EVERY = timedelta(hours=1)
"""How often somebody is told of what waits."""


@dataclass(frozen=True, slots=True)
class OpenDataRequest:
    """Notes a request that came by letter, and in the account's audit log that it did."""

    data_requests: DataRequests
    store: Store
    ids: Ids
    clock: Clock

    async def __call__(
        self, kind: DataRequestKind, account_id: AccountId | None, received_at: datetime | None
    ) -> DataRequest:
        """Return it, with its due day. `account_id` is None where it is about no account, `received_at` for just now.

        Raises NotReceivedYet, NotFound for no account of ours, and DataRequestOpen where the same is open already.
        A crash may leave an entry in the audit log without a request, never the other way about.
        """
        now = self.clock.now()
        if received_at is not None and received_at > now:
            raise NotReceivedYet
        request = DataRequest(id=DataRequestId(self.ids.new()), kind=kind, received_at=received_at or now)
        if account_id is not None:
            if any(one.is_open and one.kind is kind for one in await self.data_requests.of(account_id)):
                raise DataRequestOpen
            noted = DataRequestNoted(account_id=account_id, subject=request.id, at=now)
            if not await audited(self.store, noted):
                raise NotFound
        await self.data_requests.add(request, account_id or request.id)
        return request


@dataclass(frozen=True, slots=True)
class ListDataRequests:
    """Shows those who answer letters what there is to answer."""

    data_requests: DataRequests

    async def __call__(self) -> Sequence[DataRequest]:
        """Return all that is kept, the one that is due next first, and those that are closed last."""
        found = await self.data_requests.all()
        return sorted(found, key=lambda one: (not one.is_open, one.due_on, one.received_at))


@dataclass(frozen=True, slots=True)
class CloseDataRequest:
    """Notes how a request ended. What was asked for is done by other means, before."""

    data_requests: DataRequests
    store: Store
    clock: Clock

    async def __call__(
        self, request_id: DataRequestId, account_id: AccountId | None, outcome: DataRequestOutcome
    ) -> DataRequest:
        """Return it. Raises NotFound where there is none by this id about this account, and DataRequestClosed.

        The account may be gone by now: it was erased, if that was asked for.
        """
        about, now = account_id or request_id, self.clock.now()
        found = [one for one in await self.data_requests.of(about) if one.id == request_id]
        if not found:
            raise NotFound
        closed = found[0].closed(outcome, now)
        if account_id is not None:
            await audited(self.store, DataRequestAnswered(account_id=account_id, subject=request_id, at=now))
        await self.data_requests.close(closed, about)
        return closed


async def audited(store: Store, event: Event) -> bool:
    """Have the account's audit log say that this happened; return whether there is such an account."""

    async def change(tx: Tx) -> None:
        account = await tx.accounts.get_even_broken()
        account.record(event)
        tx.save(account)

    try:
        await store.update(event.account_id, change)
    except (NotFound, KeyGone):
        return False
    return True


@dataclass(slots=True)
class WatchDataRequests(Purge):
    """Deletes requests whose time is over (clause T13), and raises the alarm about those that wait (clause Q2)."""

    name: ClassVar[str] = "data_requests"

    data_requests: DataRequests
    retention: Retention
    looked_at: datetime | None = field(default=None, init=False)
    """When this process looked for what waits last."""

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        """Delete up to `limit`, and once an hour count what waits too long as failed. Repeating is harmless."""
        failed = Counter[str]()
        if self.looked_at is None or now >= self.looked_at + LOOK_EVERY:
            self.looked_at = now
            waiting = await self.data_requests.all()
            failed[URGENT] += sum(one.is_urgent(now) for one in waiting)
            failed[LATE] += sum(one.is_late(now) for one in waiting)
        cutoff = self.retention.closed_data_request.cutoff(now)
        return PurgeResult(await self.data_requests.purge(cutoff, limit), +failed)
