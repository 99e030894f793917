"""What the commands about the databases do."""

# ruff: noqa: PLC0415 - the heavy half is imported when a command needs it

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.inbound.cli.databases import DatabaseCommands
from adapters.inbound.cli.options import Options
from bootstrap.operating import Access, note
from bootstrap.settings import (
    BadSettings,
    Settings,
    World,
    chosen_world,
    read_settings,
)
from domain.audit import AuditKind

if TYPE_CHECKING:
    from datetime import datetime

    from bootstrap.backups import Backups
    from bootstrap.databases import Databases


def migrate(distribute: bool, options: Options) -> None:  # noqa: FBT001 - the one answer that the command line passes on
    """Bring the schemas of both databases up to date, an operator's or our own.

    Raises as `serve`, and BadSettings when told to `distribute` what has no extension for it.
    """
    asyncio.run(_migrate(options, distribute=distribute))


async def _migrate(options: Options, *, distribute: bool) -> None:
    from adapters.outbound.postgres import schema
    from bootstrap.databases import databases

    async with AsyncExitStack() as stack:
        found = await databases(read_settings(Settings, options), stack)
        await schema.migrate_keyring(found.keyring_url)
        try:
            await schema.bring_up_to_date(found.database_url, found.owner_url, distribute=distribute)
        except schema.NotDistributable as refused:
            raise BadSettings("The database has no extension `citus`: --distribute needs it.") from refused


def distribution() -> Sequence[str]:
    """Return the statements by which `migrate` shards the tables."""
    from adapters.outbound.postgres.distribution import distribution as statements

    return statements()


def back_up(options: Options) -> Sequence[str]:
    """Make a set of each database, remove old ones, and say which. Raises BadSettings, BackupFailed, as `serve`."""
    note(options, Access(AuditKind.OPERATOR_BACKED_UP))
    return asyncio.run(_back_up(options))


async def _back_up(options: Options) -> Sequence[str]:
    from bootstrap.backups import Kind

    async with _backed_up(options) as (backups, found, now):
        made = backups.back_up(
            {Kind.STORE: found.owner_url or found.database_url, Kind.KEYRING: found.keyring_url}, now
        )
        removed = backups.remove_old(now)
    return [*(f"made     {path}" for path in made), *(f"removed  {path}" for path in removed)]


def restore(backup_set: str | None, keyring: str | None, really: bool, options: Options) -> Sequence[str]:  # noqa: FBT001 - as above
    """Restore a set of the main database, and one of the keyring if told to; say which. Raises as `back_up`."""
    done = asyncio.run(_restore(backup_set, keyring, options, really=really))
    if really:  # afterwards: what was noted before is restored away
        note(options, Access(AuditKind.OPERATOR_RESTORED))
    return done


async def _restore(
    backup_set: str | None, keyring: str | None, options: Options, *, really: bool
) -> Sequence[str]:
    from adapters.outbound.postgres.schema import bring_up_to_date
    from bootstrap.backups import BackupFailed, Kind, restore

    async with _backed_up(options) as (backups, found, _):
        sets = backups.sets(Kind.STORE)
        if backup_set is None and not sets:
            raise BackupFailed("There is no set to restore: see PICO_BACKUP_DIR.")
        wanted = [(Path(backup_set) if backup_set else sets[-1], found.owner_url or found.database_url)]
        if keyring is not None:
            wanted.append((Path(keyring), found.keyring_url))
        for archive, url in wanted if really else ():
            await restore(archive, url)
        if really:  # so that the application's role may do again what it needs
            await bring_up_to_date(found.database_url, found.owner_url)
    return [f"{'restored' if really else 'would restore'}  {archive}" for archive, _ in wanted]


@asynccontextmanager
async def _backed_up(options: Options) -> AsyncIterator[tuple[Backups, Databases, datetime]]:
    """Find the databases of the chosen world, where their backups lie, and the world's present."""
    from bootstrap.backups import Backups
    from bootstrap.databases import at_hand

    kind: type[Settings] = Settings
    if chosen_world() is World.PRODUCTION:
        from bootstrap.settings import ProductionSettings

        kind = ProductionSettings
    settings = read_settings(kind, options)
    async with AsyncExitStack() as stack:
        found, clock = await at_hand(settings, stack)
        yield (
            Backups(settings.backup_dir or settings.state_dir / "backups", settings.retention),
            found,
            clock.now(),
        )


DATABASE_COMMANDS = DatabaseCommands(
    migrate=migrate, distribution=distribution, back_up=back_up, restore=restore
)
