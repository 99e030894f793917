"""Events over a real socket: what is said, what it is said with, and to whom nothing is said any more."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from adapters.inbound.http import event_stream
from application.live_hub import LONGEST, MOST_OF_ACCOUNT
from domain.accounts import ProfileChanged
from domain.live_kinds import LiveKind
from tests.support.http_world import OURS, HttpWorld

MESSAGE = {"From": "+13105550178", "To": OURS, "Body": "hello", "NumMedia": "0"}


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running(sandbox=True) as http:
        yield http


def events(body: bytes) -> list[dict[str, Any]]:
    """Return the data of a stream's events, after making sure that each has the name and the id that it says."""
    found = []
    for block in body.decode().split("\n\n"):
        lines = dict(line.partition(": ")[::2] for line in block.splitlines() if not line.startswith(":"))
        if "data" in lines:
            data = json.loads(lines["data"])
            assert (lines["event"], lines["id"]) == (data["event"], data["id"])
            found.append(data)
    return found


async def by_now(http: HttpWorld, token: str, seen: str = "") -> list[dict[str, Any]]:
    headers = {"Last-Event-ID": seen} if seen else {}
    answer = await http.call("GET", "/v1/events?seconds=0", token=token, headers=headers)
    assert answer.status == 200
    return events(answer.body)


class Raw:
    """A client that reads only when it is told to."""

    def __init__(self, http: HttpWorld, token: str) -> None:
        self.connection = socket.create_connection(("127.0.0.1", http.port))
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.connection.settimeout(10)
        self.connection.sendall(
            f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n".encode()
        )

    async def read(self) -> bytes:
        return await asyncio.to_thread(self.connection.recv, 65536)

    async def rest(self) -> bytes:
        """Read to the end."""
        got = b""
        while more := await self.read():
            got += more
        self.connection.close()
        return got

    async def until(self, said: bytes) -> bytes:
        got = b""
        while said not in got:
            more = await self.read()
            assert more, "it was cut off"
            got += more
        return got


async def test_who_comes_back_is_told_what_they_missed(http: HttpWorld) -> None:
    token = await http.person()
    await http.line(token)
    (opened,) = await by_now(http, token)
    assert opened["event"] == "stream.opened"
    assert await by_now(http, token, opened["id"]) == [], "who goes on is told so by what follows"
    made = await http.call("POST", "/sandbox/sms", {"from": MESSAGE["From"], "to": OURS, "body": "hello"})
    assert made.status == 202
    (event,) = await by_now(http, token, opened["id"])
    assert (event["event"], event["at"]) == ("message.received", "2026-01-01T12:00:00Z")
    assert (await http.call("GET", f"/v1/messages/{event['subject']}", token=token)).json["body"] == "hello"
    assert await by_now(http, token, event["id"]) == []


@pytest.mark.parametrize("seen", ["x", "AAAAAAAAAAAAAAAAAAAAAQ", "7", "\xff", "a" * 4000])
async def test_what_was_never_an_event_is_answered_with_a_new_beginning(http: HttpWorld, seen: str) -> None:
    """A refusal would end most clients for good."""
    token = await http.person()
    (event,) = await by_now(http, token, seen)
    assert event["event"] == "stream.reset"
    assert await by_now(http, token, event["id"]) == []


async def test_nobody_on_the_way_is_to_hold_it_back(http: HttpWorld) -> None:
    token = await http.person()
    for method in ("GET", "HEAD"):
        answer = await http.call(method, "/v1/events?seconds=0", token=token)
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert answer.headers["Cache-Control"] == "no-store, no-transform"
        assert answer.headers["X-Accel-Buffering"] == "no"
        assert "Content-Length" not in answer.headers
        assert (answer.body == b"") is (method == "HEAD")
    assert http.world.use_cases.follow_events.hub.open == 0


async def test_strangers_and_too_many_streams_are_refused_before_anything_is_said(
    http: HttpWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await http.call("GET", "/v1/events")).status == 401
    token = await http.person()
    for wrong in ("3601", "-1", "1.5", "x", ""):
        assert (await http.call("GET", f"/v1/events?seconds={wrong}", token=token)).status == 422
    monkeypatch.setattr("application.live_hub.MOST", 0)
    answer = await http.call("GET", "/v1/events", token=token)
    assert (answer.status, answer.code) == (503, "no_room_for_streams")
    assert int(answer.headers["Retry-After"]) > 0


async def test_it_is_told_as_it_happens_until_the_session_is_revoked(http: HttpWorld) -> None:
    http.world.use_cases.follow_events.hub.longest = LONGEST
    token = await http.person()
    await http.line(token)
    other = await http.call(
        "POST", "/v1/sessions", {"email": "ada@example.org", "password": "correct horse battery staple"}
    )
    client = Raw(http, token)
    await client.until(b"stream.opened")
    await http.call("POST", "/sandbox/sms", {"from": MESSAGE["From"], "to": OURS, "body": "hello"})
    assert b"hello" not in await client.until(b"message.received")
    assert (
        await http.call("DELETE", f"/v1/sessions/{other.json['session']['id']}", token=token)
    ).status == 204
    await client.until(b"session.revoked")
    assert (await http.call("DELETE", "/v1/sessions/current", token=token)).status == 204
    assert (await client.rest()).endswith(b"0\r\n\r\n"), "it ends as an answer ends"


async def test_a_client_that_reads_nothing_is_cut_off_and_nothing_is_held_for_it(
    http: HttpWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "STALL_SECONDS", 0.2)
    hub = http.world.use_cases.follow_events.hub
    hub.longest = LONGEST
    token = await http.person()
    idle, lively = Raw(http, token), Raw(http, token)
    await lively.until(b"stream.opened")
    while hub.open < 2:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)
    (account,) = http.world.store.accounts

    async def change(tx: Any) -> None:
        one = await tx.accounts.get()
        for _ in range(200):
            one.record(
                ProfileChanged(account_id=account, subject=http.world.ids.new(), at=http.world.clock.now())
            )
        tx.save(one)

    for _ in range(200):
        await http.world.store.update(account, change)
        await lively.until(b"}\n\n\r\n")
        if hub.open == 1:
            break
    assert hub.open == 1, "it is still served"
    idle.connection.close()
    lively.connection.close()


async def test_a_server_that_ends_does_not_wait_for_those_who_follow(http: HttpWorld) -> None:
    http.world.use_cases.follow_events.hub.longest = timedelta(hours=1)
    token = await http.person()
    clients = [Raw(http, token) for _ in range(MOST_OF_ACCOUNT)]
    for client in clients:
        await client.until(b"stream.opened")
    http.world.use_cases.follow_events.close()
    for client in clients:
        await client.rest()
    assert (await http.call("GET", "/v1/events", token=token)).status == 503


def test_every_event_there_is_is_announced() -> None:
    names = {kind.value for kind in LiveKind}
    assert len(names) == len(LiveKind)
    assert all(name.count(".") == 1 for name in names)
