"""A Sandbox in a process of its own, as `./pico serve` runs it: to be talked to, and to be killed."""

from __future__ import annotations

import atexit
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.forked import QUICK, Forked
from bootstrap.postgres_cluster import cluster_of

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery staple"
PATIENCE = 60.0


class Command:
    """`./pico <words>` on a state folder, running; `said` is the first line it printed."""

    def __init__(self, state: Path, *words: str, **variables: str) -> None:
        self.state = state
        self.words = words
        self.variables = variables
        self.start()

    def start(self) -> None:
        """Start it and wait for its first line."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PICO_")}
        log = self.state.parent / f"{self.words[0]}.log"
        self.log = log.open("ab")
        self.process = Forked(
            "bootstrap",
            *self.words,
            environment=environment
            | QUICK
            | {"PICO_PORT": "0", "PICO_STATE_DIR": str(self.state)}
            | self.variables,
            folder=ROOT,
            errors=self.log.fileno(),
        )
        self.said = self.process.stdout.readline().strip()
        assert self.said.startswith("Pico "), log.read_text()[-2000:]

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ctrl-C."""
        self._end(signal.SIGINT)

    def ended(self) -> int:
        """Wait until it has ended, having been told to, and return its exit code."""
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        self.log.close()
        return code

    def _end(self, how: int) -> None:
        self.process.send_signal(how)
        self.ended()


class Served(Command):
    """`./pico serve`, and a client of it."""

    def __init__(self, state: Path, *options: str, **variables: str) -> None:
        if not state.exists() and "PICO_DATABASE_URL" not in variables:
            with_databases(state)
        super().__init__(state, "serve", *options, **variables)

    @property
    def url(self) -> str:
        return self.said.split()[3]

    @property
    def postmaster(self) -> int:
        """The process id of this Sandbox's database server."""
        (file,) = (self.state / "postgres").resolve().glob("postmaster.pid")
        return int(file.read_text().splitlines()[0])

    def ask(self, method: str, path: str, body: object = None, token: str = "", **headers: str) -> Any:
        """Send one request and return (status, JSON)."""
        request = urllib.request.Request(self.url + path, method=method)  # noqa: S310 - our own http address
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                status, raw = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                status, raw = error.code, error.read()
        return status, json.loads(raw) if raw else None

    def person(self, name: str, *, display_name: str = "Somebody") -> str:
        """Sign up, verify by the mail, and return a token."""
        email = f"{name}@example.org"
        new = {
            "email": email,
            "password": PASSWORD,
            "display_name": display_name,
            "locale": "en",
            "accepted": {"terms": True, "privacy": True},
        }
        assert self.ask("POST", "/v1/accounts", new)[0] == 202
        links: list[str] = []

        def mailed() -> bool:
            mails = self.ask("GET", "/sandbox/mails")[1]["items"]
            links[:] = [mail["token"] for mail in mails if mail["to"] == email and mail["token"]]
            return bool(links)

        until(mailed)
        proof = {"token": links[-1], "password": PASSWORD}
        status, signed_in = self.ask("POST", "/v1/account-verifications", proof)
        assert status == 201
        return str(signed_in["token"])

    def line(self, token: str, number: str, label: str | None = None) -> dict[str, Any]:
        """Buy a number."""
        wanted = {"number": number, "label": label}
        status, line = self.ask("POST", "/v1/lines", wanted, token, Idempotency_Key=secrets.token_hex(8))
        assert (status, line["state"]) == (201, "active")
        return dict(line)

    def send(self, token: str, line: dict[str, Any], to: str, body: str) -> dict[str, Any]:
        """Send a message."""
        status, message = self.ask(
            "POST",
            f"/v1/lines/{line['id']}/messages",
            {"to": to, "body": body},
            token,
            Idempotency_Key=secrets.token_hex(8),
        )
        assert status == 202
        return dict(message)

    def inbox(self, token: str) -> list[str]:
        """Return every message this person can see."""
        bodies = []
        for conversation in self.ask("GET", "/v1/conversations", token=token)[1]["items"]:
            page = self.ask("GET", f"/v1/conversations/{conversation['id']}/messages", token=token)[1]
            bodies += [message["body"] for message in page["items"]]
        return sorted(bodies)


def with_databases(state: Path) -> None:
    """Make a state folder with empty databases in it, as its first start makes them: a copy takes a twentieth of it."""
    if cluster_of(state / "postgres").reaches(state.parent):
        state.mkdir()
        for name in ("postgres", "keyring"):
            subprocess.run(["cp", "-a", empty_databases() / name, state / name], check=True)  # noqa: S607


@cache
def empty_databases() -> Path:
    """Return where two migrated databases lie, in which nothing has been: not a key either."""
    folder = Path(tempfile.mkdtemp(prefix="pico-empty-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    with (folder / "migrate.log").open("ab") as log:
        environment = {"PICO_STATE_DIR": str(folder / "state"), "PATH": os.environ["PATH"]}
        made = Forked("bootstrap", "migrate", environment=environment, folder=ROOT, errors=log.fileno())
    assert made.wait(PATIENCE) == 0, (folder / "migrate.log").read_text()
    made.stdout.close()
    return folder / "state"


def until(true: Callable[[], bool]) -> None:
    """Wait for something that should happen by itself."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Tell whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
