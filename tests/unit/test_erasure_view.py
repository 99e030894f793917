"""What an operator sees of erasures that are under way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from adapters.inbound.worker import Worker
from application.erasure_steps import ERASURE_STEPS
from application.ports.jobs import ERASURE_JOB, JobLease
from bootstrap.worlds import InMemory
from domain.kernel import AccountId
from tests.support.actors import PASSWORD, with_line

DAY = timedelta(days=1)


async def test_nothing_is_under_way_before_and_after(world: InMemory) -> None:
    ada = await with_line(world)
    assert await world.use_cases.list_erasures() == []
    await world.use_cases.delete_account(ada.id, PASSWORD)
    assert await world.use_cases.list_erasures() == []
    await world.advance(30 * DAY)
    assert await world.use_cases.list_erasures() == []


async def test_an_erasure_that_is_held_up_shows_its_step_its_age_and_why(world: InMemory) -> None:
    ada = await with_line(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    world.carrier.outage = True
    await world.advance(30 * DAY)
    (held,) = await world.use_cases.list_erasures()
    assert (held.account_id, held.state, held.failure) == (ada.id, "waiting", "carrier_unavailable")
    assert held.step in {step.name for step in ERASURE_STEPS}
    assert held.fingerprint == await world.fingerprint(ada.id)
    before = held.age
    await world.advance(DAY)
    (held,) = await world.use_cases.list_erasures()
    assert held.age == before + DAY
    assert held.attempts > 1
    world.carrier.outage = False
    await world.advance(DAY)
    assert await world.use_cases.list_erasures() == []


async def test_an_erasure_whose_job_is_gone_is_shown_all_the_same(world: InMemory) -> None:
    ada = await with_line(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    world.carrier.outage = True

    async def lost(_account: AccountId, _subject: object, _lease: JobLease) -> None:
        """Take the job and do nothing."""

    await world.advance(30 * DAY)
    handlers = {**world.use_cases.job_handlers, ERASURE_JOB: lost}
    world.worker = Worker(replace(world.use_cases, job_handlers=handlers), world.clock)
    await world.advance(DAY)
    found = await world.use_cases.list_erasures()
    assert [(one.state, one.account_id) for one in found] == [("lost", None)]
