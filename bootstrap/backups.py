"""Backups: the main database without its keys, and the keyring, as sets of their own that are kept for their own time.

A set is one archive of `pg_dump`, made of one snapshot, in a folder of its kind; its name tells when it was made. It is
there whole or not at all. Nothing in it is readable without the key service.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from adapters.outbound.local import files
from bootstrap.postgres_cluster import our_programs
from domain.retention import Retention, RetentionRule

CUT_OFF_SECONDS = 86_400
"""A set that is not whole after that was cut off: it goes."""
STAMP = "%Y%m%dT%H%M%SZ"
CONNECTED = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pico'"
)


class BackupFailed(Exception):
    """A backup could not be made or restored. The message is a sentence for the operator and quotes no data."""


class Kind(StrEnum):
    """What a set holds."""

    STORE = "store"
    """The main database: rows, and no key."""
    KEYRING = "keyring"
    """Wrapped keys, and what is over."""

    def rule(self, retention: Retention) -> RetentionRule:
        """Return how long a set of this kind is kept."""
        return retention.backup if self is Kind.STORE else retention.keyring_backup


@dataclass(frozen=True, slots=True)
class Backups:
    """The sets in a folder for its owner only."""

    folder: Path
    retention: Retention

    def sets(self, kind: Kind) -> list[Path]:
        """Return the sets of a kind, the oldest first."""
        return sorted((self.folder / kind).glob(f"{kind}-*.dump"))

    def back_up(self, urls: Mapping[Kind, str], now: datetime) -> list[Path]:
        """Make a set of each database, one after the other; return where they lie. Raises BackupFailed."""
        made = []
        for kind, url in urls.items():
            place = self.folder / kind
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = place / f"{kind}-{now.astimezone(UTC):{STAMP}}.dump"
            new = path.with_suffix(".new")
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                _run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", into=file.fileno())
                os.fsync(file.fileno())
            new.replace(path)
            files.sync(place)
            made.append(path)
        return made

    def remove_old(self, now: datetime) -> list[Path]:
        """Remove every set that was kept for its time, the newest one too; return which. Repeating is harmless."""
        gone = []
        for kind in Kind:
            for path in self.sets(kind):
                if kind.rule(self.retention).due(made_at(path), now):
                    path.unlink()
                    gone.append(path)
            for cut_off in (self.folder / kind).glob("*.new"):
                if time.time() - cut_off.stat().st_mtime > CUT_OFF_SECONDS:
                    cut_off.unlink()
        return gone


def made_at(path: Path) -> datetime:
    """Return when a set was made, by its name. Raises ValueError."""
    return datetime.strptime(path.stem.rpartition("-")[2], STAMP).replace(tzinfo=UTC)


async def restore(archive: Path, url: str) -> None:
    """Make a database what it was when the set was made. Raises BackupFailed: nothing was changed, or it says so.

    No Pico may be connected to it. What it serves next goes through the restore gate.
    """
    _run("pg_restore", "", "--list", str(archive), into=subprocess.DEVNULL)  # it can be read to its end
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval(CONNECTED):
            raise BackupFailed("A Pico is connected to the database: stop it first.")
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    finally:
        await connection.close()
    try:
        options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
        _run("pg_restore", url, *options, str(archive), into=subprocess.DEVNULL)
    except BackupFailed:
        raise BackupFailed(
            "The set could not be restored, and the database is empty: restore another one."
        ) from None


def _run(program: str, url: str, *words: str, into: int) -> None:
    """Run a program of PostgreSQL. Its complaints may quote rows, so they are not passed on."""
    parts = urlsplit(url)
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    if parts.password is not None:  # not among the words, which everybody on the machine can read
        environment["PGPASSWORD"] = parts.password
        host = parts.netloc.rpartition("@")[2]
        url = urlunsplit(parts._replace(netloc=f"{quote(parts.username or '')}@{host}"))
    command = [str(our_programs() / program), *([f"--dbname={url}"] if url else []), *words]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=into,
        stderr=subprocess.DEVNULL,
        env=environment,
        check=False,
    )
    if done.returncode:
        raise BackupFailed(f"{program} ended with code {done.returncode}.")
