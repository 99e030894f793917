"""Promises about finding, ending and erasing: the directory, the sweeps, the audit log, and zero at the end."""

# ruff: noqa: PT012 - the statement that raises is the end of the unit of work

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from application.inventory import INVENTORY
from application.ports.jobs import Job, JobKind
from application.ports.store import VersionConflict
from domain.accounts import AccountState
from domain.erasure import Erasure, Step
from domain.idempotency import Operation
from domain.kernel import AccountId
from domain.lines import HOLDING, LineState
from tests.contract.store.world import World

INSTANT = timedelta(microseconds=1)


class LifePromises:
    async def test_a_session_is_found_by_its_token_until_it_is_revoked(self, world: World) -> None:
        account_id = await world.account()
        session = world.new_session(account_id, token="pico_s1_a")
        other = world.new_session(account_id, token="pico_s1_b")
        await world.commit(account_id, session, other)
        assert await world.directory.session("pico_s1_a") == (account_id, session.id)
        assert await world.directory.session("pico_s1_unknown") is None
        async with world.store.begin(account_id) as tx:
            mine = await tx.session(session.id)
            mine.revoke(world.clock.now())
            tx.save(mine)
        assert await world.directory.session("pico_s1_a") is None
        assert await world.directory.session("pico_s1_b") == (account_id, other.id)
        async with world.store.begin(account_id) as tx:
            account = await tx.account()
            account.request_deletion(world.clock.now(), world.clock.now())
            tx.save(account)
        assert await world.directory.session("pico_s1_b") is None, "begun while the account was leaving"

    async def test_an_account_is_found_by_its_address_in_any_standing_until_it_is_erased(
        self, world: World
    ) -> None:
        for state in AccountState:
            account_id = await world.account(state=state, email=f"{state}@Example.com")
            assert await world.directory.account_by_email(f"{state}@example.com") == account_id
            await world.store.delete_rows(account_id)
            assert await world.directory.account_by_email(f"{state}@example.com") is None
        assert await world.directory.account_by_email("nobody@example.com") is None

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
            line = await tx.line(has.line.id)
            line.released(world.clock.now())
            tx.save(line)
        world.directory.forget_line(has.line.number)
        assert await world.directory.line(has.line.number) is None
        heir = await world.line(await world.account(), number=has.line.number)
        assert await world.directory.line(heir.number) == (heir.account_id, heir.id)
        async with world.store.begin(heir.account_id) as tx:
            context = await tx.messaging_context(heir.id, has.conversation.peer, has.operation)
            assert (context.conversation, context.earlier) == (None, None)
            assert await tx.conversations(None, None, 9) == []

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

    async def test_an_unfinished_erasure_stays_due_until_it_is_forgotten(self, world: World) -> None:
        begun = await world.account(state=AccountState.ERASING)
        assert await self._to_erase(world) == [begun], "even before its first checkpoint"
        await world.store.checkpoint(Erasure(account_id=begun, began_at=world.clock.now(), done=Step.INTENT))
        assert await self._to_erase(world) == [begun], "idempotency_records"
        await world.store.delete_rows(begun)
        assert await self._to_erase(world) == [begun], "even without rows"
        await world.store.forget_erasure(begun)
        assert await self._to_erase(world) == []

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

    async def test_revoked_sessions_are_purged_at_the_instant_and_not_before(self, world: World) -> None:
        account_id, now = await world.account(), world.clock.now()
        living, late = world.new_session(account_id), world.new_session(account_id, revoked_at=now + INSTANT)
        revoked = [world.new_session(account_id, revoked_at=now) for _ in range(3)]
        await world.commit(account_id, living, late, *revoked)
        assert await world.store.purge_sessions(now - INSTANT, 9) == 0
        assert [await world.store.purge_sessions(now, 2) for _ in range(3)] == [2, 1, 0]
        async with world.store.begin(account_id) as tx:
            assert (await tx.session(late.id)).revoked_at == late.revoked_at
            assert [session.id for session in await tx.sessions()] == [living.id]
            assert (await tx.count_records())["sessions"] == 2

    async def test_acts_are_forgotten_at_the_instant_and_can_then_be_done_again(self, world: World) -> None:
        account_id, now = await world.account(), world.clock.now()
        acts = [Operation(f"operation {number}") for number in range(4)]
        expiries = (now, now, now, now + INSTANT)
        done = [
            world.new_record(account_id, operation, expires_at=at)
            for operation, at in zip(acts, expiries, strict=True)
        ]
        await world.commit(account_id, *done)
        assert await world.store.purge_idempotency_records(now - INSTANT, 9) == 0
        assert [await world.store.purge_idempotency_records(now, 2) for _ in range(3)] == [2, 1, 0]
        async with world.store.begin(account_id) as tx:
            assert [await tx.earlier_result(operation) is not None for operation in acts] == [
                False,
                False,
                False,
                True,
            ]
        await world.commit(account_id, world.new_record(account_id, acts[0]))

    async def test_an_audit_entry_opens_its_commitment_and_no_other(self, world: World) -> None:
        has, other = await world.belongings(), await world.belongings()
        log = await world.public_log()
        entries = [*await world.entries(has.account_id), *await world.entries(other.account_id)]
        assert len(entries) == len(log) == 4
        for entry in entries:
            assert log[entry.id] == entry.commitment
            assert log[entry.id] != replace(entry, at=entry.at + INSTANT).commitment
        assert len({entry.salt for entry in entries}) == 4

    async def test_erasure_takes_an_accounts_half_of_the_audit_log_and_no_more(self, world: World) -> None:
        has = await world.belongings()
        log = await world.public_log()
        await world.keyring.destroy(has.account_id)
        await world.store.delete_rows(has.account_id)
        assert await world.public_log() == log
        assert (await world.store.count_rows(has.account_id))["audit_entries"] == 0

    async def test_every_row_is_counted_then_deleted_then_zero_without_a_key(self, world: World) -> None:
        has = await world.belongings()
        async with world.store.begin(has.account_id) as tx:
            count_records = await tx.count_records()
        await world.keyring.destroy(has.account_id)
        counted = await world.store.count_rows(has.account_id)
        assert {stored.name: counted[stored.name] for stored in INVENTORY} == count_records
        assert sum(counted.values()) == sum(count_records.values()) + 2, "two jobs wait"
        assert await world.store.delete_rows(has.account_id) == counted
        assert await world.store.count_rows(has.account_id) == dict.fromkeys(counted, 0)
        assert await world.queue.waiting() == 0

    async def test_erasing_one_account_leaves_the_others_alone(self, world: World) -> None:
        gone, stays = await world.belongings(), await world.belongings()
        before = await world.store.count_rows(stays.account_id)
        await world.store.delete_rows(gone.account_id)
        assert await world.store.count_rows(stays.account_id) == before
        assert await world.queue.waiting() == 2
        assert await world.directory.line(stays.line.number) == (stays.account_id, stays.line.id)
        async with world.store.begin(stays.account_id) as tx:
            assert (await tx.message(stays.message.id)).body == stays.message.body

    async def test_deleting_rows_again_is_harmless(self, world: World) -> None:
        has = await world.belongings()
        await world.store.delete_rows(has.account_id)
        assert sum((await world.store.delete_rows(has.account_id)).values()) == 0
        nobody = AccountId(world.ids.new())
        assert sum((await world.store.delete_rows(nobody)).values()) == 0

    async def test_a_commit_that_comes_too_late_adds_nothing_to_an_erased_account(self, world: World) -> None:
        has = await world.belongings()
        for late in (world.new_session(has.account_id), world.ordered_line(has.account_id)):
            with pytest.raises(VersionConflict):
                async with world.store.begin(has.account_id) as tx:
                    tx.save(late)
                    await world.store.delete_rows(has.account_id)
        with pytest.raises(VersionConflict):
            async with world.store.begin(has.account_id) as tx:
                tx.queue(Job(JobKind.MAIL_KNOWN, has.account_id, has.account_id))
        assert sum((await world.store.count_rows(has.account_id)).values()) == 0
        assert await world.queue.waiting() == 0

    async def test_what_was_erased_leaves_its_number_and_address_free(self, world: World) -> None:
        account_id = await world.account(email="noa@example.com")
        line = await world.line(account_id)
        await world.store.delete_rows(account_id)
        world.directory.forget_line(line.number)
        again = await world.account(email="noa@example.com")
        heir = await world.line(again, number=line.number)
        assert await world.directory.account_by_email("noa@example.com") == again
        assert await world.directory.line(line.number) == (again, heir.id)

    async def test_a_checkpoint_is_remembered_until_the_erasure_is_forgotten(self, world: World) -> None:
        has, other = await world.belongings(), await world.account()
        began = Erasure(account_id=has.account_id, began_at=world.clock.now())
        assert await world.store.erasure(has.account_id) is None
        later = replace(began, done=Step.ROWS, texts=1, numbers=2, rows=3, messages_left=4)
        for checkpoint in (began, later, later):
            await world.store.checkpoint(checkpoint)
            assert await world.store.erasure(has.account_id) == checkpoint
        assert await world.store.erasure(other) is None
        await world.store.delete_rows(has.account_id)
        assert await world.store.erasure(has.account_id) == later, (
            "deleting rows does not lose the saga's place"
        )
        assert sum((await world.store.count_rows(has.account_id)).values()) == 0, (
            "nor does it count as a row left"
        )
        for _ in range(2):
            await world.store.forget_erasure(has.account_id)
            assert await world.store.erasure(has.account_id) is None

    async def _to_erase(self, world: World, due_before: object = None) -> list[AccountId]:
        """Return what comes up when no unverified account does."""
        now = world.clock.now()
        before = due_before if due_before is not None else now
        return list(await world.directory.accounts_to_erase(before, now - timedelta(days=999), 9))  # type: ignore[arg-type]
