"""A database with a keyring in it, and a key service."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.outbound.postgres.pool import Database, connect
from adapters.outbound.postgres.schema import migrate_keyring
from tests.contract.conftest import Postgres
from tests.contract.keyring.gated_kms import GatedKms


@pytest.fixture
async def url(postgres: Postgres) -> str:
    return await postgres.bare("keyring")


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    await migrate_keyring(url)
    async with connect(url, least=1, most=4) as database:
        yield database


@pytest.fixture
async def kms() -> GatedKms:
    return GatedKms()
