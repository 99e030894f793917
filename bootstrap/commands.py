"""What the commands of the command line do. The heavy half is imported only by the command that needs it."""

# ruff: noqa: PLC0415 - `pico policy` must not load a web server, nor `pico --help` a database driver

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
import typer
from rich.console import Console

from adapters.inbound.cli import Commands
from adapters.inbound.operators import Options
from adapters.inbound.policy_command import ClauseReport, PolicyCommands
from application.inventory import INVENTORY
from application.number_reconciliation import Comparison
from bootstrap.data_map import with_data_map
from bootstrap.data_request_commands import DATA_REQUEST_COMMANDS
from bootstrap.key_commands import rotate_accounts
from bootstrap.operating import Access, note, product_at_hand
from bootstrap.operator_commands import OPERATOR_COMMANDS
from bootstrap.policy import POLICY, PROOFS, Verdict, declared_proofs, judge, parse
from bootstrap.settings import (
    ROOT,
    BadSettings,
    ProductionSettings,
    Settings,
    World,
    chosen_world,
    read_settings,
    variables,
)
from bootstrap.top import watch
from domain.audit import AuditKind

if TYPE_CHECKING:
    from datetime import datetime

    from bootstrap.backups import Backups
    from bootstrap.databases import Databases

log = structlog.get_logger()


def serve(work: bool, options: Options) -> None:  # noqa: FBT001 - the shape that the command line asks for
    """Serve the chosen world until the process is told to end. Raises BadSettings and what the world raises."""
    from bootstrap.event_loop import run

    run(_serve(options, work=work))


async def _serve(options: Options, *, work: bool) -> None:
    from bootstrap.event_loop import settle
    from bootstrap.process import ending

    if chosen_world() is World.PRODUCTION:
        from bootstrap.worlds.production import Production

        async with Production.from_environment(options).running(work=work) as url:
            settle()
            told = ending()
            typer.echo(f"Pico serves at {url} - stop with Ctrl-C")
            await told.wait()
    else:
        from bootstrap.worlds.sandbox import Sandbox

        async with Sandbox.running(read_settings(Settings, options), work=work) as sandbox:
            settle()
            told = ending()
            typer.echo(
                f"Pico serves at {sandbox.url} - documentation at {sandbox.url}/docs - stop with Ctrl-C"
            )
            await told.wait()


def work(options: Options) -> None:
    """Run jobs and sweeps of the chosen world until the process is told to end. Raises as `serve`."""
    from bootstrap.event_loop import run

    run(_work(options))


async def _work(options: Options) -> None:
    from bootstrap.event_loop import settle
    from bootstrap.process import ending

    working: AbstractAsyncContextManager[None]
    if chosen_world() is World.PRODUCTION:
        from bootstrap.worlds.production import Production

        working = Production.from_environment(options).working()
    else:
        from bootstrap.worlds.sandbox import Sandbox

        working = Sandbox.working(read_settings(Settings, options))
    async with working:
        settle()
        told = ending()
        typer.echo("Pico works - stop with Ctrl-C")
        await told.wait()


def reconcile(really: bool, options: Options) -> Comparison:  # noqa: FBT001 - the one answer that the command line passes on
    """Compare the carrier's numbers with our lines, and give orphans back if told `really`.

    Raises as `serve`, and what the comparison raises.
    """
    from bootstrap.event_loop import run

    return run(_reconcile(options, really=really))


async def _reconcile(options: Options, *, really: bool) -> Comparison:
    access = Access(AuditKind.OPERATOR_COMPARED_NUMBERS)
    async with product_at_hand(options, access) as product:
        compared = await product.use_cases.reconcile_numbers(really=really)
    for each in compared.differences:
        if each.released:
            log.warning("orphan number released", ref=each.ref, line=str(each.line_id))
    return compared


def tour(console: Console) -> int:
    """Play the tour; return how many traces were left."""
    from bootstrap.tour import tour as play

    return play(console)


