"""Promises about what there can only be one of, and about acts that happen once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from application.inventory import BY_TYPE
from application.ports.store import Tx, VersionConflict
from domain.idempotency import IdempotencyMismatch, IdempotencyRecord, Operation
from domain.kernel import CarrierRef
from domain.lines import LineState
from tests.contract.store.commits import assert_same
from tests.contract.store.world import LATER, World


class UniquePromises:
    async def test_an_identity_is_taken_once(self, world: World) -> None:
        account_id = await world.account()
        line = await world.line(account_id)
        with pytest.raises(VersionConflict):
            await world.commit(account_id, replace(world.new_line(account_id), id=line.id))
        assert_same(await world.read_line(line), line)

    async def test_an_address_belongs_to_one_account_however_it_is_written(self, world: World) -> None:
        first = await world.account(email="Noa@Example.com")
        second = world.new_account(email="noa@example.COM")
        await world.keyring.create(second.id)
        with pytest.raises(VersionConflict):
            await world.commit(second.id, second)
        assert await world.directory.account_by_email("noa@example.com") == first
        assert sum((await world.store.count_rows(second.id)).values()) == 0

    async def test_a_number_is_held_by_one_line_until_it_is_released(self, world: World) -> None:
        one, two = await world.account(), await world.account()
        line = await world.line(one, state=LineState.RELEASING)
        before = await world.traces(two)
        for account_id in (one, two):
            with pytest.raises(VersionConflict):
                await world.commit(account_id, world.ordered_line(account_id, line.number))
        assert await world.traces(two) == before
        async with world.store.begin(one) as tx:
            mine = await tx.lines.get(line.id)
            mine.released(world.clock.now())
            tx.save(mine)
        again = world.ordered_line(two, line.number)
        await world.commit(two, again)
        assert (await world.read_line(again)).number == line.number

    async def test_a_number_passes_from_one_line_to_another_in_a_single_commit(self, world: World) -> None:
        line = await world.line(await world.account())
        heir = world.ordered_line(line.account_id, line.number)
        async with world.store.begin(line.account_id) as tx:
            mine = await tx.lines.get(line.id)
            mine.released(world.clock.now())
            tx.save(mine)
            tx.save(heir)
        assert await world.directory.line(line.number, fresh=True) == (heir.account_id, heir.id)

    async def test_two_conversations_with_one_peer_cannot_begin_on_one_line(self, world: World) -> None:
        account_id = await world.account()
        line, other = await world.line(account_id), await world.line(account_id)
        first, twin = (
            world.new_conversation(line, "+15550001111"),
            world.new_conversation(line, "+15550001111"),
        )
        await world.commit(account_id, first, world.new_conversation(other, "+15550001111"))
        before = await world.traces(account_id)
        with pytest.raises(VersionConflict):
            await world.commit(account_id, twin, world.new_message(twin))
        assert await world.traces(account_id) == before
        async with world.store.begin(account_id) as tx:
            context = await tx.conversations.context(line.id, first.peer, Operation("other"))
            assert context.conversation == replace(first, version=1)

    async def test_a_carriers_reference_names_one_text_of_an_account(self, world: World) -> None:
        line = await world.line(await world.account())
        conversation = world.new_conversation(line)
        first = world.new_message(conversation, ref="SM1")
        await world.commit(line.account_id, conversation, first)
        before = await world.traces(line.account_id)
        with pytest.raises(VersionConflict):
            await world.commit(line.account_id, world.new_message(conversation, ref="SM1"))
        assert await world.traces(line.account_id) == before
        async with world.store.begin(line.account_id) as tx:
            assert_same(await tx.messages.by_ref(CarrierRef("SM1")), first)

    async def test_a_repeated_act_is_recognised_and_told_from_another_request(self, world: World) -> None:
        account_id = await world.account()
        line, operation = await world.line(account_id), Operation("send:key", "to\x1fbody")
        async with world.store.begin(account_id) as tx:
            assert await tx.idempotency.earlier_result(operation) is None
        once = world.new_record(account_id, operation)
        await world.commit(account_id, once)
        async with world.store.begin(account_id) as tx:
            context = await tx.conversations.context(line.id, world.new_conversation(line).peer, operation)
            for earlier in (await tx.idempotency.earlier_result(operation), context.earlier):
                assert earlier is not None
                assert (earlier.resource_id, earlier.same_request) == (once.resource_id, True)
            other = await tx.idempotency.earlier_result(Operation(operation.key, "to\x1fother body"))
            assert other is not None
            assert (other.resource_id, other.same_request) == (once.resource_id, False)
            assert await tx.idempotency.earlier_result(Operation("send:other key", operation.request)) is None

    async def test_an_act_that_is_never_done_again_leaves_that_it_was_done_and_nothing_else(
        self, world: World
    ) -> None:
        account_id, operation = await world.account(), Operation("receive:SM1")
        line = await world.line(account_id)

        async def change(tx: Tx) -> None:
            tx.never_again(operation)

        await world.store.update(account_id, change)
        assert (
            await world.store.purge(IdempotencyRecord, "expires_at", world.clock.now() + 400 * LATER, 9) == 0
        )
        async with world.store.begin(account_id) as tx:
            context = await tx.conversations.context(line.id, world.new_conversation(line).peer, operation)
            for earlier in (await tx.idempotency.earlier_result(operation), context.earlier):
                assert earlier is not None
                assert (earlier.resource_id, earlier.same_request) == (None, True)
                with pytest.raises(IdempotencyMismatch):
                    earlier.must_match()
            (record,) = await tx.records.page(BY_TYPE[IdempotencyRecord], None, 9)
        assert {name: value for name, value in record.items() if value is not None}.keys() <= {
            "id",
            "account_id",
        }
        assert record["id"].version == 4, "it does not tell when"
        with pytest.raises(VersionConflict):
            await world.store.update(account_id, change)

    async def test_an_act_done_twice_at_once_is_done_once(self, world: World) -> None:
        account_id = await world.account()
        operation = Operation("sms:SM1")
        await world.commit(account_id, world.new_record(account_id, operation))
        before = await world.traces(account_id)
        with pytest.raises(VersionConflict):
            await world.commit(
                account_id, world.new_record(account_id, operation), world.ordered_line(account_id)
            )
        assert await world.traces(account_id) == before

    async def test_of_many_who_do_one_act_at_the_same_moment_one_succeeds(self, world: World) -> None:
        account_id, operation = await world.account(), Operation("sms:SM1")
        rows, jobs, audited = await world.traces(account_id)
        tries = [(world.new_record(account_id, operation), world.ordered_line(account_id)) for _ in range(8)]
        ends = await asyncio.gather(
            *(world.commit(account_id, *made) for made in tries), return_exceptions=True
        )
        assert sorted(type(end).__name__ for end in ends) == ["NoneType", *["VersionConflict"] * 7]
        now, waiting, log = await world.traces(account_id)
        assert (waiting, log) == (jobs + 1, audited + 1)
        kinds = ("idempotency_records", "phone_lines", "audit_entries", "jobs")
        assert [now[kind] - rows[kind] for kind in kinds] == [1, 1, 1, 1]

    async def test_acts_of_two_accounts_do_not_collide(self, world: World) -> None:
        operation = Operation("send:same key", "same request")
        made = {}
        for account_id in (await world.account(), await world.account()):
            once = world.new_record(account_id, operation)
            await world.commit(account_id, once)
            made[account_id] = once.resource_id
        for account_id, resource_id in made.items():
            async with world.store.begin(account_id) as tx:
                earlier = await tx.idempotency.earlier_result(operation)
                assert earlier is not None
                assert earlier.resource_id == resource_id

    async def test_an_account_has_one_export_under_way(self, world: World) -> None:
        one, two = await world.account(), await world.account()
        first = world.new_export(one)
        await world.commit(one, first)
        await world.commit(two, world.new_export(two))
        await world.commit(one, world.new_export(one, expires_at=world.clock.now()))
        with pytest.raises(VersionConflict):
            await world.commit(one, world.new_export(one))
        async with world.store.begin(one) as tx:
            mine = await tx.exports.get(first.id)
            mine.ready(world.clock.now(), world.clock.now())
            tx.save(mine)
        await world.commit(one, world.new_export(one))
