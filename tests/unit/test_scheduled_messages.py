"""Messages for later: they go out at their time, once, and only if they still may."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from application.messages import Accepted
from application.ports.clock import ClocksDisagree
from bootstrap.worlds import InMemory
from domain.failures import FailureReason
from domain.idempotency import IdempotencyMismatch
from domain.kernel import NotFound
from domain.messages import NotInTime, NotScheduled, PeerOptedOut, Status
from domain.messages.schedule import EARLIEST, LATEST
from domain.spend import SpendLimited
from domain.values import PhoneNumber
from tests.support.actors import PASSWORD, STRANGER, Person, with_line

MOMENT, HOUR, DAY = timedelta(microseconds=1), timedelta(hours=1), timedelta(days=1)


async def later(ada: Person, by: timedelta = HOUR, body: str = "later", key: str | None = None) -> Accepted:
    """Schedule a message."""
    sent = await ada.sends(body, key=key, send_at=ada.world.clock.now() + by)
    await ada.world.settle()
    return sent


async def state(ada: Person, message: Accepted) -> tuple[Status, FailureReason | None]:
    row = await ada.world.use_cases.read_message(ada.id, message.id)
    return row.status, row.failure


@pytest.mark.parametrize("by", [EARLIEST, HOUR, 7 * DAY, 7 * DAY + MOMENT, 8 * DAY, LATEST])
async def test_it_goes_out_at_its_time_and_not_before(world: InMemory, by: timedelta) -> None:
    ada = await with_line(world)
    sent = await later(ada, by)
    assert sent.send_at == world.clock.now() + by
    assert await state(ada, sent) == (Status.SCHEDULED, None)
    await world.advance(by - MOMENT)
    assert not world.carrier.messages
    await world.advance(MOMENT)
    assert len(world.carrier.messages) == 1
    assert (await ada.keeps(sent.id)).attempted_at == sent.send_at


@pytest.mark.parametrize("by", [EARLIEST - MOMENT, timedelta(), -DAY, LATEST + MOMENT])
async def test_a_time_too_near_or_too_far_is_refused(world: InMemory, by: timedelta) -> None:
    ada = await with_line(world)
    with pytest.raises(NotInTime):
        await later(ada, by)


async def test_what_is_taken_back_never_goes_out(world: InMemory) -> None:
    ada = await with_line(world)
    canceled, deleted = await later(ada), await later(ada)
    for _ in range(2):
        assert (await world.use_cases.cancel_message(ada.id, canceled.id)).status is Status.CANCELED
    await world.use_cases.delete_message(ada.id, deleted.id)
    await world.advance(2 * DAY)
    assert "send" not in world.carrier.calls
    assert await state(ada, canceled) == (Status.CANCELED, None)
    assert await ada.inbox() == ["later"]
    await world.use_cases.delete_message(ada.id, canceled.id)
    await world.advance(HOUR)
    assert (await world.store.count_rows(ada.id))["messages"] == 0
    assert await world.queue.waiting() == 1, "only the next comparison of the line"


async def test_what_is_on_its_way_is_not_taken_back(world: InMemory) -> None:
    ada = await with_line(world)
    at_once, then = await ada.sends("now"), await later(ada)
    await world.advance(HOUR)
    for sent in (at_once, then):
        with pytest.raises(NotScheduled):
            await world.use_cases.cancel_message(ada.id, sent.id)
    await ada.receives("hello", ref="SM1")
    heard = next(
        m for m in (await world.use_cases.list_messages(ada.id, then.conversation_id, None, 9)).items
    )
    with pytest.raises(NotScheduled):
        await world.use_cases.cancel_message(ada.id, heard.id)


async def test_taking_it_back_at_the_last_moment_succeeds_or_is_refused_and_nothing_between(
    world: InMemory,
) -> None:
    ada = await with_line(world)
    ends = set()
    for turns in range(12):
        sent = await later(ada)
        before = len(world.carrier.messages)

        async def take_back(sent: Accepted = sent, turns: int = turns) -> bool:
            for _ in range(turns):
                await asyncio.sleep(0)
            try:
                await world.use_cases.cancel_message(ada.id, sent.id)
            except NotScheduled:
                return False
            return True

        world.clock.advance(HOUR)
        taken_back, _ = await asyncio.gather(take_back(), world.settle())
        await world.settle()
        assert len(world.carrier.messages) - before == (not taken_back)
        assert ((await state(ada, sent))[0] is Status.CANCELED) == taken_back
        ends.add(taken_back)
    assert ends == {True, False}


async def until_limited(act: Callable[[], Awaitable[object]]) -> None:
    """Do it until there may be no more."""
    with suppress(SpendLimited):
        for _ in range(1000):
            await act()
        raise AssertionError("no limit")


async def opt_out(ada: Person) -> None:
    await ada.receives("STOP")


async def block(ada: Person) -> None:
    await ada.world.use_cases.block_number(ada.id, PhoneNumber(STRANGER))


async def release(ada: Person) -> None:
    await ada.world.use_cases.release_line(ada.id, ada.line_id)


async def delete_account(ada: Person) -> None:
    await ada.deletes_account()


async def close_the_country(ada: Person) -> None:
    ada.world.spend_policy = replace(ada.world.spend_policy, countries=frozenset())
    ada.world.wire()


async def spend_all(ada: Person) -> None:
    ada.world.clock.advance(HOUR - timedelta(minutes=1))
    await until_limited(lambda: ada.sends("more"))


@pytest.mark.parametrize(
    ("meanwhile", "failure"),
    [
        (opt_out, FailureReason.OPTED_OUT),
        (block, FailureReason.NOT_ALLOWED),
        (close_the_country, FailureReason.NOT_ALLOWED),
        (release, FailureReason.LINE_NOT_ACTIVE),
        (delete_account, FailureReason.LINE_NOT_ACTIVE),
        (spend_all, FailureReason.LIMITED),
    ],
)
async def test_what_may_not_be_sent_by_then_fails_and_no_carrier_hears_of_it(
    world: InMemory, meanwhile: Callable[[Person], Awaitable[None]], failure: FailureReason
) -> None:
    ada = await with_line(world)
    sent = await later(ada)
    await meanwhile(ada)
    assert sent.send_at is not None
    await world.advance(sent.send_at - world.clock.now())
    message = await ada.keeps(sent.id)
    assert (message.status, message.failure, message.attempted_at) == (Status.FAILED, failure, None)
    assert not any(copy.body == "later" for copy in world.carrier.messages.values())


async def test_an_account_that_is_taken_back_in_time_sends_what_it_scheduled(world: InMemory) -> None:
    ada = await with_line(world)
    sent = await later(ada, 2 * DAY)
    await ada.deletes_account()
    await world.advance(DAY)
    await world.use_cases.recover_account(ada.email, PASSWORD)
    await world.advance(DAY)
    assert (await ada.keeps(sent.id)).ref in world.carrier.messages


async def test_an_erased_account_leaves_nothing_that_would_be_sent(world: InMemory) -> None:
    ada = await with_line(world)
    await later(ada, 60 * DAY)
    await ada.deletes_account()
    await world.advance(31 * DAY)
    for _ in range(3):
        await world.use_cases.sweep()
        await world.advance(HOUR)
    assert not any((await world.store.count_rows(ada.id)).values())
    await world.advance(60 * DAY)
    assert "send" not in world.carrier.calls


async def test_a_deleted_conversation_sends_nothing_any_more(world: InMemory) -> None:
    ada = await with_line(world)
    sent = await later(ada)
    await world.use_cases.delete_conversation(ada.id, sent.conversation_id)
    await world.advance(DAY)
    assert "send" not in world.carrier.calls


async def test_it_waits_while_nobody_can_say_what_was_spent(world: InMemory) -> None:
    ada = await with_line(world)
    sent = await later(ada)
    world.limits.outage = True
    await world.advance(HOUR)
    assert await state(ada, sent) == (Status.SCHEDULED, None)
    world.limits.outage = False
    await world.advance(HOUR)
    assert len(world.carrier.messages) == 1


async def test_no_wrong_clock_sends_it_early(world: InMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await with_line(world)
    sent = await later(ada, 30 * DAY)
    await world.queue.recall(timedelta(), 99)
    await world.settle()
    assert await state(ada, sent) == (Status.SCHEDULED, None), "a job that came early sent it"

    async def disagree() -> None:
        raise ClocksDisagree

    with monkeypatch.context() as wrong:
        wrong.setattr(world.clock, "agreed", disagree)
        await world.advance(30 * DAY)
        assert await state(ada, sent) == (Status.SCHEDULED, None), "nobody could tell that its time had come"
    await world.advance(HOUR)
    assert len(world.carrier.messages) == 1


async def test_it_is_too_late_a_day_after_its_time_and_not_a_day_after_it_was_written(
    world: InMemory,
) -> None:
    ada = await with_line(world)
    sent, missed = await later(ada, 10 * DAY), await later(ada, 12 * DAY)
    await world.advance(10 * DAY)
    await world.advance(HOUR)
    assert await state(ada, sent) == (Status.QUEUED, None)
    for _ in range(30):
        await world.advance(HOUR)
    assert (await state(ada, sent))[0] is Status.UNCONFIRMED
    world.clock.advance(3 * DAY)
    await world.settle()
    assert await state(ada, missed) == (Status.FAILED, FailureReason.CARRIER_OUTAGE)


async def test_a_message_is_scheduled_once_and_paid_when_it_is_sent(world: InMemory) -> None:
    ada = await with_line(world)
    before = dict(world.limits.full_at)
    policy = world.spend_policy
    paid = policy.of_a_young_account.name, str(ada.id)
    first = await later(ada, key="k")
    assert await ada.sends("later", key="k", send_at=first.send_at) == first
    for other in (None, world.clock.now() + 2 * HOUR):
        with pytest.raises(IdempotencyMismatch):
            await ada.sends("later", key="k", send_at=other)
    assert paid not in before.keys() | world.limits.full_at.keys()
    await world.advance(HOUR)
    assert paid in world.limits.full_at
    assert len(world.carrier.messages) == 1
    await until_limited(lambda: later(ada))


async def test_what_may_not_be_sent_now_is_not_scheduled_either(world: InMemory) -> None:
    ada = await with_line(world)
    await opt_out(ada)
    with pytest.raises(PeerOptedOut):
        await later(ada)
    with pytest.raises(NotFound):
        await world.use_cases.cancel_message(ada.id, world.ids.new())  # type: ignore[arg-type]  # nobody's
