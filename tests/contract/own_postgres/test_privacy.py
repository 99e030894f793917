"""What our own PostgreSQL lets out: no socket for others, nothing handed down, no value in its log."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from bootstrap.postgres_server import start
from tests.contract.own_postgres.server import CLIENT, QUICK, ask, eventually


def test_privacy_cannot_be_turned_off(data: Path) -> None:
    with start(data, settings=QUICK | {"log_min_messages": "debug1", "listen_addresses": "*"}) as server:
        assert ask(server.url("postgres"), "SHOW log_min_messages") == "log"
        assert ask(server.url("postgres"), "SHOW listen_addresses") == ""


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
