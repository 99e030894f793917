"""Use cases of blocking: a number is heard no more, and what it sends leaves nothing behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from application.opt_outs import keep_opt_out
from application.paging import Page
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.repositories.conversations import MessagingContext
from application.ports.store import Store, Tx
from domain.blocked_numbers import MOST_BLOCKED, BlockedNumber, BlockedNumberId, TooManyBlocked
from domain.kernel import AccountId, CarrierRef, MessageId, NotFound
from domain.keywords import OptOut
from domain.messages import Message
from domain.values import Peer, PhoneNumber


@dataclass(frozen=True, slots=True)
class BlockNumber:
    """Blocks a number on every line."""

    store: Store
    clock: Clock
    ids: Ids

    async def __call__(self, account_id: AccountId, number: PhoneNumber) -> BlockedNumber:
        """Return the block. What arrives after that is not kept. Repeating is harmless. Raises TooManyBlocked."""

        async def change(tx: Tx) -> BlockedNumber:
            if (blocked := await tx.blocked_numbers.find(number)) is not None:
                return blocked
            if await tx.blocked_numbers.count() >= MOST_BLOCKED:
                raise TooManyBlocked
            blocked = BlockedNumber(
                account_id=account_id, id=BlockedNumberId(self.ids.new()), number=number, blocked_at=self.clock.now()
            )  # fmt: skip
            blocked.added()
            tx.save(blocked)
            return blocked

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class UnblockNumber:
    """Takes a number off the list."""

    store: Store
    clock: Clock

    async def __call__(self, account_id: AccountId, number: PhoneNumber) -> None:
        """Unblock it. What it sent meanwhile is gone. Raises NotFound, also when repeated."""

        async def change(tx: Tx) -> None:
            blocked = await tx.blocked_numbers.find(number)
            if blocked is None:
                raise NotFound
            blocked.deleted(self.clock.now())
            tx.remove(blocked)

        await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class ListBlockedNumbers:
    """Pages through blocked numbers, newest first."""

    store: Store

    async def __call__(
        self, account_id: AccountId, before: BlockedNumberId | None, limit: int
    ) -> Page[BlockedNumber, BlockedNumberId]:
        """Return a page of up to `limit`. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            found = await tx.blocked_numbers.page(before, limit + 1)
        items = found[:limit]
        return Page(items, items[-1].id if len(found) > limit else None)


async def pass_over(
    tx: Tx,
    ids: Ids,
    context: MessagingContext,
    peer: Peer,
    ref: CarrierRef,
    opt_out: OptOut | None,
    at: datetime,
) -> None:
    """Take in a message of a blocked number as one that is deleted already: a job has the carrier's copy deleted.

    All that counts of it is a STOP or START, which the law has us heed whoever says it.
    """
    line, conversation = context.line, context.conversation
    if conversation is not None and opt_out is not None:
        conversation.heed(opt_out, at)
        tx.save(conversation)
    elif opt_out is OptOut.STOP:
        await keep_opt_out(tx, ids, line.id, peer, at)
    elif opt_out is OptOut.START and context.opt_out is not None:
        tx.remove(context.opt_out)
    tx.require_unchanged(line)
    tx.save(Message.deleted_on_arrival(line.account_id, MessageId(ids.new()), line.id, ref, at))
