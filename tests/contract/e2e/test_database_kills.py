"""kill -9 of the databases under load: whoever asks again is answered, nothing is lost and nothing happens twice."""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from tests.support.sandbox_process import Command, Served, until

pytestmark = pytest.mark.xdist_group("kills")

WRITERS = 3
ROUNDS = (("postgres",), ("keyring",), ("postgres", "keyring"))


def postmaster(served: Served, database: str) -> int:
    """The process id of one of the two servers, 0 while it has none."""
    try:
        return int((served.state / database / "postmaster.pid").read_text().split()[0])
    except (FileNotFoundError, IndexError):
        return 0


class Writer:
    """Sends one message after the other, each until it is taken, with one key."""

    def __init__(self, served: Served, token: str, line: str, to: str, name: str) -> None:
        self.served, self.token, self.line, self.to, self.name = served, token, line, to, name
        self.taken: dict[str, str] = {}
        self.answers: set[int] = set()
        self.stop = Event()

    def __call__(self) -> None:
        while not self.stop.is_set():
            body, key = f"{self.name} {len(self.taken):03}", secrets.token_hex(8)
            until(lambda body=body, key=key: self._taken(body, key))  # type: ignore[misc]
            time.sleep(0.3)

    def _taken(self, body: str, key: str) -> bool:
        path, message = f"/v1/lines/{self.line}/messages", {"to": self.to, "body": body}
        status, answer = self.served.ask("POST", path, message, self.token, Idempotency_Key=key)
        self.answers.add(status)
        if status == 202:
            self.taken[body] = answer["id"]
        return bool(status == 202)


def test_killed_databases_come_back_and_everything_goes_on(folder: Path) -> None:
    served = Served(folder / "state", "--no-work")
    worker = Command(folder / "state", "work")
    try:
        ada, boris = served.person("ada"), served.person("boris")
        line, other = served.line(ada, "+12025550143"), served.line(boris, "+14155550101")
        writers = [Writer(served, ada, line["id"], other["number"], f"writer {n}") for n in range(WRITERS)]
        with ThreadPoolExecutor(WRITERS) as pool:
            under_way = [pool.submit(writer) for writer in writers]
            try:
                for victims in ROUNDS:
                    kill(served, victims)
                    until(lambda: served.ask("GET", "/readyz")[0] == 200)
                    time.sleep(0.5)
            finally:
                for writer in writers:
                    writer.stop.set()
            for task in under_way:
                task.result()
        taken = {body: message for writer in writers for body, message in writer.taken.items()}
        assert {status for writer in writers for status in writer.answers} <= {202, 503}
        assert len(taken) > 3 * WRITERS
        wanted = Counter(taken.keys())
        until(lambda: sent(served, line["number"]) >= wanted)
        assert sent(served, line["number"]) == wanted, "each is at the carrier, once"
        for body, message in taken.items():
            status, shown = served.ask("GET", f"/v1/messages/{message}", token=ada)
            assert (status, shown["body"]) == (200, body)
        assert (served.process.poll(), worker.process.poll()) == (None, None)
    finally:
        worker.stop()
        served.stop()


def sent(served: Served, number: str) -> Counter[str]:
    """Count what the carrier holds from a number: what it told us meanwhile may be lost, as at Twilio."""
    messages = served.ask("GET", "/sandbox/providers")[1]["carrier"]["messages"]
    return Counter(
        each["body"] for each in messages if each["from"] == number and each["direction"] != "inbound"
    )


def kill(served: Served, victims: tuple[str, ...]) -> None:
    before = {victim: postmaster(served, victim) for victim in victims}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    until(lambda: all(postmaster(served, victim) not in {0, pid} for victim, pid in before.items()))
