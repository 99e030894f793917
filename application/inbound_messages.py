"""Use cases of what the carrier tells us: messages that come in, and what became of those that went out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from application.blocked_numbers import pass_over
from application.ports.clock import Clock
from application.ports.directory import Directory, Lease
from application.ports.ids import Ids
from application.ports.jobs import WAKE_DEVICE, Job
from application.ports.keyring import KeyGone
from application.ports.repositories.conversations import MessagingContext
from application.ports.store import Store, Tx
from domain.failures import FailureReason
from domain.idempotency import Operation
from domain.kernel import AccountId, CarrierRef, ConversationId, LineId, MediaId, MessageId, NotFound
from domain.keywords import OptOut, opt_out_of
from domain.media import MOST, Media
from domain.messages import Conversation, Sent, Status
from domain.values import MessageBody, Peer, PhoneNumber


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A message as the carrier hands it over, cut down to what Pico keeps.

    `line_id` is the lease that the webhook's address names, where each number has an address of its own: a message
    for the number's former owner names another lease than the present one. Where it does not, `received_at` is the
    instant at which the carrier received the message: one from before the lease was for somebody else.
    """

    ref: CarrierRef
    to: PhoneNumber
    sender: Peer
    body: MessageBody
    opt_out: OptOut | None = None
    attachments: int = 0
    """How many pictures or other files came with it."""
    line_id: LineId | None = None
    received_at: datetime | None = None


def delivery_of(ref: CarrierRef) -> Operation:
    """Return the operation of taking this message in, which happens once."""
    return Operation(f"receive:{ref}")


async def was_taken_in(store: Store, account_id: AccountId, ref: CarrierRef) -> bool:
    """Tell whether this account holds the message with this reference, or has held it. Raises KeyGone."""
    async with store.begin(account_id) as tx:
        held = await tx.messages.by_ref(ref)
        return held is not None or await tx.idempotency.earlier_result(delivery_of(ref)) is not None


@dataclass(frozen=True, slots=True)
class ReceiveMessage:
    """Stores a message for the line that leases its number; a message for anybody else leaves no trace."""

    store: Store
    directory: Directory
    clock: Clock
    ids: Ids

    async def __call__(self, message: InboundMessage) -> None:
        """Store the message. Repeating is harmless: each carrier reference is stored once, whatever became of it.

        Raises KeyGone when the account's key is lost, SealBroken when a row was altered: the message may yet be stored.
        """
        # The address proves whose number it is, and a remembered lease may be over: ask anew, once. Without that proof
        # only our own record counts, as it is now.
        for fresh in (False, True) if message.line_id is not None else (True,):
            lease = await self.directory.line(message.to, fresh=fresh)
            if lease is None:
                return
            async with passing_over_the_erased(self.store, lease, fresh=fresh):
                if message.line_id in {None, lease.line_id} and await self.accept(lease, message):
                    return

    async def accept(self, lease: Lease, inbound: InboundMessage) -> bool:
        """Commit the message to this line. Tell whether the line still leases the number."""
        operation = delivery_of(inbound.ref)

        async def change(tx: Tx) -> bool:
            context = await tx.conversations.context(lease.line_id, inbound.sender, operation)
            context.line.must_be_of(inbound.to)
            if not context.line.holds_number:
                return False
            refused = not context.line.takes_messages_in
            if context.earlier is not None or (refused and not await is_refusing(tx)):
                return True
            if context.line.is_ordering and not await is_active(tx):
                return True  # an active line would be suspended
            if inbound.received_at is not None and not context.line.was_ours_at(inbound.received_at):
                return True
            now, opt_out = self.clock.now(), inbound.opt_out or opt_out_of(inbound.body)
            if refused or context.blocked:
                await pass_over(tx, self.ids, context, inbound.sender, inbound.ref, opt_out, now)
                tx.never_again(operation)
                return True
            conversation = context.conversation or Conversation.open(
                lease.account_id, ConversationId(self.ids.new()), lease.line_id, inbound.sender, now
            )
            if context.opt_out is not None:
                conversation.note_opt_out(context.opt_out.opted_out_at)
                tx.remove(context.opt_out)
            message = conversation.receive(
                MessageId(self.ids.new(after=conversation.last_at)),
                inbound.body,
                inbound.ref,
                opt_out,
                now,
                inbound.attachments,
            )
            tx.require_unchanged(context.line)
            tx.save(conversation)
            tx.save(message)
            for position in range(min(inbound.attachments, MOST)):
                media_id = MediaId(self.ids.new())
                tx.save(Media.expect(lease.account_id, media_id, message.id, position, now))
            _wake_devices(tx, context, now)
            tx.never_again(operation)
            return True

        return await self.store.update(lease.account_id, change)


