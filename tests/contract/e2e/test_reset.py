"""`pico reset`: a Sandbox begins anew, but never one that runs, and never anything that is not its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.forked import Ran, run
from tests.support.sandbox_process import ROOT, Command, Served

pytestmark = pytest.mark.xdist_group("sandbox")  # one after the other: each starts a server of its own


@pytest.fixture
def state() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pico reset ") as folder:
        Path(folder).chmod(0o755)  # the database server may run as another user
        yield Path(folder) / "state"


def reset(state: Path, *words: str) -> Ran:
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PICO_")}
    words = ("reset", "--state-dir", str(state), *words)
    return run("bootstrap", *words, environment=outside, folder=ROOT, timeout=60)


def lies_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_sandbox_begins_anew_with_nothing_kept_and_the_clock_set_right(state: Path) -> None:
    pico = Served(state)
    pico.person("ada")
    assert pico.ask("POST", "/sandbox/clock", {"advance": "P10D"})[0] == 200
    refused = reset(state, "--really")
    assert (refused.returncode, refused.stderr) == (
        2,
        "pico: A Pico runs on PICO_STATE_DIR: stop it first.\n",
    )
    assert pico.ask("GET", "/readyz")[0] == 200
    pico.stop()
    (state / "notes.txt").write_text("not Pico's")
    before = lies_in(state)

    shown = reset(state)
    assert (shown.returncode, lies_in(state)) == (0, before)
    assert "would delete  10 days on its clock" in shown.stdout
    assert shown.stdout.endswith("./pico reset --really\n")

    done = reset(state, "--really")
    assert done.returncode == 0, done.stderr
    assert {name for name in lies_in(state) if not name.endswith(".lock")} == {"notes.txt"}
    assert shown.stdout.splitlines()[:-1] == [
        line.replace("deleted", "would delete") for line in done.stdout.splitlines()
    ]

    pico = Served(state)
    try:
        now = datetime.fromisoformat(pico.ask("GET", "/sandbox/clock")[1]["now"])
        assert abs(now - datetime.now(UTC)) < timedelta(minutes=5)
        assert pico.ask("GET", "/sandbox/mails")[1]["items"] == []
        pico.person("ada")
    finally:
        pico.stop()


def test_nothing_is_deleted_while_one_process_only_works(state: Path) -> None:
    served = Served(state, "--no-work")
    worker = Command(state, "work")
    served.stop()  # the worker stays, and still holds the folder
    try:
        assert reset(state, "--really").returncode == 2
        assert (state / "sandbox.json").exists()
    finally:
        worker.stop()


def test_a_database_that_lies_elsewhere_goes_with_the_link_to_it(state: Path) -> None:
    Served(state).stop()
    elsewhere = state.parent / "elsewhere"
    (state / "postgres").rename(elsewhere)
    (state / "postgres").symlink_to(elsewhere)
    assert reset(state, "--really").returncode == 0
    assert not elsewhere.exists()
    assert not (state / "postgres").is_symlink()


def test_a_folder_where_no_sandbox_lived_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    done = reset(tmp_path, "--really")
    assert (done.returncode, done.stdout) == (0, "Nothing to delete: no Sandbox has run there.\n")
    assert lies_in(tmp_path) == {"mail"}


def test_a_sandbox_on_an_operators_databases_keeps_the_keys_they_need(tmp_path: Path) -> None:
    (tmp_path / "sandbox.json").write_text('{"url": "http://127.0.0.1:8080", "server_urls": []}')
    done = reset(tmp_path, "--really")
    assert done.returncode == 2
    assert "databases of yours" in done.stderr
    assert (tmp_path / "sandbox.json").exists()
