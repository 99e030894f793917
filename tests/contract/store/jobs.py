"""Promises about jobs: queued in the commit that calls for them, ended in the commit of their effect."""

# ruff: noqa: PT012 - the statement that raises is the end of the unit of work

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.inbound.worker import LONGEST_WAIT
from application.jobs import JOB_TYPES
from application.ports.jobs import Again, Dead, Done, Job, LeasedJob, Outcome
from application.ports.store import JobGone, VersionConflict
from application.recall import FARTHEST
from domain.erasure import PATIENCE
from domain.kernel import CarrierRef, MessageId
from domain.messages import Conversation, MessageReceived
from domain.values import Label, MessageBody
from tests.contract.store.world import World


async def send_one(world: World) -> Job:
    """Commit one text that waits to be sent; return the job this calls for."""
    account_id = await world.account()
    conversation = world.new_conversation(await world.line(account_id))
    message = conversation.send(MessageId(world.ids.new()), MessageBody("hi"), world.clock.now())
    await world.commit(account_id, conversation, message)
    return Job("send_message", account_id, message.id)


class JobPromises:
    async def test_a_job_carries_ids_and_comes_no_earlier_than_it_should(self, world: World) -> None:
        account_id = await world.account()
        line = await world.line(account_id)
        conversation = Conversation.open(
            account_id,
            world.new_conversation(line).id,
            line.id,
            world.new_conversation(line).peer,
            world.clock.now(),
        )
        message = conversation.receive(
            MessageId(world.ids.new()), MessageBody("hi"), CarrierRef("SM1"), None, world.clock.now()
        )
        await world.commit(account_id, conversation, message)
        delay = JOB_TYPES["delete_carrier_copy"].after[MessageReceived]
        await world.queue.shift(delay / 2)
        at_once = await send_one(world)
        assert await world.work(left=1) == [at_once]
        await world.queue.shift(delay / 2)
        (job,) = await world.work()
        assert (job.name, job.account_id, job.subject) == (
            "delete_carrier_copy",
            account_id,
            message.id,
        )

    async def test_a_job_that_a_wrong_clock_put_off_is_called_back_and_no_other(self, world: World) -> None:
        account_id = await world.account()
        async with world.store.begin(account_id) as tx:
            for subject, delay in ((account_id, timedelta(days=90)), (world.ids.new(), FARTHEST)):
                tx.queue(Job("mail_verification", account_id, subject, delay))
        assert [await world.queue.recall(FARTHEST, 9) for _ in range(2)] == [1, 0]
        assert [job.subject for job in await world.work(left=1)] == [account_id]

    def test_no_job_is_put_off_for_longer_than_that(self) -> None:
        delays = [delay for job in JOB_TYPES.values() for delay in job.after.values()]
        assert max([*delays, LONGEST_WAIT * 2, PATIENCE]) < FARTHEST

    async def test_a_job_that_no_event_calls_for_joins_the_commit(self, world: World) -> None:
        account_id = await world.account()
        job = Job("mail_verification", account_id, account_id)
        with suppress(VersionConflict):
            async with world.store.begin(account_id) as tx:
                tx.queue(job)
                raise VersionConflict
        assert await world.queue.waiting() == 0
        async with world.store.begin(account_id) as tx:
            tx.queue(job)
            assert await world.queue.waiting() == 0
        assert await world.work() == [job]

    async def test_a_job_put_off_comes_again_and_counts_its_attempts(self, world: World) -> None:
        attempts = []

        async def put_off(delivery: LeasedJob) -> Outcome:
            attempts.append(delivery.attempt)
            return Again(timedelta(), "busy") if len(attempts) < 3 else Done()

        job = await send_one(world)
        assert await world.work(put_off, deliveries=3) == [job] * 3
        assert attempts == [0, 1, 2]

    async def test_a_job_given_up_waits_no_more_and_is_erased_with_its_account(self, world: World) -> None:
        async def give_up(_: LeasedJob) -> Outcome:
            return Dead("hopeless")

        given_up = await send_one(world)
        assert await world.work(give_up) == [given_up]
        other = await send_one(world)
        assert await world.work() == [other], "a dead job is not delivered"
        await world.store.delete_rows(given_up.account_id)
        assert sum((await world.store.count_rows(given_up.account_id)).values()) == 0

    async def test_a_commit_ends_its_job_whatever_the_worker_says_afterwards(self, world: World) -> None:
        async def done_then_confused(delivery: LeasedJob) -> Outcome:
            line = world.new_line(delivery.job.account_id)
            async with world.store.begin(delivery.job.account_id, completing=delivery.lease) as tx:
                tx.save(line)
            return Again(timedelta(), "confused")

        first = await send_one(world)
        assert await world.work(done_then_confused) == [first]
        other = await send_one(world)
        assert await world.work() == [other], "the ended job is not delivered again"

    async def test_a_job_ends_once_and_a_second_commit_under_its_ticket_keeps_nothing(
        self, world: World
    ) -> None:
        kept = []

        async def twice(delivery: LeasedJob) -> Outcome:
            account_id = delivery.job.account_id
            async with world.store.begin(account_id, completing=delivery.lease) as tx:
                tx.save(world.new_line(account_id))
            before = await world.traces(account_id)
            try:
                async with world.store.begin(account_id, completing=delivery.lease) as tx:
                    tx.save(world.ordered_line(account_id))
            except JobGone:
                kept.append((before, await world.traces(account_id)))
            return Done()

        job = await send_one(world)
        assert await world.work(twice) == [job]
        ((before, after),) = kept
        assert before == after

    async def test_a_job_is_held_for_its_own_account_and_until_it_ends(self, world: World) -> None:
        stranger = await world.account()
        told = []

        async def ask(delivery: LeasedJob) -> Outcome:
            account_id, lease = delivery.job.account_id, delivery.lease
            told.append(await world.queue.holds(account_id, lease))
            told.append(await world.queue.holds(stranger, lease))
            async with world.store.begin(account_id, completing=lease):
                pass
            told.append(await world.queue.holds(account_id, lease))
            return Done()

        await send_one(world)
        await world.work(ask)
        assert told == [True, False, False]

    async def test_a_commit_that_holds_a_job_keeps_nothing_once_that_is_anothers(self, world: World) -> None:
        stranger = await world.account()
        kept = []

        async def hold(delivery: LeasedJob) -> Outcome:
            mine, lease = delivery.job.account_id, delivery.lease
            older = replace(lease, token=lease.token - 1)
            for account_id, held in ((mine, lease), (mine, lease), (mine, older), (stranger, lease)):
                before = await world.traces(account_id)
                with suppress(JobGone):
                    async with world.store.begin(account_id) as tx:
                        tx.save(world.new_line(account_id))
                        tx.hold(held)
                kept.append(await world.traces(account_id) != before)
            async with world.store.begin(mine, completing=lease) as tx:
                pass
            with suppress(JobGone):
                async with world.store.begin(mine) as tx:
                    tx.hold(lease)
                kept.append(True)
            return Done()

        await send_one(world)
        await world.work(hold)
        assert kept == [True, True, False, False]

    async def test_a_commit_cannot_end_another_accounts_job(self, world: World) -> None:
        stranger = await world.account()
        refused = []

        async def meddle(delivery: LeasedJob) -> Outcome:
            before = await world.traces(stranger)
            try:
                async with world.store.begin(stranger, completing=delivery.lease) as tx:
                    tx.save(world.ordered_line(stranger))
            except JobGone:
                refused.append(await world.traces(stranger) == before)
            return Done()

        await send_one(world)
        await world.work(meddle)
        assert refused == [True]

    async def test_a_commit_that_fails_does_not_end_its_job(self, world: World) -> None:
        line = await world.line(await world.account())
        seen = []

        async def stale_first(delivery: LeasedJob) -> Outcome:
            with pytest.raises(VersionConflict):
                async with world.store.begin(line.account_id, completing=delivery.lease) as tx:
                    mine = await tx.lines.get(line.id)
                    await world.relabel(line, "winner")
                    mine.relabel(Label("loser"))
                    tx.save(mine)
            seen.append(await world.queue.waiting())
            async with world.store.begin(line.account_id, completing=delivery.lease):
                pass
            seen.append(await world.queue.waiting())
            return Done()

        conversation = world.new_conversation(line)
        message = conversation.send(MessageId(world.ids.new()), MessageBody("hi"), world.clock.now())
        await world.commit(line.account_id, conversation, message)
        await world.work(stale_first)
        assert seen == [1, 0]
