"""What every keeper of live events promises: subclass `LiveEventsContract`, and give it a fixture `world`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from application.ports.live import LiveEvents
from bootstrap.worlds import InMemory
from domain.accounts import ProfileChanged
from domain.kernel import AccountId, NotFound
from domain.live import BEGINNING, NOWHERE, LiveEvent, LiveEventId, place_of
from domain.live_kinds import LiveKind
from tests.support.actors import PASSWORD, sign_up

DAY = timedelta(days=1)


async def happen(world: InMemory, account_id: AccountId, times: int = 1) -> list[UUID]:
    """Have something happen, in a commit each, and return to what it did."""
    subjects = []
    for _ in range(times):
        subject = world.ids.random_id()
        async with world.store.begin(account_id) as tx:
            account = await tx.accounts.get()
            account.record(ProfileChanged(account_id=account_id, subject=subject, at=world.clock.now()))
            tx.save(account)
        subjects.append(subject)
    return subjects


async def told(events: LiveEvents, account_id: AccountId, seen: LiveEventId) -> list[LiveEvent]:
    """Read to the end, a few at a time."""
    found: list[LiveEvent] = []
    while more := await events.after(account_id, found[-1].id if found else seen, 3):
        found += more
    return found


def subjects_of(events: Sequence[LiveEvent]) -> list[UUID]:
    return [event.subject for event in events]


class LiveEventsContract:
    @pytest.fixture
    def live(self, world: InMemory) -> LiveEvents:
        return world.live_events

    @pytest.fixture
    async def ada(self, world: InMemory) -> AccountId:
        return (await sign_up(world)).id

    async def test_what_happens_is_told_once_in_its_order_behind_what_was_seen(
        self, world: InMemory, live: LiveEvents, ada: AccountId
    ) -> None:
        head = await live.head(ada)
        assert await live.after(ada, head, 9) == []
        assert await live.head(ada) == head
        made = await happen(world, ada, 7)
        events = await told(live, ada, head)
        assert subjects_of(events) == made
        assert [place_of(event.id) for event in events] == [place_of(head) + n for n in range(1, 8)]
        assert {(event.kind, event.at, event.account_id) for event in events} == {
            (LiveKind.ACCOUNT_CHANGED, world.clock.now(), ada)
        }
        for at, event in enumerate(events):
            assert subjects_of(await told(live, ada, event.id)) == made[at + 1 :]
        assert await told(live, ada, head) == events, "places are given once"

    async def test_what_happened_before_anybody_followed_stands_before_the_head(
        self, world: InMemory, live: LiveEvents, ada: AccountId
    ) -> None:
        assert await live.after(ada, BEGINNING, 9) == [], "nobody has followed yet"
        await happen(world, ada, 3)
        head = await live.head(ada)
        assert place_of(head) >= 3
        assert await told(live, ada, head) == []
        assert (await told(live, ada, BEGINNING))[-1].id == head

    async def test_who_saw_an_event_may_resume_as_long_as_nothing_behind_it_is_gone(
        self, world: InMemory, live: LiveEvents, ada: AccountId
    ) -> None:
        head = await live.head(ada)
        await happen(world, ada, 2)
        first, second = await told(live, ada, head)
        other = (await sign_up(world, "ben")).id
        await live.head(other)
        assert await live.may_resume(ada, first.id)
        assert not await live.may_resume(other, first.id)
        for mark in (0, 1, (1 << 64) - 1):
            forged = LiveEventId(UUID(int=place_of(first.id) << 64 | mark))
            assert not await live.may_resume(ada, forged), "its place alone does not make an event"
        assert not await live.may_resume(ada, NOWHERE)
        assert not await live.may_resume(ada, LiveEventId(UUID(int=(place_of(second.id) + 1) << 64)))
        await world.advance(DAY)
        assert not await live.may_resume(ada, first.id), "what came behind it is gone"
        assert await live.head(ada) == second.id, "the stream goes on from where it was"
        await happen(world, ada)
        assert [place_of(e.id) for e in await told(live, ada, second.id)] == [place_of(second.id) + 1]
        assert await live.may_resume(ada, second.id), "all that came behind it is there"
        assert not await live.may_resume(ada, first.id)

    async def test_only_accounts_in_which_something_happened_are_stirred(
        self, world: InMemory, live: LiveEvents, ada: AccountId
    ) -> None:
        others = [(await sign_up(world, name)).id for name in ("ben", "eva")]
        seen = {each: await live.head(each) for each in (ada, *others)}
        assert await live.stirred(seen) == set()
        assert await live.stirred({}) == set()
        await happen(world, ada)
        await happen(world, others[0])
        assert await live.stirred(seen) == {ada, others[0]}
        seen[ada] = await live.head(ada)
        assert await live.stirred(seen) == {others[0]}

    async def test_a_commit_of_this_process_is_heard(
        self, world: InMemory, live: LiveEvents, ada: AccountId
    ) -> None:
        heard: list[AccountId] = []
        with live.hearing(heard.append):
            await happen(world, ada)
            async with world.store.begin(ada) as tx:
                await tx.accounts.get()
        await happen(world, ada)
        assert heard == [ada]

    async def test_many_writers_and_readers_agree_on_one_order(
        self, world: InMemory, live: LiveEvents, ada: AccountId
    ) -> None:
        head = await live.head(ada)
        writing = [asyncio.create_task(happen(world, ada, 10)) for _ in range(5)]

        async def follow() -> list[LiveEvent]:
            found: list[LiveEvent] = []
            while len(found) < 50:
                found += await live.after(ada, found[-1].id if found else head, 4)
            return found

        followed = await asyncio.gather(*(follow() for _ in range(3)))
        made = [subject for subjects in await asyncio.gather(*writing) for subject in subjects]
        first = followed[0]
        assert sorted(subjects_of(first)) == sorted(made)
        assert [place_of(event.id) for event in first] == [place_of(head) + n for n in range(1, 51)]
        assert all(other == first for other in followed)

    async def test_no_stream_outlives_its_account(
        self, world: InMemory, live: LiveEvents, ada: AccountId
    ) -> None:
        await live.head(ada)
        await world.use_cases.delete_account(ada, PASSWORD)
        await world.advance(30 * DAY)
        for _ in range(3):
            await world.advance(timedelta(minutes=5))
        with pytest.raises(NotFound):
            await live.head(ada)
        assert await live.after(ada, BEGINNING, 9) == []
        assert set((await world.store.count_rows(ada)).values()) == {0}
