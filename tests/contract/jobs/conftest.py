"""A database with a queue in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.outbound.postgres.pool import Database, connect
from tests.contract.conftest import Postgres


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[Database]:
    async with connect(await postgres.database("queue"), least=1, most=6) as opened:
        yield opened
