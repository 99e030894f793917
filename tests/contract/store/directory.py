"""Promises about finding what is sought without knowing the account: by token, address and number, and what is due."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from application.ports.directory import Lease
from application.ports.store import VersionConflict
from domain.accounts import AccountState
from domain.billing import BuyerToken, PayerRef, Subscription
from domain.kernel import (
    AccountId,
)
from domain.lines import HOLDING, LineState
from domain.retention import Retention
from domain.values import Email, SignUpPlace
from tests.contract.store.world import INSTANT, World, opened


class DirectoryPromises:
    async def test_a_session_is_found_by_its_token_until_it_is_revoked(self, world: World) -> None:
        account_id = await world.account()
        session = world.new_session(account_id, token="pico_s1_a")
        other = world.new_session(account_id, token="pico_s1_b")
        await world.commit(account_id, session, other)
        assert await world.directory.session("pico_s1_a") == opened(session)
        assert await world.directory.session("pico_s1_unknown") is None
        async with world.store.begin(account_id) as tx:
            mine = await tx.sessions.get(session.id)
            mine.revoke(world.clock.now())
            tx.save(mine)
        assert await world.directory.session("pico_s1_a") is None
        assert await world.directory.session("pico_s1_b") == opened(other)
        async with world.store.begin(account_id) as tx:
            account = await tx.accounts.get()
            account.request_deletion(world.clock.now(), world.clock.now())
            tx.save(account)
        assert await world.directory.session("pico_s1_b") is None, "begun while the account was leaving"

    async def test_a_payer_leads_to_its_account_and_to_no_other_and_goes_with_it(self, world: World) -> None:
        ada, boris = await world.account(), await world.account()
        payer = PayerRef(f"cus_{ada.hex}")
        assert await world.directory.payer(payer) is None
        bought = Subscription.begin(ada)
        await world.commit(ada, bought)
        assert await world.directory.payer(payer) is None, "nobody pays yet"
        async with world.store.begin(ada) as tx:
            held = await tx.subscriptions.find()
            assert held is not None
            held.payer = payer
            tx.save(held)
        assert await world.directory.payer(payer) == ada
        second = Subscription.begin(boris)
        second.payer = payer
        with pytest.raises(VersionConflict):
            await world.commit(boris, second)
        with pytest.raises(VersionConflict):
            await world.commit(ada, Subscription.begin(ada))
        await world.store.delete_rows(ada)
        assert await world.directory.payer(payer) is None

    async def test_a_buyer_leads_to_its_account_beside_a_payer_and_goes_with_it(self, world: World) -> None:
        ada, boris = await world.account(), await world.account()
        bought, buyer = world.new_subscription(ada), BuyerToken(str(world.ids.random_id()))
        bought.buyer = buyer
        assert await world.directory.buyer(buyer) is None
        await world.commit(ada, bought)
        assert await world.directory.buyer(buyer) == ada
        assert await world.directory.payer(PayerRef(f"cus_{ada.hex}")) == ada
        second = Subscription.begin(boris)
        second.buyer = buyer
        with pytest.raises(VersionConflict):
            await world.commit(boris, second)
        await world.store.delete_rows(ada)
        assert await world.directory.buyer(buyer) is None

    async def test_it_lists_every_account_once_in_order_of_id(self, world: World) -> None:
        known = {await world.account() for _ in range(3)}
        await world.store.delete_rows(gone := await world.account())
        listed: list[AccountId] = []
        while page := await world.directory.accounts(listed[-1] if listed else None, 2):
            listed += page
        assert listed == sorted(set(listed))
        assert known <= {*listed} - {gone}

    async def test_it_tells_which_accounts_have_no_row(self, world: World) -> None:
        known, gone, never = await world.account(), await world.account(), AccountId(uuid4())
        await world.store.delete_rows(gone)
        assert await world.directory.unknown([never, known, gone]) == [never, gone]
        assert await world.directory.unknown([]) == []

    async def test_it_yields_every_lease_once_while_it_lasts(self, world: World) -> None:
        before = {lease async for lease in world.directory.leases()}
        made = []
        for _ in range(3):
            account_id = await world.account()
            lines = [await world.line(account_id) for _ in range(2)]
            made += [Lease(account_id, line.id) for line in lines]
        found = [lease async for lease in world.directory.leases()]
        assert len(found) == len(set(found))
        assert set(found) - before == set(made)
        await world.store.delete_rows(made[0].account_id)
        assert {lease async for lease in world.directory.leases()} - before == set(made[2:])

    async def test_an_account_is_found_by_its_address_once_verified_until_it_is_erased(
        self, world: World
    ) -> None:
        await world.account(state=AccountState.UNVERIFIED, email="nobody@example.com")
        for state in set(AccountState) - {AccountState.UNVERIFIED}:
            account_id = await world.account(state=state, email=f"{state}@Example.com")
            assert await world.directory.account_by_email(f"{state}@example.com") == account_id
            await world.store.delete_rows(account_id)
            assert await world.directory.account_by_email(f"{state}@example.com") is None
        assert await world.directory.account_by_email("nobody@example.com") is None

    async def test_an_unverified_account_is_found_by_its_place_and_a_verified_one_by_its_address(
        self, world: World
    ) -> None:
        places = SignUpPlace.every(Email("Noa@example.com"))
        first = await self._placed(world, places[1])
        with pytest.raises(VersionConflict):
            await self._placed(world, places[1])
        assert await world.directory.sign_ups(places) == [None, first, None, None, None]
        async with world.store.begin(first) as tx:
            account = await tx.accounts.get()
            account.verify(world.clock.now())
            tx.save(account)
        assert await world.directory.sign_ups(places) == [None] * 5
        assert await world.directory.account_by_email("noa@example.com") == first
        second = await self._placed(world, places[1])
        async with world.store.begin(second) as tx:
            account = await tx.accounts.get()
            account.withdraw(world.clock.now(), used=False)
            tx.save(account)
        assert await world.directory.sign_ups(places) == [None] * 5
        assert await world.directory.account_by_email("noa@example.com") == first

    async def _placed(self, world: World, place: SignUpPlace) -> AccountId:
        account_id = await world.account(state=AccountState.UNVERIFIED, email="noa@example.com")
        async with world.store.begin(account_id) as tx:
            account = await tx.accounts.get()
            account.take_place(place)
            tx.save(account)
        return account_id

    async def test_a_line_is_found_by_its_number_only_while_it_holds_it(self, world: World) -> None:
        account_id = await world.account()
        for state in LineState:
            line = await world.line(account_id, state=state)
            expected = (account_id, line.id) if state in HOLDING else None
            assert await world.directory.line(line.number) == expected, state

    async def test_a_recycled_number_leads_to_its_new_line_and_to_nothing_of_the_former(
        self, world: World
    ) -> None:
        has = await world.belongings()
        assert await world.directory.line(has.line.number) == (has.account_id, has.line.id)
        async with world.store.begin(has.account_id) as tx:
            line = await tx.lines.get(has.line.id)
            line.released(world.clock.now())
            tx.save(line)
        assert await world.directory.line(has.line.number, fresh=True) is None
        heir = await world.line(await world.account(), number=has.line.number)
        assert await world.directory.line(heir.number, fresh=True) == (heir.account_id, heir.id)
        async with world.store.begin(heir.account_id) as tx:
            context = await tx.conversations.context(heir.id, has.conversation.peer, has.operation)
            assert (context.conversation, context.earlier) == (None, None)
            assert await tx.conversations.page(None, None, 9) == []

    async def test_an_account_is_due_for_erasure_at_the_instant_and_not_before(self, world: World) -> None:
        due = world.clock.now()
        leaving = await world.account(state=AccountState.PENDING_DELETION, erase_at=due)
        await world.account()
        assert await self._to_erase(world, due - INSTANT) == []
        assert await self._to_erase(world, due) == [leaving]

    async def test_an_unverified_account_is_due_at_the_instant_and_not_before(self, world: World) -> None:
        made = world.clock.now()
        unverified = await world.account(state=AccountState.UNVERIFIED, created_at=made)
        await world.account(created_at=made - INSTANT)
        epoch = made - timedelta(days=999)
        assert list(await world.directory.accounts_to_erase(epoch, made - INSTANT, 9)) == []
        assert list(await world.directory.accounts_to_erase(epoch, made, 9)) == [unverified]

    async def test_an_erasure_that_has_begun_comes_up_no_more(self, world: World) -> None:
        due = world.clock.now()
        account_id = await world.account(state=AccountState.PENDING_DELETION, erase_at=due)
        assert await self._to_erase(world, due) == [account_id]
        async with world.store.begin(account_id) as tx:
            account = await tx.accounts.get()
            account.begin_erasure(due, Retention().unverified, requested=due, used=False)
            tx.save(account)
        assert await self._to_erase(world, due) == []
        await world.store.delete_rows(account_id)
        assert await self._to_erase(world, due) == []

    async def test_accounts_that_have_waited_longest_come_up_first(self, world: World) -> None:
        now, minute, day = world.clock.now(), timedelta(minutes=1), timedelta(days=1)
        waited = {}
        for minutes in (2, 4, 1):
            at = now - minutes * minute
            waited[minutes] = await world.account(state=AccountState.PENDING_DELETION, erase_at=at)
        waited[3] = await world.account(state=AccountState.UNVERIFIED, created_at=now - day - 3 * minute)
        found = list(await world.directory.accounts_to_erase(now, now - day, 9))
        assert found == [waited[minutes] for minutes in (4, 3, 2, 1)]
        assert list(await world.directory.accounts_to_erase(now, now - day, 2)) == found[:2]

    async def test_no_more_accounts_come_up_for_erasure_than_asked_for(self, world: World) -> None:
        due = world.clock.now()
        accounts = {await world.account(state=AccountState.PENDING_DELETION, erase_at=due) for _ in range(3)}
        found = await world.directory.accounts_to_erase(due, due - timedelta(days=1), 2)
        assert len(set(found) & accounts) == len(found) == 2

    async def test_an_export_expires_at_the_instant_and_not_before(self, world: World) -> None:
        account_id, due = await world.account(), world.clock.now()
        ready, broken_off, emptied = (world.new_export(account_id, expires_at=due) for _ in range(3))
        later = world.new_export(account_id, expires_at=due + INSTANT)
        broken_off.download(due - INSTANT)
        parts = [world.new_part(export, 0) for export in (ready, broken_off, later)]
        await world.commit(
            account_id, ready, later, broken_off, emptied, world.new_export(account_id), *parts
        )
        assert list(await world.directory.exports_to_expire(due - INSTANT, 9)) == []
        expired = {(account_id, export.id) for export in (ready, broken_off)}
        assert set(await world.directory.exports_to_expire(due, 9)) == expired
        assert len(await world.directory.exports_to_expire(due + INSTANT, 1)) == 1

    async def _to_erase(self, world: World, due_before: object = None) -> list[AccountId]:
        """Return what comes up when no unverified account does."""
        now = world.clock.now()
        before = due_before if due_before is not None else now
        return list(await world.directory.accounts_to_erase(before, now - timedelta(days=999), 9))  # type: ignore[arg-type]