def reset(really: bool, options: Options) -> Sequence[str]:  # noqa: FBT001 - the one answer that the command line passes on
    """Return what goes of the Sandbox on the state folder, or would go, and delete it if told `really`.

    Raises BadSettings while a Sandbox runs there, and PostgresUnavailable when its database is not ours to delete.
    """
    from bootstrap.sandbox_reset import reset as begin_anew

    return begin_anew(read_settings(Settings, options).state_dir, really=really)


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

    production = chosen_world() is World.PRODUCTION
    settings = read_settings(ProductionSettings if production else Settings, options)
    async with AsyncExitStack() as stack:
        found, clock = await at_hand(settings, stack)
        yield (
            Backups(settings.backup_dir or settings.state_dir / "backups", settings.retention),
            found,
            clock.now(),
        )


def rotate_master(options: Options, told: Callable[[int, int], None]) -> Sequence[str]:
    """Turn to the next master key; say what becomes of those before. Raises as `serve`, and EpochInUse."""
    return asyncio.run(_rotate_master(options, told))


async def _rotate_master(options: Options, told: Callable[[int, int], None]) -> Sequence[str]:
    async with product_at_hand(options, Access(AuditKind.OPERATOR_ROTATED_KEYS)) as product:
        retired = await product.use_cases.rotate_master_key(told)
    return [
        f"Master key {epoch.number} is gone for good from {epoch.gone_at:%Y-%m-%d %H:%M:%S} UTC."
        for epoch in retired
    ]


def clauses(run: bool) -> Sequence[ClauseReport]:  # noqa: FBT001 - the one answer that the command line passes on
    """Judge every clause of the policy by the proofs that the tests declare, and if asked to by running them.

    Raises PolicyError, and OSError when they cannot be run.
    """
    from bootstrap.proof_run import run_proofs, seen_of

    statuses = judge(parse(POLICY.read_text(encoding="utf-8")), declared_proofs(PROOFS))
    ran = run_proofs(ROOT, PROOFS) if run else {}
    reports = []
    for status in statuses:
        seen = seen_of(status.clause.id, status.proofs, ran) if run and status.proofs else None
        declared = status.clause.declared
        reports.append(
            ClauseReport(
                clause=status.clause.id,
                sentence=status.clause.text,
                verdict=status.verdict.value,
                pending=status.clause.pending,
                declared=declared.reason if declared else "",
                evidence=declared.evidence if declared else "",
                proofs=tuple((proof.test, proof.saboteur, proof.says) for proof in status.proofs),
                seen=str(seen or ""),
                broken=status.verdict in {Verdict.UNPROVED, Verdict.STALE}
                or (seen is not None and not seen.holds),
            )
        )
    return reports


def untranslated() -> Sequence[str]:
    """Return what the policy's translation lacks, or has too much. Raises PolicyError."""
    from bootstrap.publication import headings
    from bootstrap.translation import HEBREW, lacking, read_translation

    markdown = POLICY.read_text(encoding="utf-8")
    return lacking(parse(markdown), headings(markdown), read_translation(HEBREW.read_text(encoding="utf-8")))


def write_data_map() -> None:
    """Write the data map in PRIVACY.md anew, and RECORDS.md. Raises PolicyError when there is no place for one."""
    from bootstrap.records import RECORDS, records_of_processing

    markdown = with_data_map(POLICY.read_text(encoding="utf-8"), INVENTORY)
    POLICY.write_text(markdown, encoding="utf-8")
    RECORDS.write_text(records_of_processing(markdown, INVENTORY), encoding="utf-8")


COMMANDS = Commands(
    serve=serve,
    work=work,
    reset=reset,
    tour=tour,
    reconcile=reconcile,
    migrate=migrate,
    distribution=distribution,
    back_up=back_up,
    restore=restore,
    rotate_master=rotate_master,
    rotate_accounts=rotate_accounts,
    policy=PolicyCommands(clauses=clauses, untranslated=untranslated, write_data_map=write_data_map),
    variables=variables(),
    operator=OPERATOR_COMMANDS,
    data_requests=DATA_REQUEST_COMMANDS,
    watch=watch,
)
