"""The small print about leaving: what comes back, what does not wait, and who comes after you."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from application.account_deletion import RecoverAccount
from application.call_records import DeleteCallRecords
from application.carrier_copies import DeleteCarrierCopies
from application.inbound_messages import DeliveryReceipt, InboundMessage, ReceiveMessage
from application.line_release import ReleaseNumbers
from application.lines import Bought, BuyLine
from application.ports.directory import Lease
from application.ports.keyring import KeyGone
from application.ports.store import Tx
from application.sessions import SignedIn
from application.voicemail_deletion import DeleteRecordings
from bootstrap.worlds import InMemory
from domain.accounts import NotPendingDeletion
from domain.kernel import AccountId, ConversationId, LineId, NotFound, PicoError
from domain.lines import LineState
from domain.messages import Conversation, Status
from domain.money import Money
from domain.sessions import Session
from domain.values import Label, Peer, PhoneNumber
from tests.support.actors import PASSWORD, STRANGER, with_line
from tests.support.harness import Anywhere, skipping
from tests.support.lying_there import ids, records
from tests.support.proofs import proves, refused
from tests.support.sabotage import beginning, keeping, skipped_step, sparing

MOMENT, MINUTE, DAY = timedelta(microseconds=1), timedelta(minutes=1), timedelta(days=1)


class ComesBackBlank(RecoverAccount):
    """Lets a person in again under no name."""

    async def commit(self, account_id: AccountId) -> SignedIn:
        signed_in = await super().commit(account_id)

        async def change(tx: Tx) -> None:
            account = await tx.accounts.get()
            account.change_profile(Label("Somebody"), None, self.clock.now())
            tx.save(account)

        await self.store.update(account_id, change)
        return signed_in


def brings_back_no_name(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, recover_account=ComesBackBlank)


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


def brings_back_no_lines(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, recover_account=ComesBackEmptyHanded)


def erases_after_a_week(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, retention=keeping(soft_deleted=7 * DAY))


@proves("H3", text="49cb83c78cb2", saboteur=brings_back_no_name, says="something did not come back")
@proves("H3", text="49cb83c78cb2", saboteur=brings_back_no_lines, says="a line came back dead")
@proves("H3", text="49cb83c78cb2", saboteur=erases_after_a_week, says="an account did not come back")
async def test_until_the_last_moment_everything_comes_back(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await with_line(made)
        await ada.receives("before")
        before, said = await made.store.count_rows(ada.id), await content(made, ada.id)
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
        assert await content(made, ada.id) == said, "something did not come back"
        await ada.receives("after")
        assert sorted(await ada.inbox()) == ["after", "before"]
        after = await made.store.count_rows(ada.id)
        fewer = {name for name, rows in after.items() if rows < before[name]}
        assert fewer <= {"live_events"}, "what happened is told for a day (T12), all else is there"
        await made.use_cases.delete_account(ada.id, PASSWORD)
        made.clock.advance(30 * DAY)  # and nothing has begun to erase it yet
        with refused(NotPendingDeletion, "an account came back after its time"):
            await made.use_cases.recover_account(ada.email, PASSWORD)


async def content(made: InMemory, account_id: AccountId) -> list[tuple[str, str, object]]:
    """Return everything that somebody wrote or chose, where it stands."""
    told = {
        "email",
        "display_name",
        "locale",
        "number",
        "label",
        "peer",
        "body",
        "country",
        "direction",
        "state",
    }
    return sorted(
        (name, field, str(row[field]))
        for name, rows in (await records(made, account_id)).items()
        for row in rows
        for field in told & row.keys()
        if row[field] is not None
    )


def spares_sessions(anywhere: Anywhere) -> Anywhere:
    """Keep revoked sessions for their ninety days, whatever else goes."""
    return partial(
        anywhere, delete_rows=sparing(Session), verify_nothing_left=skipped_step("verified"),
        sql=skipping("DELETE", "sessions"),
    )  # fmt: skip


@proves("H4", text="0d20f4347914", saboteur=spares_sessions, says="a session revoked a moment ago was kept")
async def test_erasure_takes_sessions_revoked_a_moment_ago(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await with_line(made)
        await made.use_cases.delete_account(ada.id, PASSWORD)
        await made.advance(30 * DAY - MINUTE)
        back = await made.use_cases.recover_account(ada.email, PASSWORD)
        await made.use_cases.delete_account(ada.id, PASSWORD)
        await made.advance(30 * DAY)
        assert back.session.id not in await ids(made, Session, ada.id), (
            "a session revoked a moment ago was kept"
        )
        assert (await made.store.count_rows(ada.id))["sessions"] == 0


def remembers_owners(anywhere: Anywhere) -> Anywhere:
    first: dict[PhoneNumber, Lease] = {}

    class RemembersOwners(ReceiveMessage):
        """Knows for every number whoever had it first, and keeps what comes for them."""

        async def __call__(self, message: InboundMessage) -> None:
            lease = await self.directory.line(message.to, fresh=True)
            owner = first.setdefault(message.to, lease) if lease else first.get(message.to)
            await super().__call__(message)
            if owner and owner != lease:
                with suppress(KeyGone, NotFound):
                    await self._keep(owner, message)

        async def _keep(self, owner: Lease, message: InboundMessage) -> None:
            async def change(tx: Tx) -> None:
                await tx.accounts.get()
                chat = Conversation.open(
                    owner.account_id,
                    ConversationId(self.ids.new()),
                    owner.line_id,
                    Peer("late"),
                    self.clock.now(),
                )
                tx.save(chat)

            await self.store.update(owner.account_id, change)

    return partial(anywhere, receive_message=RemembersOwners)


def inherits(anywhere: Anywhere) -> Anywhere:
    owners: dict[PhoneNumber, tuple[AccountId, LineId]] = {}

    class Inherits(BuyLine):
        """Takes a number for a place: who moves in finds what was left there."""

        async def __call__(
            self,
            account_id: AccountId,
            number: PhoneNumber,
            label: Label | None,
            key: str,
            price: Money | None = None,
        ) -> Bought:
            bought = await super().__call__(account_id, number, label, key, price)
            line = bought.line
            if former := owners.get(number):
                left: Sequence[Any] = ()
                with suppress(KeyGone):
                    async with self.store.begin(former[0]) as tx:
                        left = await tx.conversations.page(former[1], None, 100)

                async def change(tx: Tx) -> None:
                    for chat in left:
                        mine = ConversationId(self.ids.new())
                        tx.save(Conversation.open(account_id, mine, line.id, chat.peer, self.clock.now()))

                await self.store.update(account_id, change)
            owners[number] = account_id, line.id
            return bought

    return partial(anywhere, buy_line=Inherits)


@proves("H13", text="427e6893b075", saboteur=inherits, says="somebody else's messages are read")
@proves("H13", text="427e6893b075", saboteur=remembers_owners, says="what came late was kept")
async def test_the_next_owner_sees_nothing_and_what_comes_late_is_dropped(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada, cleo = (
            await with_line(made, "ada", "+12025550143"),
            await with_line(made, "cleo", "+12025550144"),
        )
        for person in (ada, cleo):
            await person.receives("for the first owner")
        sent = await ada.sends("from Ada")
        await made.settle()
        ref = (await ada.keeps(sent.id)).ref
        assert ref
        await made.use_cases.release_line(ada.id, ada.line_id)
        await made.use_cases.delete_account(cleo.id, PASSWORD)
        await made.advance(30 * DAY)
        late = {"ada": await made.store.count_rows(ada.id), "cleo": await made.store.count_rows(cleo.id)}
        await ada.receives("late")
        await cleo.receives("late")
        await made.use_cases.apply_delivery_receipt(
            DeliveryReceipt(ada.number, ref, sent.id, Status.DELIVERED)
        )
        assert {
            "ada": await made.store.count_rows(ada.id),
            "cleo": await made.store.count_rows(cleo.id),
        } == late, "what came late was kept"
        boris, dora = await with_line(made, "boris", ada.number), await with_line(made, "dora", cleo.number)
        await made.use_cases.apply_delivery_receipt(
            DeliveryReceipt(boris.number, ref, sent.id, Status.DELIVERED)
        )
        seen = [await made.use_cases.list_conversations(who.id, None, None, 9) for who in (boris, dora)]
        assert [page.items for page in seen] == [[], []], "somebody else's messages are read"
        assert (await made.use_cases.read_message(ada.id, sent.id)).status is not Status.DELIVERED


def waits_for_nobody(anywhere: Anywhere) -> Anywhere:
    return partial(
        anywhere,
        delete_carrier_copies=beginning(-DAY, DeleteCarrierCopies),
        release_numbers=beginning(-DAY, ReleaseNumbers),
        delete_recordings=beginning(-DAY, DeleteRecordings),
        delete_call_records=beginning(-DAY, DeleteCallRecords),
    )


def waits_for_ever(anywhere: Anywhere) -> Anywhere:
    return partial(
        anywhere,
        delete_carrier_copies=beginning(999 * DAY, DeleteCarrierCopies),
        release_numbers=beginning(999 * DAY, ReleaseNumbers),
    )


@proves("H24", text="afa38c4b1ebe", saboteur=waits_for_nobody, says="it did not wait")
@proves("H24", text="afa38c4b1ebe", saboteur=waits_for_ever, says="it waits still")
async def test_hard_deletion_waits_a_day_for_young_texts_and_no_longer(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await with_line(made)
        await ada.receives("young", ref=await made.carrier.receive(STRANGER, ada.number, "young"))
        made.carrier.too_early = 1_000_000
        await made.use_cases.delete_account(ada.id, PASSWORD)
        await made.advance(30 * DAY)
        await made.advance(DAY - MINUTE)
        assert await made.keyring.count(ada.id), "it did not wait"
        assert len(made.carrier.numbers) == 1, "it did not wait"
        await made.advance(MINUTE)
        assert not await made.keyring.count(ada.id), "it waits still"
        assert not made.carrier.numbers
        assert len(made.carrier.messages) == 1