@asynccontextmanager
async def passing_over_the_erased(store: Store, lease: Lease, *, fresh: bool) -> AsyncIterator[None]:
    """Pass over an account that is being erased, and over a lease that is only remembered. Raises KeyGone.

    A key that is gone without an erasure is lost, and perhaps comes back: what is for its account must not be dropped.
    """
    try:
        yield
    except NotFound:
        return
    except KeyGone:
        if fresh and await store.erasure(lease.account_id) is None:
            raise


def _wake_devices(tx: Tx, context: MessagingContext, now: datetime) -> None:
    """Have every device woken, unless the line is not to disturb."""
    if not context.line.is_quiet(now):
        for device in context.devices:
            tx.queue(Job(WAKE_DEVICE, context.line.account_id, device))


async def is_active(tx: Tx) -> bool:
    """Tell whether the account is active, and have it stay so until the commit."""
    account = await tx.accounts.get_even_broken()
    tx.require_unchanged(account)
    return account.is_active


async def is_refusing(tx: Tx) -> bool:
    """Tell whether the account is frozen and wants nothing that comes in, and have it stay so until the commit."""
    account = await tx.accounts.get_even_broken()
    tx.require_unchanged(account)
    return account.refuses_inbound


@dataclass(frozen=True, slots=True)
class DeliveryReceipt:
    """What the carrier says became of a message from `sender`. `message_id` is our own id, if it came back."""

    sender: PhoneNumber
    ref: CarrierRef
    message_id: MessageId | None
    status: Status
    failure: FailureReason | None = None

    @property
    def sent(self) -> Sent:
        """The message as the carrier knows it."""
        return Sent(self.ref, self.status, self.failure)


@dataclass(frozen=True, slots=True)
class ApplyDeliveryReceipt:
    """Applies a receipt to a message of the account that holds the sender's number now, and of no other."""

    store: Store
    directory: Directory
    clock: Clock

    async def __call__(self, receipt: DeliveryReceipt) -> None:
        """Apply the receipt; one about an unknown message changes nothing. Any order and repetition ends the same.

        Raises KeyGone when the account's key is lost.
        """
        for fresh in (False, True):  # as for messages that come in
            lease = await self.directory.line(receipt.sender, fresh=fresh)
            if lease is None:
                return
            async with passing_over_the_erased(self.store, lease, fresh=fresh):
                if await self.apply(lease.account_id, receipt):
                    return

    async def apply(self, account_id: AccountId, receipt: DeliveryReceipt) -> bool:
        """Commit the receipt to a message of this account; tell whether it was found there."""

        async def change(tx: Tx) -> bool:
            message = await tx.messages.by_ref(receipt.ref)
            if message is None and receipt.message_id is not None:
                # The receipt overtook the answer to our own request: adopt the reference it brings.
                message = await tx.messages.get_even_deleted(receipt.message_id)
                if not message.may_adopt:
                    return False
            if message is None:
                return False
            message.adopt(receipt.sent, self.clock.now())
            tx.save(message)
            return True

        return await self.store.update(account_id, change)
