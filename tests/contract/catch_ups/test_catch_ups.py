"""Whose turn it is to catch up with a carrier: one at a time, whoever asks, and never for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from adapters.outbound.memory.catch_ups import MemoryCatchUps
from adapters.outbound.postgres.catch_ups import PostgresCatchUps
from adapters.outbound.postgres.pool import connect
from application.ports.catch_ups import CatchUps, CatchUpTurn
from tests.contract.conftest import Postgres

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class CatchUpsContract:
    @pytest.fixture
    def catch_ups(self) -> CatchUps:
        raise NotImplementedError

    async def test_of_many_who_ask_at_once_one_has_the_turn(self, catch_ups: CatchUps) -> None:
        asked = await asyncio.gather(*(catch_ups.take("twilio", NOW, NOW + MINUTE) for _ in range(16)))
        [turn] = [turn for turn in asked if turn is not None]
        assert turn == CatchUpTurn("twilio", 1, None)

    async def test_each_carrier_has_a_turn_of_its_own(self, catch_ups: CatchUps) -> None:
        assert await catch_ups.take("twilio", NOW, NOW + MINUTE) is not None
        assert await catch_ups.take("telnyx", NOW, NOW + MINUTE) is not None

    async def test_who_dies_in_it_loses_it_in_time(self, catch_ups: CatchUps) -> None:
        first = await catch_ups.take("twilio", NOW, NOW + MINUTE)
        assert first is not None
        assert await catch_ups.take("twilio", NOW + MINUTE - timedelta(seconds=1), NOW + 2 * MINUTE) is None
        second = await catch_ups.take("twilio", NOW + MINUTE, NOW + 2 * MINUTE)
        assert second == CatchUpTurn("twilio", 2, None)
        assert not await catch_ups.keep(first, NOW + 9 * MINUTE, NOW)
        assert await catch_ups.take("twilio", NOW + 2 * MINUTE, NOW + 3 * MINUTE) == (first[0], 3, None)

    async def test_who_keeps_it_has_it_for_longer(self, catch_ups: CatchUps) -> None:
        turn = await catch_ups.take("twilio", NOW, NOW + MINUTE)
        assert turn is not None
        assert await catch_ups.keep(turn, NOW + 2 * MINUTE)
        assert await catch_ups.take("twilio", NOW + MINUTE, NOW + 2 * MINUTE) is None
        assert await catch_ups.take("twilio", NOW + 2 * MINUTE, NOW + 3 * MINUTE) is not None

    async def test_how_far_it_came_is_known_to_the_next_one_and_is_not_forgotten(
        self, catch_ups: CatchUps
    ) -> None:
        turn = await catch_ups.take("twilio", NOW, NOW + MINUTE)
        assert turn is not None
        assert await catch_ups.keep(turn, NOW + MINUTE, NOW - MINUTE)
        assert await catch_ups.keep(turn, NOW + MINUTE)
        later = await catch_ups.take("twilio", NOW + MINUTE, NOW + 2 * MINUTE)
        assert later == CatchUpTurn("twilio", 2, NOW - MINUTE)


class TestMemoryCatchUps(CatchUpsContract):
    @pytest.fixture
    def catch_ups(self) -> MemoryCatchUps:
        return MemoryCatchUps()


class TestPostgresCatchUps(CatchUpsContract):
    @pytest.fixture
    async def catch_ups(self, postgres: Postgres) -> AsyncIterator[PostgresCatchUps]:
        async with connect(await postgres.database("catch_ups"), least=1, most=4) as database:
            yield PostgresCatchUps(database)
