"""SIGTERM, on real processes: what is under way ends well, and nobody is let in any more."""

from __future__ import annotations

import json
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.support.sandbox_process import PASSWORD, Command, Served, until

pytestmark = pytest.mark.xdist_group("sandbox")

DRAIN = 3
BORIS = "+14155550101"


class Wire:
    """A connection that is kept, and what came over it."""

    def __init__(self, served: Served) -> None:
        self.socket = socket.create_connection(("127.0.0.1", int(served.url.rpartition(":")[2])), 20)
        self.came = b""

    def send(self, *lines: str, body: bytes = b"") -> None:
        self.socket.sendall("\r\n".join([*lines, "Host: pico", "", ""]).encode() + body)

    def until(self, what: bytes) -> bytes:
        """Read until something came."""
        while what not in self.came:
            some = self.socket.recv(1 << 16)
            assert some, f"{what!r} did not come, but {self.came!r}"
            self.came += some
        return self.came

    def to_its_end(self) -> bytes:
        """Read until the other side closes, which it must do properly."""
        while some := self.socket.recv(1 << 16):
            self.came += some
        return self.came


def test_a_server_that_is_told_to_end_says_so_serves_on_and_leaves_nothing_half_done(folder: Path) -> None:
    served = Served(folder / "state", PICO_DRAIN_SECONDS=str(DRAIN))
    token = served.person("ada")
    asked = json.dumps({"email": "ada@example.org", "password": PASSWORD}).encode()

    halfway, idle, following, asking = (Wire(served) for _ in range(4))
    halfway.send(
        "POST /v1/sessions HTTP/1.1",
        "Content-Type: application/json",
        f"Content-Length: {len(asked)}",
        body=asked[:20],
    )
    idle.send("GET /healthz HTTP/1.1")
    idle.until(b'"ok"}')
    following.send("GET /v1/events HTTP/1.1", f"Authorization: Bearer {token}")
    following.until(b"stream.opened")
    assert served.ask("GET", "/readyz")[0] == 200

    served.process.send_signal(signal.SIGTERM)
    told_at = time.monotonic()
    until(lambda: served.ask("GET", "/readyz")[0] == 503)
    assert time.monotonic() - told_at < DRAIN
    assert served.ask("GET", "/readyz")[1]["code"] == "ending"
    assert served.ask("GET", "/v1/account", token=token)[0] == 200, (
        "whoever has not heard of it is still served"
    )
    asking.send("GET /healthz HTTP/1.1")
    assert b"\r\nConnection: close\r\n" in asking.to_its_end(), "the next request would be lost"

    assert following.to_its_end().endswith(b"0\r\n\r\n"), "the stream was broken off"
    assert time.monotonic() - told_at >= DRAIN
    assert idle.to_its_end().count(b"HTTP/1.1 200") == 1
    until(lambda: not listens(served))
    halfway.socket.sendall(asked[20:])
    answer = halfway.to_its_end()
    assert answer.startswith(b"HTTP/1.1 201")
    assert answer.endswith(b"}"), "what was under way was not answered"
    assert served.ended() == 0
    for wire in (halfway, idle, following, asking):
        wire.socket.close()


def listens(served: Served) -> bool:
    try:
        Wire(served).socket.close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize("carrier_comes_back", [True, False])
def test_a_worker_that_is_told_to_end_ends_its_job_or_gives_it_back(
    folder: Path, carrier_comes_back: bool
) -> None:
    """The carrier hangs while the worker is told to end: for a second, or for longer than jobs may take to end."""
    served = Served(folder / "state", "--no-work")
    worker = Command(folder / "state", "work")
    try:
        ada = served.person("ada")
        line = served.line(ada, "+12025550143")
        boris = served.person("boris")
        served.line(boris, BORIS)
        message = served.send(ada, line, BORIS, "once")
        served.process.send_signal(signal.SIGSTOP)  # the simulated carrier hangs; the database does not
        time.sleep(1.0)
        worker.process.send_signal(signal.SIGTERM)
        if carrier_comes_back:
            time.sleep(1.0)
            served.process.send_signal(signal.SIGCONT)
        assert worker.ended() == 0
    finally:
        served.process.send_signal(signal.SIGCONT)
        worker.process.kill()
    again = Command(folder / "state", "work")
    try:
        until(
            lambda: served.ask("GET", f"/v1/messages/{message['id']}", token=ada)[1]["status"] == "delivered"
        )
        assert served.inbox(boris) == ["once"]
    finally:
        again.stop()
        served.stop()
