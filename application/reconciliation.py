"""The use case that compares what a carrier holds for a line with what we hold, in case its webhooks were missed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from application.call_reconciliation import RECONCILE_CALLS
from application.carrier_copies import delete_verified
from application.hold import HoldOfJob
from application.inbound_messages import InboundMessage, ReceiveMessage, was_taken_in
from application.job_type import JobType, Provider
from application.line_check import CHECK_LINE
from application.ports.clock import Clock
from application.ports.directory import Lease
from application.ports.jobs import Job, JobLease, Queue
from application.ports.message_carrier import ListedCopy, MessageCarrier
from application.ports.store import Store, Tx
from domain.kernel import AccountId, CarrierRef, LineId
from domain.lines import LineActivated, PhoneLine

RECONCILE_LINE = "reconcile_line"
EVERY = timedelta(hours=6)
SETTLED_AFTER = timedelta(hours=1)
"""Younger messages are left to the webhooks, which a carrier repeats, and to the jobs that follow from them."""


@dataclass(frozen=True, slots=True)
class ReconcileLine:
    """Takes in what a line missed, and deletes copies of what its person has deleted; then again after a while.

    What it does not understand it leaves alone: messages from before the lease above all.
    """

    store: Store
    queue: Queue
    carrier: MessageCarrier
    clock: Clock
    receive_message: ReceiveMessage

    async def __call__(self, account_id: AccountId, line_id: LineId, lease: JobLease) -> None:
        """Compare. Raises CarrierUnavailable, NotYetGone: to be tried again. Repeating is harmless."""
        abilities = self.carrier.message_abilities
        async with self.store.begin(account_id) as tx:
            line = await tx.lines.get(line_id)
        if not (line.may_be_lost and abilities.can_list):
            return
        if line.takes_messages_in:
            listed = await self._settled(line)
            for copy in listed:
                if copy.is_inbound:
                    await self._take_in(line, copy)
            if abilities.can_delete_copies:
                deleted = await self._deleted_here(line, listed)
                await delete_verified(self.carrier, deleted, HoldOfJob(self.queue, account_id, lease))

        async def change(tx: Tx) -> None:
            tx.queue(Job(CHECK_LINE, account_id, line_id))
            tx.queue(Job(RECONCILE_CALLS, account_id, line_id))
            tx.queue(Job(RECONCILE_LINE, account_id, line_id, EVERY))

        await self.store.update(account_id, change, completing=lease)

    async def _settled(self, line: PhoneLine) -> list[ListedCopy]:
        """List the copies that belong to this lease and are no news any more."""
        since = line.created_at.replace(microsecond=0)  # carriers date by the second
        until = self.clock.now() - SETTLED_AFTER
        return [copy for copy in await self.carrier.list_copies(line.number) if since <= copy.at <= until]

    async def _take_in(self, line: PhoneLine, copy: ListedCopy) -> None:
        """Receive a message, unless we hold it or have held it."""
        if not await was_taken_in(self.store, line.account_id, copy.ref):
            lease = Lease(line.account_id, line.id)
            message = InboundMessage(
                copy.ref, line.number, copy.peer, copy.body, attachments=copy.attachments
            )
            await self.receive_message.accept(lease, message)

    async def _deleted_here(self, line: PhoneLine, listed: Iterable[ListedCopy]) -> list[CarrierRef]:
        """Return those whose message we have deleted, or whose copy we took for deleted.

        A sent one that nobody knows is of a deleted message, once an answer that got lost has been given up.
        """
        lost_until = self.clock.now() - self.carrier.message_abilities.messages_live_for - SETTLED_AFTER
        deleted = []
        for copy in listed:
            async with self.store.begin(line.account_id) as tx:
                held = await tx.messages.by_ref(copy.ref)
            if held is not None:
                gone = held.copy_deleted_at is not None
            elif copy.is_inbound:
                gone = await was_taken_in(self.store, line.account_id, copy.ref)
            else:
                gone = copy.at <= lost_until
            deleted += [copy.ref] if gone else []
        return deleted


JOBS = (
    JobType(
        RECONCILE_LINE,
        ReconcileLine,
        after={LineActivated: SETTLED_AFTER},
        attempts=None,
        asks=Provider.CARRIER,
    ),
)
