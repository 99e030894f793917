"""PostgreSQL and Valkey for the contract tests: one server for each test process, one database for each test."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg
import pytest

from adapters.outbound.postgres.schema import migrate, migrate_keyring
from bootstrap import postgres_server as server

if TYPE_CHECKING:
    from tests.support.valkey import Valkey

# Contracts live outside of test files: without this their assertions would fail without saying what they saw.
_TESTS = Path(__file__).parents[1]
_HELPERS = [
    ".".join(("tests", *path.relative_to(_TESTS).with_suffix("").parts))
    for folder in ("contract", "support")
    for path in (_TESTS / folder).rglob("*.py")
    if not path.stem.startswith(("test_", "conftest"))
]
pytest.register_assert_rewrite(*_HELPERS)

QUICK = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
TEMPLATE, TEMPLATE_WITH_KEYS = "pico_template", "pico_template_with_keys"
MEMORY, ROOM = Path("/dev/shm"), 4 << 30  # noqa: S108 - a folder of its own is made there


@dataclass
class Postgres:
    """A running server that hands out databases."""

    server: server.PostgresServer
    _numbers: Iterator[int] = field(default_factory=count)
    _migrated: bool = False
    _migrated_with_keys: bool = False

    async def database(self, name_hint: str = "test") -> str:
        """Make a migrated, empty database and return its address. Takes about 30 ms."""
        if not self._migrated:
            await migrate(await self._make(TEMPLATE, "template1"))
            self._migrated = True
        return await self._make(f"{name_hint}_{next(self._numbers)}", TEMPLATE)

    async def with_keyring(self, name_hint: str) -> str:
        """Make a migrated, empty database that holds the keyring as well, and return its address."""
        if not self._migrated_with_keys:
            dsn = await self._make(TEMPLATE_WITH_KEYS, "template1")
            await migrate(dsn)
            await migrate_keyring(dsn)
            self._migrated_with_keys = True
        return await self._make(f"{name_hint}_{next(self._numbers)}", TEMPLATE_WITH_KEYS)

    async def bare(self, name_hint: str = "bare") -> str:
        """Make a database without anything in it, such as a keyring's, and return its address."""
        return await self._make(f"{name_hint}_{next(self._numbers)}", "template1")

    async def drop(self, dsn: str) -> None:
        """Take a database away from under whoever is using it."""
        await self._run(f'DROP DATABASE IF EXISTS "{urlsplit(dsn).path[1:]}" WITH (FORCE)')

    async def interrupt(self, dsn: str) -> None:
        """Cut every connection to a database."""
        name = urlsplit(dsn).path[1:]
        await self._run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)

    @asynccontextmanager
    async def hidden(self, dsn: str) -> AsyncIterator[None]:
        """Cut every connection to a database, and refuse new ones for a while."""
        name = urlsplit(dsn).path[1:]
        await self._run(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await self.interrupt(dsn)
        yield
        await self._run(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')

    async def _make(self, name: str, template: str) -> str:
        # Files as they are: to copy through the log, as is usual, takes the server three times as long.
        await self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return self.server.url(name)

    async def _run(self, statement: str, *values: object) -> None:
        connection = await asyncpg.connect(self.server.url("postgres"))
        try:
            await connection.execute(statement, *values)
        finally:
            await connection.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    # A database is some three hundred files: in memory, where there is room, a clone takes a fifth of the time.
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    with tempfile.TemporaryDirectory(prefix="pico-", dir=MEMORY if roomy else None) as folder:
        Path(folder).chmod(0o755)  # the server runs as another user when the tests run as root
        with server.start(Path(folder) / "data", settings=QUICK) as running:
            yield Postgres(running)


@pytest.fixture(scope="session")
def one_valkey() -> Iterator[Valkey]:
    from tests.support.valkey import Valkey  # only now: see above

    with tempfile.TemporaryDirectory(prefix="pico-valkey-") as folder:
        running = Valkey(Path(folder))
        try:
            yield running
        finally:
            running.stop()


@pytest.fixture
def valkey(one_valkey: Valkey) -> Iterator[Valkey]:
    """Yield an empty Valkey. Whatever is done to it, the next test finds it running."""
    if one_valkey.process.poll() is not None:
        one_valkey.start()
    one_valkey.ask("FLUSHALL")
    one_valkey.ask("CONFIG", "SET", "maxmemory", 0)
    yield one_valkey
    one_valkey.thaw()
