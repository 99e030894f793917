"""Messages for later: at their time, and only if they still may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from application.messages import CancelMessage
from application.outbound_messages import SendQueuedMessage
from domain.kernel import AccountId, MessageId
from domain.messages import Message
from domain.values import PhoneNumber
from tests.support.actors import STRANGER, Person, with_line
from tests.support.harness import Anywhere
from tests.support.proofs import proves

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Hasty(SendQueuedMessage):
    """Sends whatever it is shown."""

    async def _must_be_time(self, message: Message) -> None:
        """Take every time for the right one."""


class Careless(SendQueuedMessage):
    """Sends what was once accepted."""

    def _must_not(self, *_: Any, **__: Any) -> None:
        """See no reason against it."""


@dataclass(frozen=True, slots=True)
class CancelsNothing(CancelMessage):
    """Says that it has taken a message back."""

    async def __call__(self, account_id: AccountId, message_id: MessageId) -> Any:
        """Change nothing."""


def sends_early(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, send_queued_message=Hasty)


def looks_once(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, send_queued_message=Careless)


def cancels_nothing(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, cancel_message=CancelsNothing)


@proves("T11", text="942d33792d16", saboteur=sends_early, says="it went out before its time")
@proves(
    "T11",
    text="942d33792d16",
    saboteur=looks_once,
    says="it went out though something spoke against it by then",
)
@proves("T11", text="942d33792d16", saboteur=cancels_nothing, says="it went out though it was taken back")
async def test_a_scheduled_message_goes_out_at_its_time_if_it_still_may(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await with_line(made)

        async def scheduled(by: Person = ada) -> MessageId:
            message = await by.sends("later", send_at=made.clock.now() + DAY)
            await made.settle()
            return message.id

        await scheduled()
        await made.advance(DAY - HOUR)
        assert not made.carrier.messages, "it went out before its time"
        await made.advance(HOUR)
        assert len(made.carrier.messages) == 1, "it did not go out"

        await made.use_cases.cancel_message(ada.id, await scheduled())
        await made.use_cases.delete_message(ada.id, await scheduled())
        await made.advance(DAY)
        assert len(made.carrier.messages) == 1, "it went out though it was taken back"

        boris, eve = (
            await with_line(made, "boris", "+12025550144"),
            await with_line(made, "eve", "+12025550145"),
        )
        for person in (ada, boris, eve):
            await scheduled(person)
        await ada.receives("STOP")
        await made.use_cases.block_number(boris.id, PhoneNumber(STRANGER))
        await eve.deletes_account()
        await made.advance(DAY)
        sent = [message for message in made.carrier.messages.values() if message.body == "later"]
        assert len(sent) <= 1, "it went out though something spoke against it by then"
