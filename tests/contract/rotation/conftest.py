"""Houses on the fakes and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.conftest import Postgres
from tests.contract.rotation.house import House, housed
from tests.support.harness import in_memory, on_postgres


@pytest.fixture(params=["memory", "postgres"])
async def house(request: pytest.FixtureRequest, postgres: Postgres, tmp_path: Path) -> AsyncIterator[House]:
    if request.param == "memory":
        async with housed(in_memory()) as found:
            yield found
        return
    async with on_postgres(postgres, tmp_path) as world, housed(world) as found:
        yield found


@pytest.fixture
async def stored(postgres: Postgres, tmp_path: Path) -> AsyncIterator[House]:
    async with on_postgres(postgres, tmp_path) as world, housed(world) as found:
        yield found
