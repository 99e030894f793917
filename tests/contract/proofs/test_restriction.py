"""A frozen account keeps everything, sends nothing, wakes nobody, and takes in what its person says."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from adapters.outbound.memory.push import MemoryPush
from application.inbound_messages import InboundMessage, ReceiveMessage
from application.ports.directory import Lease
from application.restriction import RestrictAccount
from application.sessions import Caller, revoke_all
from domain.accounts import Account, AccountRestricted, InboundChoice
from domain.kernel import AccountId
from domain.lines import LineNotActive
from domain.push import DeviceToken, Platform
from domain.values import MessageBody, PhoneNumber
from tests.support.actors import STRANGER, Person, with_line
from tests.support.harness import Anywhere
from tests.support.proofs import proves, refused

DAY = timedelta(days=1)


class OnlyNotes(RestrictAccount):
    """Writes down that the account is frozen, and leaves its lines as they are."""

    async def __call__(self, account_id: AccountId, inbound: InboundChoice) -> Account:
        async with self.change.store.begin(account_id) as tx:
            account = await tx.accounts.get()
            account.restrict(inbound, self.change.clock.now())
            tx.save(account)
        return account


class TakesAll(ReceiveMessage):
    """Takes in whatever comes."""

    async def accept(self, lease: Lease, inbound: InboundMessage) -> bool:
        async with self.store.begin(lease.account_id) as tx:
            line = await tx.lines.get(lease.line_id)
            account = await tx.accounts.get()
            if account.restriction is not None:
                line.resume(self.clock.now())
                tx.save(line)
        return await super().accept(lease, inbound)


class SignsOut(RestrictAccount):
    """Takes freezing for signing out."""

    async def __call__(self, account_id: AccountId, inbound: InboundChoice) -> Account:
        account = await super().__call__(account_id, inbound)
        async with self.change.store.begin(account_id) as tx:
            await revoke_all(tx, self.change.clock.now())
        return account


def only_notes(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, restrict_account=OnlyNotes)


def takes_all(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, receive_message=TakesAll)


def signs_out(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, restrict_account=SignsOut)


async def woken(world: Any) -> int:
    push: MemoryPush = world.push
    return len(push.woken)


async def frozen(world: Any, inbound: InboundChoice) -> Person:
    """Have somebody with a line, a device and a message that waits freeze their account."""
    ada = await with_line(world)
    caller = Caller(ada.id, ada.signed_in.session.id)
    await world.use_cases.register_push_token(caller, Platform.IOS, DeviceToken("0a" * 32))
    await ada.receives("before")
    await world.use_cases.send_message(
        ada.id, ada.line_id, STRANGER, MessageBody("later"), "later", send_at=world.clock.now() + DAY
    )
    await world.settle()
    await world.use_cases.restrict_account(ada.id, inbound)
    return ada


@proves("R5", text="29468f814e09", saboteur=only_notes, says="something was sent for a frozen account")
@proves("R5", text="29468f814e09", saboteur=signs_out, says="freezing signed the person out")
async def test_a_frozen_account_keeps_what_comes_in_and_sends_nothing(anywhere: Anywhere) -> None:
    async with anywhere() as world:
        ada = await frozen(world, InboundChoice.ACCEPTED)
        use_cases, before = world.use_cases, await woken(world)
        listed = [session.id for session in await use_cases.list_sessions(ada.id)]
        assert listed == [ada.signed_in.session.id], "freezing signed the person out"
        with refused(LineNotActive, "something was sent for a frozen account"):
            await use_cases.send_message(ada.id, ada.line_id, STRANGER, MessageBody("now"), "now")
        with refused(LineNotActive, "a call was made for a frozen account"):
            await use_cases.place_call(ada.id, ada.line_id, PhoneNumber(STRANGER), "call")
        with refused(AccountRestricted, "a number was bought for a frozen account"):
            await use_cases.buy_line(ada.id, PhoneNumber("+12025550148"), None, "buy")
        await ada.receives("meanwhile")
        await world.advance(DAY)
        assert sorted(await ada.inbox()) == ["before", "later", "meanwhile"], "what came in was lost"
        assert await woken(world) == before, "a device was woken for a frozen account"
        assert not [copy for copy in world.carrier.messages.values() if not copy.came_in], (
            "something was sent for a frozen account"
        )
        await use_cases.start_export(ada.id)
        account = await use_cases.lift_restriction(ada.id)
        assert account.restriction is None
        await use_cases.send_message(ada.id, ada.line_id, STRANGER, MessageBody("after"), "after")
        await ada.receives("and now")
        await world.settle()
        assert await woken(world) > before


@proves("R5", text="29468f814e09", saboteur=takes_all, says="what was to be refused was kept")
async def test_a_frozen_account_refuses_what_comes_in_if_its_person_says_so(anywhere: Anywhere) -> None:
    async with anywhere() as world:
        ada = await frozen(world, InboundChoice.REFUSED)
        await ada.receives("meanwhile")
        await world.settle()
        await world.use_cases.lift_restriction(ada.id)
        await world.advance(DAY)
        assert "meanwhile" not in await ada.inbox(), "what was to be refused was kept"
        assert not [one for one in world.carrier.messages.values() if one.body == "meanwhile"], (
            "the carrier keeps what was to be refused"
        )
