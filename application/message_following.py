"""The use case that asks what became of a message when nobody tells: no message stays on its way for ever."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from application.job_type import JobType, Provider
from application.ports.carrier_errors import CarrierUnavailable
from application.ports.clock import Clock
from application.ports.jobs import JobLease
from application.ports.message_carrier import MessageCarrier
from application.ports.store import Store, Tx
from domain.kernel import AccountId, ErrorKind, MessageId, PicoError
from domain.messages import Message, MessageAccepted, Sent

FIRST_LOOK = timedelta(minutes=2)
"""By then nearly every message has been reported on; pauses grow with its age."""


class StillUnderWay(PicoError):
    """The message is still on its way: the carrier is asked again later."""

    kind = ErrorKind.UNAVAILABLE
    code = "still_under_way"

    def __init__(self, after: timedelta) -> None:
        """Have it asked again `after`."""
        self.retry_after = after
        super().__init__()


@dataclass(frozen=True, slots=True)
class FollowMessage:
    """Looks a sent message up until its end is known, or the carrier tries no longer: then it is unconfirmed."""

    store: Store
    carrier: MessageCarrier
    clock: Clock

    async def __call__(self, account_id: AccountId, message_id: MessageId, _lease: JobLease) -> None:
        """Ask, and note the answer. Raises StillUnderWay. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            message = await tx.messages.get_even_deleted(message_id)
        if message.is_deleted or message.is_settled or message.ref is None:
            return
        ends = message.begins_at + self.carrier.message_abilities.messages_live_for
        now = self.clock.now()
        over, sent = now >= ends, None
        with suppress(CarrierUnavailable):
            sent = await self.carrier.look_up(message.ref)
            over |= sent is None  # a message that the carrier does not hold reports nothing any more
        if over or (sent is not None and sent.status is not message.status):
            message = await self._commit(account_id, message_id, sent, now, over=over)
        if not message.is_settled:
            raise StillUnderWay(min(now - message.begins_at, ends - now))

    async def _commit(
        self, account_id: AccountId, message_id: MessageId, sent: Sent | None, now: datetime, *, over: bool
    ) -> Message:
        """Commit what the carrier knows of the message; if it is over, that nothing more will be known."""

        async def change(tx: Tx) -> Message:
            message = await tx.messages.get_even_deleted(message_id)
            if sent is not None:
                message.adopt(sent, now)
            if over:
                message.give_up(now)
            tx.save(message)
            return message

        return await self.store.update(account_id, change)


JOBS = (JobType("follow_message", FollowMessage, after={MessageAccepted: FIRST_LOOK}, asks=Provider.CARRIER),)
