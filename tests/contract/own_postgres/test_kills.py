"""Our own PostgreSQL and the Pico that runs it, under real kills: no mocks, and no sleep that merely hopes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap import postgres_cluster
from bootstrap.postgres_server import start
from tests.contract.own_postgres.server import (
    CLIENT,
    QUICK,
    alive,
    another_pico,
    ask,
    descendants,
    eventually,
    keep_a_row,
    keeps,
    serving,
)


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
