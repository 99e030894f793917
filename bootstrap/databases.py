"""The Sandbox's two databases: an operator's, those of a server of its own, or those of a Sandbox that runs."""

from __future__ import annotations

from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import asyncpg

from adapters.outbound.system.clock import SystemClock
from bootstrap.postgres_server import PostgresUnavailable, start
from bootstrap.postgres_supervision import supervised
from bootstrap.sandbox_state import STATE, FollowedClock, SandboxState, in_use
from bootstrap.settings import Settings

APPLICATION = "pico_app"
"""The role as which the product uses our own main database, whose tables belong to another."""
FEW_AND_SMALL = MappingProxyType({"shared_buffers": "8MB", "max_connections": "20", "min_wal_size": "32MB"})
"""What suffices for a few small rows per account."""


@dataclass(frozen=True, slots=True)
class Databases:
    """Addresses of the main database and of the keyring's; the folder of our own server, if there is one.

    `owner_url` is the main database's for its owner, where the application signs in as somebody else and this process
    may bring the schema up to date.
    """

    database_url: str
    keyring_url: str
    folder: Path | None = None
    owner_url: str | None = None


async def databases(settings: Settings, stack: AsyncExitStack) -> Databases:
    """Return the operator's databases, or start two servers that end with `stack`, and no sooner: see `supervised`.

    Keys and rows lie in clusters of their own: a write-ahead log that both shared would hold a key beside what it
    opens, in one backup. Raises PostgresUnavailable, BadSettings.
    """
    if (given := await operators_own(settings)) is not None:
        return given
    folder = stack.enter_context(in_use(settings.state_dir))
    rows = stack.enter_context(start(folder / "postgres"))
    keys = stack.enter_context(start(folder / "keyring", settings=FEW_AND_SMALL))
    await stack.enter_async_context(supervised(rows, keys))
    await _create(rows.url("postgres"), "DATABASE pico")
    await _create(rows.url("postgres"), f"ROLE {APPLICATION} LOGIN")
    await _create(keys.url("postgres"), "DATABASE pico_keyring")
    return Databases(
        rows.url("pico", APPLICATION), keys.url("pico_keyring"), rows.data_dir, owner_url=rows.url("pico")
    )


async def databases_in_use(settings: Settings, state: SandboxState) -> Databases:
    """Return the databases of a Sandbox that another process serves. Raises PostgresUnavailable."""
    if (given := await operators_own(settings)) is not None:
        return given
    nothing_runs = "No Sandbox runs on PICO_STATE_DIR: start one with `pico serve --no-work`."
    if not state.server_urls:
        raise PostgresUnavailable(nothing_runs)
    database_url, keyring_url = state.server_urls
    await _must_answer(database_url, nothing_runs)
    return Databases(database_url, keyring_url)


async def at_hand(settings: Settings, stack: AsyncExitStack) -> tuple[Databases, SystemClock]:
    """Return the databases, of a Sandbox whether it is being served or not, and their clock. Raises as `databases`."""
    if (given := await operators_own(settings)) is not None and not (settings.state_dir / STATE).exists():
        return given, SystemClock()
    saved = SandboxState(stack.enter_context(in_use(settings.state_dir)) / STATE)
    try:
        found = await databases_in_use(settings, saved)
    except PostgresUnavailable:
        found = await databases(settings, stack)
    return found, FollowedClock(saved)


async def operators_own(settings: Settings) -> Databases | None:
    """Return the databases that the settings name, if they do. Raises PostgresUnavailable when one does not answer."""
    if settings.database_url is None or settings.keyring_url is None:
        return None
    owner = None if settings.owner_url is None else settings.owner_url.get_secret_value()
    given = Databases(
        settings.database_url.get_secret_value(), settings.keyring_url.get_secret_value(), owner_url=owner
    )
    for variable, url in (
        ("PICO_DATABASE_URL", given.database_url),
        ("PICO_KEYRING_URL", given.keyring_url),
    ):
        await _must_answer(url, f"{variable}: no PostgreSQL answers there, or it does not let us in.")
    return given


async def _create(server: str, what: str) -> None:
    """Create a database or a role on our own server. Repeating is harmless."""
    connection = await asyncpg.connect(server)
    try:
        with suppress(asyncpg.DuplicateDatabaseError, asyncpg.DuplicateObjectError):
            await connection.execute(f"CREATE {what}")
    finally:
        await connection.close()


async def _must_answer(url: str, complaint: str) -> None:
    """Ask a database that we did not start. Raises PostgresUnavailable, which quotes no address."""
    try:
        connection = await asyncpg.connect(url, timeout=10)
        await connection.close()
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError):
        answered = False
    else:
        answered = True
    if not answered:
        raise PostgresUnavailable(complaint)
