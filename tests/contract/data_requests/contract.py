"""What every desk for requests keeps, whoever keeps it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from application.ports.data_requests import DataRequests
from domain.data_requests import (
    DataRequest,
    DataRequestClosed,
    DataRequestId,
    DataRequestKind,
    DataRequestOpen,
    DataRequestOutcome,
)

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=7)
MOMENT = timedelta(microseconds=1)
ADA, BORIS = uuid4(), uuid4()


def request(kind: DataRequestKind = DataRequestKind.ACCESS, at: datetime = NOW) -> DataRequest:
    return DataRequest(id=DataRequestId(uuid4()), kind=kind, received_at=at)


class DataRequestsContract:
    """Subclassed for each desk, which is a fixture `desk`."""

    async def test_keeps_what_was_asked_for_and_about_whom(self, desk: DataRequests) -> None:
        later, first = request(at=LATER), request(DataRequestKind.OBJECTION)
        await desk.add(later, ADA)
        await desk.add(first, ADA)
        await desk.add(other := request(at=NOW + MOMENT), BORIS)
        assert list(await desk.of(ADA)) == [first, later]
        assert list(await desk.of(uuid4())) == []
        assert list(await desk.all()) == [first, other, later]

    @pytest.mark.parametrize("kind", DataRequestKind)
    async def test_every_kind_is_kept(self, desk: DataRequests, kind: DataRequestKind) -> None:
        await desk.add(one := request(kind), ADA)
        assert list(await desk.all()) == [one]

    async def test_the_same_is_not_asked_for_twice_while_it_is_open(self, desk: DataRequests) -> None:
        await desk.add(first := request(), ADA)
        with pytest.raises(DataRequestOpen):
            await desk.add(request(at=LATER), ADA)
        await desk.close(first.closed(DataRequestOutcome.WITHDRAWN, LATER), ADA)
        await desk.add(again := request(at=LATER), ADA)
        assert [one.id for one in await desk.of(ADA)] == [first.id, again.id]

    async def test_of_many_at_once_one_is_kept(self, desk: DataRequests) -> None:
        came = await asyncio.gather(*(desk.add(request(), ADA) for _ in range(8)), return_exceptions=True)
        assert sorted(map(type, came), key=str) == sorted([type(None), *[DataRequestOpen] * 7], key=str)
        assert len(await desk.all()) == 1

    @pytest.mark.parametrize("outcome", DataRequestOutcome)
    async def test_is_closed_once_and_by_whom_it_is_about(
        self, desk: DataRequests, outcome: DataRequestOutcome
    ) -> None:
        await desk.add(one := request(), ADA)
        closed = one.closed(outcome, LATER)
        with pytest.raises(DataRequestClosed):
            await desk.close(closed, BORIS)
        assert list(await desk.all()) == [one]
        ended = await asyncio.gather(*(desk.close(closed, ADA) for _ in range(4)), return_exceptions=True)
        assert sum(end is None for end in ended) == 1
        assert list(await desk.of(ADA)) == [closed]
        with pytest.raises(DataRequestClosed):
            await desk.close(replace(closed, outcome=DataRequestOutcome.REFUSED), ADA)

    async def test_deletes_what_was_closed_by_then_and_never_what_is_open(self, desk: DataRequests) -> None:
        await desk.add(request(at=NOW - timedelta(days=999)), BORIS)
        for kind, at in zip(DataRequestKind, (LATER - MOMENT, LATER, LATER + MOMENT), strict=False):
            await desk.add(one := request(kind), ADA)
            await desk.close(one.closed(DataRequestOutcome.FULFILLED, at), ADA)
        assert await desk.purge(LATER - 2 * MOMENT, 9) == 0
        assert await desk.purge(LATER, 1) == 1
        assert await desk.purge(LATER, 9) == 1
        assert await desk.purge(LATER, 9) == 0
        assert [one.closed_at for one in await desk.all()] == [None, LATER + MOMENT]
