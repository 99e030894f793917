"""Two servers and two workers, in processes of their own, on one PostgreSQL: what one does holds for all."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from benchmarks.kills import PASSWORD, Stage, staged
from tests.support.hasty_worker import MARK

pytestmark = pytest.mark.xdist_group("kills")

OURS, BORIS = "+12025550143", "+14155550101"
AT_ONCE = 50
POINTS = 10
STEP = 0.02
"""Seconds between two of the points at which a server is killed: together they cover what fifty requests take."""


@pytest.fixture
async def stage(folder: Path) -> AsyncIterator[Stage]:
    async with staged(folder, worker=("tests.support.hasty_worker",)) as stage:
        yield stage


def servers(stage: Stage) -> list[str]:
    return [f"http://127.0.0.1:{part.words[2]}" for part in stage.parts[:2]]


async def straight(
    stage: Stage, url: str, method: str, path: str, token: str, body: object = None, **headers: str
) -> tuple[int, Any]:
    """Ask one of the servers once."""
    headers["Authorization"] = f"Bearer {token}"
    async with stage.session.request(method, url + path, json=body, headers=headers) as answer:
        return answer.status, await answer.json() if await answer.read() else None


async def count_of(stage: Stage) -> int:
    """Return how many messages there are that somebody sends."""
    connection = await asyncpg.connect(stage.database_url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM messages WHERE direction = 'outbound'"))
    finally:
        await connection.close()


async def delivered(stage: Stage, token: str, message_id: str) -> None:
    async with asyncio.timeout(120):
        while (await stage.ask("GET", f"/v1/messages/{message_id}", token=token))["status"] != "delivered":  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.2)


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def stopped_workers(stage: Stage) -> list[int]:
    pids = [part.process.pid for part in stage.parts[2:] if part.process is not None]
    return [pid for pid in pids if is_stopped(pid)]


async def test_what_one_process_does_holds_for_all(stage: Stage, folder: Path) -> None:
    """One test, since two servers, two workers and two databases take long to start."""
    ada, boris = await stage.person("ada"), await stage.person("boris")
    line, _ = await stage.line(ada, OURS), await stage.line(boris, BORIS)
    path = f"/v1/lines/{line}/messages"
    await fifty_at_once_over_both_servers(stage, path, ada)
    await signed_out_here_is_signed_out_there(stage)
    await servers_killed_under_fifty_at_once(stage, path, ada)
    last = await a_worker_stopped_past_its_lease(stage, path, ada, folder)
    bodies = ["said once", last, *(f"point {point}" for point in range(POINTS))]
    async with asyncio.timeout(120):
        while set(came := await stage.inbox(boris)) != set(bodies):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.5)
    assert came == dict.fromkeys(bodies, 1), "a message was sent twice"


async def fifty_at_once_over_both_servers(stage: Stage, path: str, ada: str) -> None:
    message, both = {"to": BORIS, "body": "said once"}, servers(stage)
    answers = await asyncio.gather(
        *(
            straight(stage, both[number % 2], "POST", path, ada, message, **{"Idempotency-Key": "one"})
            for number in range(AT_ONCE)
        )
    )
    assert {status for status, _ in answers} <= {202, 409}
    assert len({answer["id"] for status, answer in answers if status == 202}) == 1
    assert await count_of(stage) == 1


async def signed_out_here_is_signed_out_there(stage: Stage) -> None:
    one, other = servers(stage)
    for here, there in ((one, other), (other, one)):
        credentials = {"email": "ada@example.org", "password": PASSWORD}
        token = str((await stage.ask("POST", "/v1/sessions", credentials))["token"])
        assert (await straight(stage, there, "GET", "/v1/account", token))[0] == 200
        assert (await straight(stage, here, "DELETE", "/v1/sessions/current", token))[0] == 204
        assert (await straight(stage, there, "GET", "/v1/account", token))[0] == 401, "it was still signed in"


async def servers_killed_under_fifty_at_once(stage: Stage, path: str, ada: str) -> None:
    """`kill -9` at ten points of what fifty requests take: whoever asks again is answered, and it happens once."""
    again: dict[int, asyncio.Task[None]] = {}
    for point in range(POINTS):
        if started := again.get(point % 2):
            await started
        message, key = {"to": BORIS, "body": f"point {point}"}, {"Idempotency-Key": f"point-{point}"}
        asked = [asyncio.create_task(stage.ask("POST", path, message, ada, **key)) for _ in range(AT_ONCE)]
        await asyncio.sleep(point * STEP)
        await stage.parts[point % 2].end(signal.SIGKILL)
        again[point % 2] = asyncio.create_task(stage.parts[point % 2].start())
        assert len({answer["id"] for answer in await asyncio.gather(*asked)}) == 1, f"point {point}"
    await asyncio.gather(*again.values())
    assert await count_of(stage) == 1 + POINTS


async def a_worker_stopped_past_its_lease(stage: Stage, path: str, ada: str, folder: Path) -> str:
    """One worker is stopped, right before it asks and writes. The other does the job; the first, woken, nothing."""
    (folder / MARK).touch()
    body = "not by both"
    last = await stage.ask("POST", path, {"to": BORIS, "body": body}, ada, **{"Idempotency-Key": "last"})
    await delivered(stage, ada, str(last["id"]))
    (stopped,) = stopped_workers(stage)
    os.kill(stopped, signal.SIGCONT)
    await asyncio.sleep(3)
    return body
