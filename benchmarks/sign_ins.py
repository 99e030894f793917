"""`./pico bench --sign-ins`: what many who sign in at once cost those who read, and the server's memory.

A server in a process of its own is read from, first alone and then while so many sign in all the time, each of another
address and from another client. Its memory is looked at throughout. Reading may take twice as long at the 99th
percentile; memory may grow by what the hashes under way take, and a quarter of that.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any

from aiohttp import ClientSession, TCPConnector

from adapters.outbound.system.passwords import HASHES, PasswordCost

READS = 600
READERS = 4
MESSAGES = 30
SLOWER, LARGER = 2.0, 1.25
"""What is borne."""
PASSWORD = "correct horse battery staple"
OURS, STRANGER = "+12025550143", "+13105550178"


@dataclass(slots=True)
class Served:
    """A server, and somebody who has a conversation on it."""

    url: str
    pid: int
    client: ClientSession
    token: str = ""
    path: str = ""
    largest: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    """To those who sign in, by status."""

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> dict[str, Any]:
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        async with self.client.request(method, self.url + path, json=body, headers=headers) as answer:
            answer.raise_for_status()
            raw = await answer.read()
            found: dict[str, Any] = json.loads(raw) if raw else {}
            return found

    async def live(self) -> None:
        """Sign up, buy a number and get messages."""
        new = {"email": "ada@example.org", "password": PASSWORD, "display_name": "Ada", "locale": "en",
               "accepted": {"terms": True, "privacy": True}}  # fmt: skip
        await self.ask("POST", "/v1/accounts", new)
        while not (mails := (await self.ask("GET", "/sandbox/mails"))["items"]):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.1)
        proof = {"token": mails[0]["token"], "password": PASSWORD}
        self.token = str((await self.ask("POST", "/v1/account-verifications", proof))["token"])
        bought = {"number": OURS, "label": None}
        await self.ask("POST", "/v1/lines", bought, **{"Idempotency-Key": secrets.token_hex(8)})
        for number in range(MESSAGES):
            sms = {"from": STRANGER, "to": OURS, "body": f"message {number}"}
            await self.ask("POST", "/sandbox/sms", sms)
        conversation = (await self.ask("GET", "/v1/conversations"))["items"][0]
        self.path = f"/v1/conversations/{conversation['id']}/messages"

    async def read(self) -> list[float]:
        """Read the messages again and again; return the milliseconds of each time."""
        turns, took = iter(range(READS)), list[float]()

        async def reader() -> None:
            for _ in turns:
                began = perf_counter()
                await self.ask("GET", self.path)
                took.append((perf_counter() - began) * 1e3)

        await asyncio.gather(*(reader() for _ in range(READERS)))
        return took

    async def sign_in(self, numbers: count[int]) -> None:
        """Sign in without end, each time as somebody else and from elsewhere."""
        while True:
            number = next(numbers)
            body = {"email": f"somebody{number}@example.org", "password": PASSWORD}
            from_ = {"X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"}
            async with self.client.post(f"{self.url}/v1/sessions", json=body, headers=from_) as answer:
                await answer.read()
                self.answers[answer.status] += 1
            if answer.status == 503:
                await asyncio.sleep(float(answer.headers["Retry-After"]))

    async def watch(self) -> None:
        """Note how large the process gets, in bytes."""
        while True:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])  # noqa: ASYNC240 - it is no file
            self.largest = max(self.largest, pages * os.sysconf("SC_PAGE_SIZE"))
            await asyncio.sleep(0.02)


async def tell(at_once: int) -> int:
    """Measure, print, and return 1 if reading got more than twice as slow or memory grew without bound."""
    with tempfile.TemporaryDirectory(prefix="pico-sign-ins-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101, S103 - the database's user must reach it
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bootstrap", "serve", stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"PICO_PORT": "0", "PICO_STATE_DIR": f"{folder}/state"},
        )  # fmt: skip
        assert process.stdout is not None
        try:
            url = (await process.stdout.readline()).decode().split()[3]
            async with ClientSession(connector=TCPConnector(limit=0)) as client:
                return await _measured(Served(url, process.pid, client), at_once)
        finally:
            process.terminate()
            await process.wait()


async def _measured(served: Served, at_once: int) -> int:
    await served.live()
    await served.read()
    watching = asyncio.create_task(served.watch())
    alone = await served.read()
    before, numbers = served.largest, count()
    crowd = [asyncio.create_task(served.sign_in(numbers)) for _ in range(at_once)]
    await asyncio.sleep(1)
    beside = await served.read()
    for task in (*crowd, watching):
        task.cancel()
    slower = p99(beside) / p99(alone)
    grown, bound = (served.largest - before) / 2**20, HASHES * PasswordCost().memory_mib * LARGER
    sys.stdout.write(
        f"reading {MESSAGES} messages: p50 {quantiles(alone)[1]:.1f} ms and p99 {p99(alone):.1f} ms alone; "
        f"{quantiles(beside)[1]:.1f} and {p99(beside):.1f} ms beside {at_once} who sign in: "
        f"{slower:.2f} times as long\n"
        f"memory: {before / 2**20:.0f} MiB, and {grown:.0f} more at the most, of {bound:.0f} that are borne\n"
        f"signing in, answers by status: {dict(sorted(served.answers.items()))}\n"
    )
    return int(slower > SLOWER or grown > bound)


def p99(took: list[float]) -> float:
    """Return what one of a hundred took longer than."""
    return quantiles(took, n=100)[98]
