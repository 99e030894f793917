"""The small print about leaving: what comes back, what does not wait, and who comes after you."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from adapters.outbound.memory.directory import MemoryDirectory
from application.account_deletion import RecoverAccount
from application.carrier_copies import DeleteCarrierCopies
from application.inbound_messages import DeliveryReceipt
from application.line_release import ReleaseNumbers
from application.lines import BuyLine
from application.ports.directory import Lease
from application.ports.store import Tx
from application.sessions import SignedIn
from domain.kernel import AccountId, PicoError
from domain.lines import LineState, PhoneLine
from domain.messages import Conversation, Message, Status
from domain.sessions import Session
from domain.values import Country, Label, PhoneNumber
from tests.support.actors import PASSWORD, STRANGER, with_line
from tests.support.harness import Worlds
from tests.support.proofs import proves
from tests.support.sabotage import beginning, keeping, skipped_step, sparing

MOMENT, MINUTE, DAY = timedelta(microseconds=1), timedelta(minutes=1), timedelta(days=1)


class ComesBackEmptyHanded(RecoverAccount):
    """Lets a person in again, and leaves their lines dead."""

    async def commit(self, account_id: AccountId) -> SignedIn:
        signed_in = await super().commit(account_id)

        async def change(tx: Tx) -> None:
            for line in await tx.lines.list_all():
                line.suspend()
                tx.save(line)

        await self.store.update(account_id, change)
        return signed_in


def brings_back_no_lines(world: Worlds) -> Worlds:
    return partial(world, recover_account=ComesBackEmptyHanded)


def erases_after_a_week(world: Worlds) -> Worlds:
    return partial(world, retention=keeping(soft_deleted=7 * DAY))


@proves("H3", text="49cb83c78cb2", saboteur=brings_back_no_lines, says="a line came back dead")
@proves("H3", text="49cb83c78cb2", saboteur=erases_after_a_week, says="an account did not come back")
async def test_until_the_last_moment_everything_comes_back(world: Worlds) -> None:
    made = world()
    ada = await with_line(made)
    await ada.texted("before")
    before = await made.store.count_rows(ada.id)
    await made.use_cases.delete_account(ada.id, PASSWORD)
    await made.advance(30 * DAY - MOMENT)
    try:
        back = await made.use_cases.recover_account(ada.email, PASSWORD)
    except PicoError:
        pytest.fail("an account did not come back")
    assert (await made.use_cases.authenticate(back.token)).account_id == ada.id
    assert (await made.use_cases.read_line(ada.id, ada.line_id)).state is LineState.ACTIVE, (
        "a line came back dead"
    )
    await ada.texted("after")
    assert sorted(await ada.inbox()) == ["after", "before"]
    after = await made.store.count_rows(ada.id)
    assert {name: rows for name, rows in after.items() if rows < before[name]} == {}


def spares_sessions(world: Worlds) -> Worlds:
    """Keep revoked sessions for their ninety days, whatever else goes."""
    return partial(world, delete_rows=sparing(Session), verify_nothing_left=skipped_step("verified"))


@proves("H4", text="0d20f4347914", saboteur=spares_sessions, says="a session revoked a moment ago was kept")
async def test_erasure_takes_sessions_revoked_a_moment_ago(world: Worlds) -> None:
    made = world()
    ada = await with_line(made)
    await made.use_cases.delete_account(ada.id, PASSWORD)
    await made.advance(30 * DAY - MINUTE)
    back = await made.use_cases.recover_account(ada.email, PASSWORD)
    await made.use_cases.delete_account(ada.id, PASSWORD)
    await made.advance(30 * DAY)
    assert back.session.id not in made.store.rows(ada.id)[Session], "a session revoked a moment ago was kept"
    assert (await made.store.count_rows(ada.id))["sessions"] == 0


class RemembersOwners(MemoryDirectory):
    """Knows for every number whoever had it first."""

    async def line(self, number: str, *, fresh: bool = False) -> Lease | None:
        for account_id, rows in self._store.accounts.items():
            for line in rows[PhoneLine].values():
                if isinstance(line, PhoneLine) and line.number == number and line.ref:
                    return Lease(account_id, line.id)
        return await super().line(number, fresh=fresh)


class Inherits(BuyLine):
    """Takes a number for a place: who moves in finds what was left there."""

    async def __call__(
        self, account_id: AccountId, number: PhoneNumber, country: Country, label: Label | None, key: str
    ) -> PhoneLine:
        line = await super().__call__(account_id, number, country, label, key)
        every = self.store.accounts  # type: ignore[attr-defined]  # the one in memory
        for rows in list(every.values()):
            former = {old.id for old in rows[PhoneLine].values() if old.number == number}
            for of in (Conversation, Message):
                for row in list(rows[of].values()):
                    if row.line_id in former:
                        every[account_id][of][row.id] = replace(row, account_id=account_id, line_id=line.id)
        return line


def remembers_owners(world: Worlds) -> Worlds:
    return partial(world, directory=lambda made: RemembersOwners(made.store))


def inherits(world: Worlds) -> Worlds:
    return partial(world, buy_line=Inherits)


@proves("H13", text="427e6893b075", saboteur=inherits, says="somebody else's messages are read")
@proves("H13", text="427e6893b075", saboteur=remembers_owners, says="what came late was kept")
async def test_the_next_owner_sees_nothing_and_what_comes_late_is_dropped(world: Worlds) -> None:
    made = world()
    ada, cleo = await with_line(made, "ada", "+12025550143"), await with_line(made, "cleo", "+12025550144")
    for person in (ada, cleo):
        await person.texted("for the first owner")
    sent = await ada.texts("from Ada")
    await made.settle()
    ref = (await made.use_cases.read_message(ada.id, sent.id)).ref
    assert ref
    await made.use_cases.release_line(ada.id, ada.line_id)
    await made.use_cases.delete_account(cleo.id, PASSWORD)
    await made.advance(30 * DAY)
    late = {"ada": await made.store.count_rows(ada.id), "cleo": await made.store.count_rows(cleo.id)}
    await ada.texted("late")
    await cleo.texted("late")
    await made.use_cases.apply_delivery_receipt(DeliveryReceipt(ada.number, ref, sent.id, Status.DELIVERED))
    assert {
        "ada": await made.store.count_rows(ada.id),
        "cleo": await made.store.count_rows(cleo.id),
    } == late, "what came late was kept"
    boris, dora = await with_line(made, "boris", ada.number), await with_line(made, "dora", cleo.number)
    await made.use_cases.apply_delivery_receipt(DeliveryReceipt(boris.number, ref, sent.id, Status.DELIVERED))
    assert await boris.inbox() + await dora.inbox() == [], "somebody else's messages are read"
    assert (await made.use_cases.read_message(ada.id, sent.id)).status is not Status.DELIVERED


def waits_for_nobody(world: Worlds) -> Worlds:
    return partial(
        world,
        delete_carrier_copies=beginning(-DAY, DeleteCarrierCopies),
        release_numbers=beginning(-DAY, ReleaseNumbers),
    )


def waits_for_ever(world: Worlds) -> Worlds:
    return partial(
        world,
        delete_carrier_copies=beginning(999 * DAY, DeleteCarrierCopies),
        release_numbers=beginning(999 * DAY, ReleaseNumbers),
    )


@proves("H24", text="162102732470", saboteur=waits_for_nobody, says="it did not wait")
@proves("H24", text="162102732470", saboteur=waits_for_ever, says="it waits still")
async def test_hard_deletion_waits_a_day_for_young_texts_and_no_longer(world: Worlds) -> None:
    made = world()
    ada = await with_line(made)
    await ada.texted("young", ref=await made.carrier.receive(STRANGER, ada.number, "young"))
    made.carrier.too_early = 1_000_000
    await made.use_cases.delete_account(ada.id, PASSWORD)
    await made.advance(30 * DAY)
    await made.advance(DAY - MOMENT)
    assert await made.keyring.count(ada.id), "it did not wait"
    assert len(made.carrier.numbers) == 1
    await made.advance(MOMENT)
    assert not await made.keyring.count(ada.id), "it waits still"
    assert not made.carrier.numbers
    assert len(made.carrier.messages) == 1
