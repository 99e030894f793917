"""Letters are answered in time, and nothing of them is kept but that they came."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from adapters.outbound.postgres.data_requests import PostgresDataRequests
from application.data_requests import OpenDataRequest, WatchDataRequests
from application.purge import PurgeResult
from domain.data_requests import DataRequest, DataRequestKind, DataRequestOutcome
from domain.kernel import AccountId
from tests.support.actors import sign_up
from tests.support.harness import Anywhere, Databases
from tests.support.proofs import proves
from tests.support.sabotage import SkippedPurge

MOMENT, DAY = timedelta(microseconds=1), timedelta(days=1)


class Postponed(OpenDataRequest):
    """Dates a request by when somebody got to it, a week later."""

    async def __call__(
        self, kind: DataRequestKind, account_id: AccountId | None, received_at: datetime | None
    ) -> DataRequest:
        one = await super().__call__(kind, account_id, received_at)
        return replace(one, received_at=one.received_at + 7 * DAY)


class Quiet(WatchDataRequests):
    """Purges, and tells nobody of what waits."""

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        return PurgeResult((await super().__call__(now, limit)).purged)


class Hasty(WatchDataRequests):
    """Deletes what is closed a day too soon."""

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        return await super().__call__(now + DAY, limit)


class Naming(PostgresDataRequests):
    """Keeps the account's id itself."""

    async def _key(self, about: UUID) -> bytes:
        return about.bytes * 2


def postpones(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, open_data_request=Postponed)


def forgets_what_waits(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, watch_data_requests=Quiet)


def keeps_for_ever(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, watch_data_requests=lambda **_: SkippedPurge("data_requests"))


def is_hasty(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, watch_data_requests=Hasty)


def names_accounts(stored: Databases) -> Databases:
    return partial(stored, data_requests=lambda world: Naming(world.database, world.keyring))


@proves("Q2", text="29729a7c789e", saboteur=postpones, says="an answer may come after 30 days")
@proves("Q2", text="29729a7c789e", saboteur=forgets_what_waits, says="nobody is told that a letter waits")
async def test_a_letter_has_its_due_day_and_somebody_is_told_from_the_twentieth_day_on(
    anywhere: Anywhere,
) -> None:
    async with anywhere() as world:
        ada = await sign_up(world)
        came = world.clock.now()
        one = await world.use_cases.open_data_request(DataRequestKind.ACCESS, ada.id, None)
        day = came.date()
        month = (day.replace(day=1) + 31 * DAY).replace(day=min(day.day, 28))
        assert one.due_on <= day + 30 * DAY, "an answer may come after 30 days"
        assert one.due_on <= max(month, day + 28 * DAY) + 3 * DAY
        calm = await world.advance(19 * DAY)
        assert not calm.failed["data_request_urgent"], "somebody is told too soon"
        told = await world.advance(DAY)
        assert told.failed["data_request_urgent"] == 1, "nobody is told that a letter waits"
        late = await world.advance(timedelta(days=11))
        assert late.failed["data_request_late"] == 1, "nobody is told that a letter waits"
        await world.use_cases.close_data_request(one.id, ada.id, DataRequestOutcome.FULFILLED)
        done = await world.advance(DAY)
        assert not +done.failed


@proves("T13", text="de25b776b48b", saboteur=keeps_for_ever, says="a closed request outlasts its two years")
@proves("T13", text="de25b776b48b", saboteur=is_hasty, says="a closed request went early")
async def test_a_closed_request_is_kept_for_two_years_and_no_longer(anywhere: Anywhere) -> None:
    async with anywhere() as world:
        ada = await sign_up(world)
        one = await world.use_cases.open_data_request(DataRequestKind.ACCESS, ada.id, None)
        other = await world.use_cases.open_data_request(DataRequestKind.OBJECTION, ada.id, None)
        await world.use_cases.close_data_request(one.id, ada.id, DataRequestOutcome.REFUSED)
        await world.advance(730 * DAY - MOMENT)
        ids = {each.id for each in await world.use_cases.list_data_requests()}
        assert ids == {one.id, other.id}, "a closed request went early"
        await world.advance(MOMENT)
        ids = {each.id for each in await world.use_cases.list_data_requests()}
        assert ids == {other.id}, "a closed request outlasts its two years"


@proves("T13", text="de25b776b48b", saboteur=names_accounts, says="the desk says whose a request was")
async def test_of_a_letter_nothing_is_kept_but_that_it_came(stored: Databases) -> None:
    async with stored() as world:
        ada = await sign_up(world)
        one = await world.use_cases.open_data_request(DataRequestKind.ACCESS, ada.id, None)
        (row,) = await world.rows("data_requests")
        assert ada.id.bytes not in bytes(row["about"]), "the desk says whose a request was"
        kept = {name: value for name, value in dict(row).items() if name != "about"}
        assert {name: str(value) for name, value in kept.items()} == {
            "id": str(one.id), "kind": "access", "received_at": str(one.received_at), "closed_at": "None",
            "outcome": "None",
        }  # fmt: skip
