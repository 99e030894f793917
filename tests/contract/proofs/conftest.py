"""What proofs are about. Each fixture makes worlds; a saboteur hands over the same maker with something broken."""

from __future__ import annotations

import io
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest
import structlog
from pydantic import SecretStr

from adapters.outbound.redis.connection import connect as connect_to_redis
from adapters.outbound.redis.limits import RedisLimits
from adapters.outbound.sentry.reports import sentry
from bootstrap.container import NOTHING, Replaced
from bootstrap.logs import configure_logs
from bootstrap.settings import Settings
from bootstrap.worlds.sandbox import Sandbox
from tests.contract.conftest import Postgres
from tests.support.failing import PLACES, Reporting
from tests.support.harness import Anywhere, Databases, Worlds, in_memory, on_postgres, opened_in_memory
from tests.support.http_client import Edge, the_edge
from tests.support.valkey import Valkey


@pytest.fixture
def world() -> Worlds:
    """Makes worlds in memory: for the rules of life, with the clock moved."""
    return in_memory


@pytest.fixture
def stored(postgres: Postgres, tmp_path: Path) -> Databases:
    """Opens worlds on PostgreSQL: for the rules at rest."""
    return partial(on_postgres, postgres, tmp_path)


@pytest.fixture
async def counted_in_redis(stored: Databases, valkey: Valkey) -> AsyncIterator[Databases]:
    """Opens worlds on PostgreSQL that count what is limited in a Valkey: for what lies there."""
    async with connect_to_redis(valkey.url) as redis:
        yield partial(stored, limits=lambda world: RedisLimits(redis, world.keyring))


@pytest.fixture(params=["memory", "postgres"])
def anywhere(request: pytest.FixtureRequest) -> Anywhere:
    """Opens worlds in memory, and again on PostgreSQL: for the rules of life that SQL has its part in."""
    honest: Anywhere = opened_in_memory if request.param == "memory" else request.getfixturevalue("stored")
    return honest


@pytest.fixture
def edge() -> Edge:
    """Makes the HTTP edge of a world: for what comes in from outside, and what is noted on the way."""
    return the_edge


class Product(Protocol):
    """Runs the product as it is wired for use. A saboteur hands over a `partial` of it."""

    def __call__(self, *, replaced: Replaced = ...) -> AbstractAsyncContextManager[Sandbox]: ...


@pytest.fixture
def product(postgres: Postgres, tmp_path: Path) -> Product:
    @asynccontextmanager
    async def running(*, replaced: Replaced = NOTHING) -> AsyncIterator[Sandbox]:
        settings = Settings(
            port=0, state_dir=tmp_path, database_url=SecretStr(await postgres.database("product")),
            keyring_url=SecretStr(await postgres.bare("keyring")), public_url=None,
        )  # fmt: skip
        async with Sandbox.running(settings, replaced=replaced) as sandbox:
            yield sandbox

    return running


@pytest.fixture
def logs(postgres: Postgres) -> Iterator[Callable[[], bytes]]:
    """Read PostgreSQL's own log; and undo what the test does to ours."""
    yield Path(f"{postgres.server.data_dir}.log").read_bytes
    structlog.reset_defaults()
    logging.disable(logging.NOTSET)


@pytest.fixture
def reporting() -> Reporting:
    """Reports to Sentry as Production does."""
    return partial(sentry, release="0.1.0", environment="production")


@pytest.fixture
def told() -> Iterator[io.StringIO]:
    """What the logs of this process are told, written as they are in earnest."""
    lines = io.StringIO()
    configure_logs(lines)
    yield lines
    structlog.reset_defaults()
    logging.disable(logging.NOTSET)


@pytest.fixture
def planted() -> dict[str, str]:
    return {place: f"{place.split()[0]}{secrets.token_hex(12)}" for place in PLACES}
