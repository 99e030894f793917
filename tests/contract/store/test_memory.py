"""The memory store under the contract, and the knobs it adds for other people's tests."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import pytest

from adapters.outbound.memory.backlog import MemoryBacklog
from adapters.outbound.memory.directory import MemoryDirectory
from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.memory.queue import DeadJob, MemoryQueue
from adapters.outbound.memory.store import MemoryStore
from adapters.outbound.memory.system import CountingIds, HandClock
from application.ports.backlog import Backlog
from application.ports.jobs import Again, Dead, Done, Job, LeasedJob, Outcome
from application.ports.store import JobGone, StoreUnavailable, Tx, VersionConflict
from domain.audit import AuditEntry
from domain.kernel import AccountId
from domain.values import Label
from tests.contract.store.contract import StoreContract, World


@dataclass
class MemoryWorld(World):
    store: MemoryStore
    queue: MemoryQueue

    @property
    def backlog(self) -> Backlog:
        return MemoryBacklog(self.store, self.queue)

    async def entries(self, account_id: AccountId) -> list[AuditEntry]:
        return [
            entry
            for entry in self.store.rows(account_id)[AuditEntry].values()
            if isinstance(entry, AuditEntry)
        ]

    async def public_log(self) -> set[bytes]:
        return set(self.store.audit_log.commitments)

    async def strike(self) -> None:
        self.store.outage = True


def fresh() -> MemoryWorld:
    clock, keyring = HandClock(), MemoryKeyring()
    ids, queue = CountingIds(clock), MemoryQueue(clock)
    store = MemoryStore(keyring, queue, ids)
    return MemoryWorld(store, MemoryDirectory(store), queue, keyring, clock, ids)


@pytest.fixture
def world() -> MemoryWorld:
    return fresh()


class TestMemoryStore(StoreContract):
    pass


async def test_a_lost_race_can_be_ordered(world: MemoryWorld) -> None:
    account_id = await world.account()
    world.store.lose_next = True
    with pytest.raises(VersionConflict):
        await world.line(account_id)
    assert (await world.store.count_rows(account_id))["phone_lines"] == 0
    await world.line(account_id)


async def test_an_answer_can_be_lost_after_the_commit(world: MemoryWorld) -> None:
    account_id = await world.account()
    world.store.lose_answer = True
    with pytest.raises(StoreUnavailable):
        await world.line(account_id)
    assert (await world.store.count_rows(account_id))["phone_lines"] == 1
    await world.line(account_id)


async def test_an_outage_ends(world: MemoryWorld) -> None:
    account_id = await world.account()
    world.store.outage = True
    with pytest.raises(StoreUnavailable):
        await world.line(account_id)
    world.store.outage = False
    await world.line(account_id)


async def test_units_of_work_started_together_really_race(world: MemoryWorld) -> None:
    line = await world.line(await world.account())
    ways = await asyncio.gather(*(world.relabel(line, str(n)) for n in range(5)), return_exceptions=True)
    assert [type(way) for way in ways].count(VersionConflict) == 4

    async def again(tx: Tx) -> None:
        mine = await tx.lines.get(line.id)
        mine.relabel(Label(f"{mine.label} again"))
        tx.save(mine)

    await asyncio.gather(*(world.store.update(line.account_id, again) for _ in range(5)))
    assert (await world.read_line(line)).version == 7


async def one_job(world: MemoryWorld, delay: timedelta = timedelta()) -> Job:
    account_id = await world.account()
    job = Job("mail_already_registered", account_id, account_id, delay)
    world.queue.put([job])
    return job


async def test_a_lost_answer_brings_the_job_again(world: MemoryWorld) -> None:
    await one_job(world)
    world.queue.lose_answers = 2
    attempts = []

    async def done(delivery: LeasedJob) -> Outcome:
        attempts.append(delivery.attempt)
        return Done()

    assert await world.queue.drain(done) == 3
    assert attempts == [0, 1, 2]


async def test_a_lost_answer_does_not_bring_back_a_job_that_its_commit_ended(world: MemoryWorld) -> None:
    await one_job(world)
    world.queue.lose_answers = 1

    async def end(delivery: LeasedJob) -> Outcome:
        async with world.store.begin(delivery.job.account_id, completing=delivery.lease):
            return Done()

    assert await world.queue.drain(end) == 1
    assert await world.queue.waiting() == 0


async def test_a_job_that_went_to_somebody_else_cannot_be_ended(world: MemoryWorld) -> None:
    await one_job(world)
    gone = 0

    async def lapse_first(delivery: LeasedJob) -> Outcome:
        nonlocal gone
        if delivery.attempt == 0:
            world.queue.lapse(delivery.lease)
        try:
            async with world.store.begin(delivery.job.account_id, completing=delivery.lease) as tx:
                tx.save(world.new_line(delivery.job.account_id))
        except JobGone:
            gone += 1
        return Done()

    assert await world.queue.drain(lapse_first) == 2
    assert gone == 1


async def test_a_job_whose_worker_dies_is_delivered_again(world: MemoryWorld) -> None:
    job = await one_job(world)

    async def hang(_: LeasedJob) -> Outcome:
        await asyncio.Event().wait()
        return Done()

    running = asyncio.create_task(world.queue.run(hang))
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    assert await world.work() == [job]


async def test_delays_run_by_the_hand_clock_and_wake_the_worker(world: MemoryWorld) -> None:
    job = await one_job(world, delay=timedelta(hours=1))
    working = asyncio.create_task(world.work())
    await asyncio.sleep(0.01)
    world.clock.advance(timedelta(minutes=59, seconds=59))
    await asyncio.sleep(0.01)
    assert not working.done()
    world.clock.advance(timedelta(seconds=1))
    assert await working == [job]


async def test_what_was_given_up_is_kept_aside_with_its_reason(world: MemoryWorld) -> None:
    job = await one_job(world)

    async def give_up(_: LeasedJob) -> Outcome:
        return Dead("hopeless")

    await world.queue.drain(give_up)
    assert world.queue.dead == [DeadJob(job, "hopeless")]
    assert world.queue.count(job.account_id) == 1


async def test_endless_work_is_noticed(world: MemoryWorld) -> None:
    await one_job(world)

    async def never(_: LeasedJob) -> Outcome:
        return Again(timedelta(), "busy")

    with pytest.raises(RuntimeError):
        await world.queue.drain(never)
