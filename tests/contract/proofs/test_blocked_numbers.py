"""What we keep of the numbers that somebody blocked, and of what these send."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

from application.blocked_numbers import BlockNumber
from application.inbound_messages import InboundMessage, ReceiveMessage
from application.message_deletion import DeleteCarrierCopy
from application.ports.jobs import JobLease
from domain.blocked_numbers import BlockedNumber, BlockedNumberId
from domain.kernel import AccountId, MessageId
from domain.messages import PeerOptedOut
from domain.values import MessageBody, PhoneNumber
from tests.contract.proofs.test_collected import guesses
from tests.contract.proofs.test_contacts import finds_contacts_without_a_key as finds_without_a_key
from tests.support.canary_account import lived, some_number
from tests.support.harness import Databases, in_clear
from tests.support.proofs import proves, refused

SOON = timedelta(minutes=30)


class SaysYes(BlockNumber):
    """Answers as if, and blocks nobody."""

    async def __call__(self, account_id: AccountId, number: PhoneNumber) -> BlockedNumber:
        blocked = BlockedNumberId(self.ids.new())
        return BlockedNumber(account_id=account_id, id=blocked, number=number, blocked_at=self.clock.now())


class LeavesCopies(DeleteCarrierCopy):
    """Thinks that what we do not hold is no concern of ours."""

    async def __call__(self, account_id: AccountId, message_id: MessageId, lease: JobLease) -> None:
        await self.commit(account_id, message_id, lease)


class HeedsNobodyBlocked(ReceiveMessage):
    """Does not listen even for STOP."""

    async def __call__(self, message: InboundMessage) -> None:
        await super().__call__(replace(message, body=MessageBody("")))


def blocks_nobody(stored: Databases) -> Databases:
    return partial(stored, block_number=SaysYes)


def leaves_the_copy(stored: Databases) -> Databases:
    return partial(stored, delete_carrier_copy=LeavesCopies)


def heeds_nobody_blocked(stored: Databases) -> Databases:
    return partial(stored, receive_message=HeedsNobodyBlocked)


@proves(
    "C16",
    text="16c473f13d8c",
    saboteur=in_clear("blocked_numbers.number"),
    says="a blocked number lies in clear",
)
@proves(
    "C16", text="16c473f13d8c", saboteur=finds_without_a_key, says="a blocked number is found without a key"
)
@proves("C16", text="16c473f13d8c", saboteur=blocks_nobody, says="what a blocked number sends is kept")
@proves("C16", text="16c473f13d8c", saboteur=leaves_the_copy, says="the carrier's copy stays")
@proves("C16", text="16c473f13d8c", saboteur=heeds_nobody_blocked, says="a STOP goes unheard")
async def test_of_what_a_blocked_number_sends_nothing_stays_anywhere(stored: Databases) -> None:
    async with stored() as world:
        ada, who = await lived(world), some_number()
        await world.use_cases.block_number(ada.id, PhoneNumber(who))
        for row in await world.rows("blocked_numbers"):
            assert row["number_index"] not in guesses("blocked_numbers.number", who), (
                "a blocked number is found without a key"
            )
        before = await world.opened(ada.id)
        assert await world.traces(who) == set(), "a blocked number lies in clear"
        ref = await world.carrier.receive(who, ada.number, "STOP")
        await ada.receives("STOP", who, ref=ref)
        held = await world.opened(ada.id)
        assert held.count(who) == before.count(who), "what a blocked number sends is kept"
        assert held.count("STOP") == before.count("STOP")
        await world.advance(SOON)
        assert ref not in world.carrier.messages, "the carrier's copy stays"
        assert await world.rows("messages", ref=ref) == []
        await world.use_cases.unblock_number(ada.id, PhoneNumber(who))
        with refused(PeerOptedOut, "a STOP goes unheard"):
            await ada.sends("hello", who)
