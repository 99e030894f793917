"""The Sandbox as newcomers and attackers meet it: a process, a folder, and kill -9."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from bootstrap.plaintext_scan import search_bytes, search_files
from tests.support.sandbox_process import PASSWORD, ROOT, Command, Served, alive, until

pytestmark = pytest.mark.xdist_group("sandbox")  # one after the other: each starts a server of its own


@pytest.fixture
def pico(folder: Path) -> Iterator[Served]:
    served = Served(folder / "state")
    yield served
    if served.process.poll() is None:
        served.stop()


def test_the_tour_ends_with_zero_traces() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bootstrap", "tour"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert "0 traces left" in done.stdout, done.stderr[-2000:]
    assert done.returncode == 0
    for shown in (
        "over HTTP/2, with all that it ever says:",
        "is now Noa",
        "is blocked: what it sends stays neither here nor at the carrier",
        "finds: Is the flat still free?",
        "recovered: line",
        "with one count altered it does not",
        "Carla sees: Ada, is that still your number?",
    ):
        assert shown in done.stdout


@pytest.mark.parametrize("victim", ["server", "postgres", "both"])
def test_kill_9_loses_nothing_and_leaves_nothing_running(pico: Served, victim: str) -> None:
    ada, boris = pico.person("ada"), pico.person("boris")
    line = pico.line(ada, "+12025550143")
    other = pico.line(boris, "+14155550101")
    sent = pico.send(ada, line, other["number"], "before the end")
    until(lambda: pico.inbox(boris) == ["before the end"])
    late = pico.send(ada, line, other["number"], "at the end")
    postmaster, server = pico.postmaster, pico.process.pid
    if victim != "server":
        os.kill(postmaster, signal.SIGKILL)
    if victim != "postgres":
        pico.kill()
    else:
        pico.stop()
    until(lambda: not alive(postmaster) and not alive(server))
    pico.start()
    assert pico.postmaster != postmaster
    until(lambda: pico.inbox(boris) == ["at the end", "before the end"])
    for message in (sent, late):
        path = f"/v1/messages/{message['id']}"
        until(lambda path=path: pico.ask("GET", path, token=ada)[1]["status"] == "delivered")  # type: ignore[misc]


def test_serving_and_working_can_be_two_processes(folder: Path) -> None:
    served = Served(folder / "state", "--no-work")
    try:
        new = {
            "email": "ada@example.org",
            "password": PASSWORD,
            "display_name": "Ada",
            "locale": "en",
            "accepted": {"terms": True, "privacy": True},
        }
        assert served.ask("POST", "/v1/accounts", new)[0] == 202
        time.sleep(1)
        assert served.ask("GET", "/sandbox/mails")[1]["items"] == [], "nobody works here"
        worker = Command(folder / "state", "work")
        try:
            until(lambda: bool(served.ask("GET", "/sandbox/mails")[1]["items"]))
            boris = served.person("boris")
            line = served.line(boris, "+12025550143")
            sent = served.send(boris, line, "+13105550178", "from one to the other")
            path = f"/v1/messages/{sent['id']}"
            until(lambda: served.ask("GET", path, token=boris)[1]["status"] == "delivered")
            assert served.ask("DELETE", "/v1/account", {"password": PASSWORD}, boris)[0] == 202
            assert served.ask("POST", "/sandbox/clock", {"advance": "P30D"})[0] == 200
            until(lambda: receipts(served) == 2)  # Ada's too, who never verified
        finally:
            worker.stop()
        assert worker.process.returncode == 0
    finally:
        served.stop()


def test_nothing_works_where_nothing_serves(folder: Path, pico: Served) -> None:
    pico.stop()
    for state in ("state", "another"):
        done = subprocess.run(
            [sys.executable, "-m", "bootstrap", "work"],
            cwd=ROOT,
            env={**os.environ, "PICO_STATE_DIR": str(folder / state)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert "PICO_STATE_DIR" in done.stderr


def test_a_taken_port_is_named_with_the_variable_that_changes_it(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "bootstrap", "serve"],
            cwd=ROOT,
            env={**os.environ, "PICO_PORT": port, "PICO_STATE_DIR": str(folder / "state")},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "PICO_PORT" in done.stderr
    assert port in done.stderr


def test_a_malformed_setting_is_named_and_not_shown() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bootstrap", "serve"],
        cwd=ROOT,
        env={**os.environ, "PICO_PORT": "s3cret"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "PICO_PORT" in done.stderr
    assert "s3cret" not in done.stderr


async def dump(dsn: str) -> bytes:
    """Return everything a logical dump would hold: every table, as text and as binary."""
    connection = await asyncpg.connect(dsn)
    pieces: list[bytes] = []

    async def keep(piece: bytes) -> None:
        pieces.append(piece)

    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in tables:
            await connection.copy_from_table(table, output=keep)
            await connection.copy_from_table(table, output=keep, format="binary")
        seen = await connection.fetch("SELECT most_common_vals::text, histogram_bounds::text FROM pg_stats")
        pieces.extend(repr(tuple(row)).encode() for row in seen)
    finally:
        await connection.close()
    return b"".join(pieces)


async def test_planted_values_are_nowhere_while_the_account_lives_and_gone_everywhere_after(
    pico: Served,
) -> None:
    mark = secrets.token_hex(6)
    planted = {
        "address": f"ada-{mark}@example.org",
        "name": f"Ada {secrets.token_hex(6)}",
        "label": f"line {secrets.token_hex(6)}",
        "number": "+16465550177",
        "peer": f"+1212555{secrets.randbelow(10_000):04}",
        "incoming": f"incoming {secrets.token_hex(6)}",
        "outgoing": f"outgoing {secrets.token_hex(6)}",
        "password": PASSWORD,
    }
    token = planted["token"] = pico.person(f"ada-{mark}", display_name=planted["name"])
    line = pico.line(token, planted["number"], planted["label"])
    text = {"from": planted["peer"], "to": planted["number"], "body": planted["incoming"]}
    assert pico.ask("POST", "/sandbox/sms", text)[0] == 202
    sent = pico.send(token, line, planted["peer"], planted["outgoing"])
    until(lambda: pico.ask("GET", f"/v1/messages/{sent['id']}", token=token)[1]["status"] == "delivered")
    assert pico.ask("POST", "/v1/account/exports", token=token)[0] == 202

    dsn = f"postgresql://pico@/pico?host={socket_of(pico)}&port=5432"
    connection = await asyncpg.connect(dsn)
    await connection.execute("ANALYZE")
    await connection.execute("CHECKPOINT")
    await connection.close()
    data = (pico.state / "postgres").resolve()
    assert search_files([data], planted) == []
    assert list(search_bytes("dump", await dump(dsn), planted)) == []

    assert pico.ask("DELETE", "/v1/account", {"password": PASSWORD}, token)[0] == 202
    assert pico.ask("POST", "/sandbox/clock", {"advance": "P30D"})[0] == 200
    until(lambda: planted["number"] not in str(pico.ask("GET", "/sandbox/providers")))
    until(lambda: receipts(pico) == 1)
    pico.stop()
    assert search_files([pico.state, pico.state.parent], planted) == []
    pico.start()


def receipts(pico: Served) -> int:
    """Count the erasures that the ledger calls complete."""
    return sum(
        file.read_text().count('{"completed":')
        for file in (pico.state / "ledger").rglob("*")
        if file.is_file()
    )


def socket_of(pico: Served) -> str:
    """Find the folder of the database's socket in the server's own lock file."""
    lines = ((pico.state / "postgres").resolve() / "postmaster.pid").read_text().splitlines()
    return lines[4]


def test_a_recycled_number_shows_its_next_owner_nothing(pico: Served) -> None:
    ada = pico.person("ada")
    line = pico.line(ada, "+12025550150")
    assert (
        pico.ask("POST", "/sandbox/sms", {"from": "+13105550178", "to": line["number"], "body": "for Ada"})[0]
        == 202
    )
    assert pico.ask("DELETE", "/v1/account", {"password": PASSWORD}, ada)[0] == 202
    erased = receipts(pico)
    assert pico.ask("POST", "/sandbox/clock", {"advance": "P30D"})[0] == 200
    until(
        lambda: receipts(pico) > erased
    )  # until then the number is hers: the carrier is asked about it once more
    assert line["number"] not in str(pico.ask("GET", "/sandbox/providers"))

    boris = pico.person("boris")
    again = pico.line(boris, line["number"])
    assert again["id"] != line["id"]
    assert pico.inbox(boris) == []
    assert (
        pico.ask("POST", "/sandbox/sms", {"from": "+13105550178", "to": line["number"], "body": "for Boris"})[
            0
        ]
        == 202
    )
    assert pico.inbox(boris) == ["for Boris"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PICO_STATE_DIR", "/dev/null"),
        ("PICO_STATE_DIR", "/proc/nowhere"),
        ("PICO_DATABASE_URL", "postgresql://u:s3/cret@127.0.0.1:5432/x"),
        ("PICO_DATABASE_URL", "postgresql://u:s3cret@127.0.0.1:1/x"),
        ("PICO_DATABASE_URL", "nonsense"),
    ],
)
def test_what_an_operator_can_mend_is_one_line_that_names_the_variable(variable: str, value: str) -> None:
    keyring = {"PICO_KEYRING_URL": f"{value}y"} if variable == "PICO_DATABASE_URL" else {}
    done = subprocess.run(
        [sys.executable, "-m", "bootstrap", "migrate"],
        cwd=ROOT,
        env={**os.environ, variable: value, **keyring},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert variable in done.stderr
    assert "s3" not in done.stderr


def test_what_no_webhook_told_is_found_all_the_same(pico: Served) -> None:
    """No message that comes in is lost with its webhook, and none that goes out stays on its way."""
    ada = pico.person("ada")
    line = pico.line(ada, "+12025550143")
    assert pico.ask("POST", "/sandbox/faults", {"drop": True})[0] == 200
    text = {"from": "+13105550178", "to": "+12025550143", "body": "nobody told you"}
    assert pico.ask("POST", "/sandbox/sms", text)[0] == 202
    sent = pico.send(ada, line, "+13105550178", "did you get this?")
    path = f"/v1/messages/{sent['id']}"

    def simulated() -> str:
        return str(pico.ask("GET", "/sandbox/providers")[1])

    assert pico.inbox(ada) == ["did you get this?"]

    def an_hour_later(true: Callable[[], bool]) -> bool:
        """Let an hour pass, and a moment for what falls due in it."""
        assert pico.ask("POST", "/sandbox/clock", {"advance": "PT1H"})[0] == 200
        time.sleep(0.5)
        return true()

    until(lambda: an_hour_later(lambda: pico.ask("GET", path, token=ada)[1]["status"] == "delivered"))
    until(lambda: an_hour_later(lambda: sorted(pico.inbox(ada)) == ["did you get this?", "nobody told you"]))
    until(lambda: an_hour_later(lambda: "nobody told you" not in simulated()))


def test_a_message_whose_webhook_never_came_arrives_all_the_same(pico: Served) -> None:
    ada = pico.person("ada")
    pico.line(ada, "+12025550143")
    assert pico.ask("POST", "/sandbox/faults", {"drop": True})[0] == 200
    sms = {"from": "+13105550178", "to": "+12025550143", "body": "nobody told you"}
    assert pico.ask("POST", "/sandbox/sms", sms)[0] < 300
    assert pico.inbox(ada) == []
    assert pico.ask("POST", "/sandbox/clock", {"advance": "PT1M"})[0] == 200
    until(lambda: pico.inbox(ada) == ["nobody told you"])
