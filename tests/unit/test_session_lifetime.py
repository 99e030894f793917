"""How long a session lasts: it expires unused and in the end, its use is noted by the day, and what ended goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from adapters.outbound.memory.directory import MemoryDirectory
from application import unit_of_work
from application.ports.directory import OpenSession
from application.sessions import Caller, Unauthenticated
from bootstrap.worlds import InMemory
from domain.kernel import AccountId, SessionId
from domain.retention import Retention
from domain.sessions import Session, SessionOpened, SessionRevoked
from domain.values import SessionToken
from tests.support.actors import PASSWORD, sign_up

DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)
IDLE, WHOLE = Retention().idle_session.keep, Retention().session.keep
instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def session(began: datetime) -> Session:
    return Session.open(
        AccountId(UUID(int=1)), SessionId(UUID(int=2)), SessionToken("pico_s1_x"), began, Retention()
    )


def midnight_after(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0) + DAY


@given(began=instants, uses=st.lists(st.timedeltas(timedelta(), 40 * DAY), max_size=20))
def test_a_session_lives_while_it_is_used_and_never_past_its_whole_life(
    began: datetime, uses: list[timedelta]
) -> None:
    mine, last = session(began), began
    for use in uses:
        at = last + use
        if mine.is_over(at):
            break
        mine.use(at, Retention())
        last = at
    assert mine.ends_at == min(midnight_after(last) + IDLE, began + WHOLE)
    assert mine.is_over(mine.ends_at)
    assert not mine.is_over(mine.ends_at - MOMENT)
    ended = mine.ends_at
    mine.use(ended, Retention())
    assert mine.ends_at == ended, "what has ended stays so"


@given(began=instants, back=st.timedeltas(timedelta(), 400 * DAY))
def test_a_clock_set_back_shortens_no_session(began: datetime, back: timedelta) -> None:
    mine = session(began)
    ended = mine.ends_at
    mine.use(began - back, Retention())
    assert mine.ends_at == ended


async def test_a_session_that_is_not_used_expires(world: InMemory) -> None:
    ada = await sign_up(world)
    ends = midnight_after(world.clock.now()) + IDLE
    world.clock.advance(ends - world.clock.now() - MOMENT)
    other = await world.use_cases.sign_in(ada.email, PASSWORD)
    assert len(await world.use_cases.list_sessions(ada.id)) == 2
    world.clock.advance(MOMENT)
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await world.use_cases.authenticate(ada.signed_in.token)
    assert [one.id for one in await world.use_cases.list_sessions(ada.id)] == [other.session.id]


async def test_a_session_that_is_used_ends_all_the_same_at_last(world: InMemory) -> None:
    ada = await sign_up(world)
    began = world.clock.now()
    while world.clock.now() + IDLE < began + WHOLE:
        world.clock.advance(IDLE)
        await world.use_cases.authenticate(ada.signed_in.token)
    world.clock.advance(began + WHOLE - world.clock.now() - MOMENT)
    await world.use_cases.authenticate(ada.signed_in.token)
    world.clock.advance(MOMENT)
    with pytest.raises(Unauthenticated):
        await world.use_cases.authenticate(ada.signed_in.token)


async def test_its_use_is_written_once_a_day_and_tells_no_more_than_the_day(world: InMemory) -> None:
    ada = await sign_up(world)
    kept = world.store.rows(ada.id)[Session][ada.signed_in.session.id]
    seen = set()
    for _ in range(3 * 24):
        world.clock.advance(timedelta(hours=1))
        await world.use_cases.authenticate(ada.signed_in.token)
        kept = world.store.rows(ada.id)[Session][ada.signed_in.session.id]
        assert isinstance(kept, Session)
        seen.add((kept.version, kept.ends_at))
    assert len(seen) <= 4
    assert {ends.time() for _, ends in seen} == {datetime.min.time()}


async def test_a_token_tells_who_is_calling_and_is_noted_once_a_day(world: InMemory) -> None:
    ada = await sign_up(world)
    world.clock.advance(DAY)
    caller = Caller(ada.id, ada.signed_in.session.id)
    assert await world.use_cases.authenticate(ada.signed_in.token) == caller
    world.store.lose_next = True  # the race of the next commit
    assert await world.use_cases.authenticate(ada.signed_in.token) == caller
    assert world.store.lose_next, "a second use on the same day was written"


@given(began=instants, token=st.text(), other=st.text())
def test_a_row_opens_by_its_own_token_and_not_once_it_was_altered(
    began: datetime, token: str, other: str
) -> None:
    mine = Session.open(
        AccountId(UUID(int=1)), SessionId(UUID(int=2)), SessionToken(token), began, Retention()
    )
    assert mine.is_opened_by(token)
    assert mine.is_opened_by(other) == (other == token)
    mine.altered = True
    assert not mine.is_opened_by(token)


@given(began=instants, ended=instants)
def test_its_beginning_and_its_first_end_are_told(began: datetime, ended: datetime) -> None:
    mine = session(began)
    assert mine.collect() == [SessionOpened(account_id=mine.account_id, subject=mine.id, at=began)]
    mine.revoke(ended)
    mine.revoke(ended + DAY)
    assert mine.collect() == [SessionRevoked(account_id=mine.account_id, subject=mine.id, at=ended)]
    assert mine.revoked_at == ended


class Hasty(MemoryDirectory):
    """Finds a session that is purged by the time its use is noted."""

    @override
    async def session(self, token: str) -> OpenSession | None:
        found = await super().session(token)
        if found is not None:
            del self._store.rows(found.account_id)[Session][found.session_id]
        return found


async def test_the_session_that_goes_while_it_is_used_is_nobodys_error(world: InMemory) -> None:
    ada = await sign_up(world)
    world.clock.advance(DAY)
    world.directory = Hasty(world.store)
    world.wire()
    assert (await world.use_cases.authenticate(ada.signed_in.token)).account_id == ada.id


async def test_a_use_that_somebody_else_notes_first_is_nobodys_error(
    world: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await sign_up(world)
    world.clock.advance(DAY)
    monkeypatch.setattr(unit_of_work, "TRIES", 1)
    world.store.lose_next = True
    assert (await world.use_cases.authenticate(ada.signed_in.token)).account_id == ada.id
    assert not world.store.lose_next


async def test_the_account_that_goes_while_its_session_is_used_is_nobodys_error(world: InMemory) -> None:
    ada = await sign_up(world)
    world.clock.advance(2 * DAY)
    await world.keyring.destroy(ada.id)
    assert (await world.use_cases.authenticate(ada.signed_in.token)).account_id == ada.id


async def test_expired_sessions_go_ninety_days_after_they_ended(world: InMemory) -> None:
    ada = await sign_up(world)
    ends = midnight_after(world.clock.now()) + IDLE
    left = ends + 90 * DAY - world.clock.now()
    assert (await world.advance(left - MOMENT)).counts["sessions"] == 0
    assert (await world.advance(MOMENT)).counts["sessions"] == 1
    assert world.store.rows(ada.id)[Session] == {}


async def test_revoked_sessions_go_after_ninety_days(world: InMemory) -> None:
    ada = await sign_up(world)
    await world.use_cases.sign_in(ada.email, PASSWORD)
    await world.use_cases.sign_out(ada.id, ada.signed_in.session.id)
    assert (await world.advance(timedelta(days=90) - timedelta(microseconds=1))).counts["sessions"] == 0
    assert (await world.advance(timedelta(microseconds=1))).counts["sessions"] == 1
    assert len(world.store.rows(ada.id)[Session]) == 1
