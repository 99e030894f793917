"""`kill -9` under load: two servers and two workers share two databases and a carrier, and die at random.

Nothing may be lost, nothing may be done twice, no message may stay on its way, and of the accounts erased meanwhile
nothing may be left. What outlives the processes, as it does in life, runs here: PostgreSQL, the carrier, a balancer.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg
from aiohttp import ClientError, ClientSession, ClientTimeout

from adapters.outbound.postgres.pool import connect
from adapters.outbound.postgres.queue import PostgresQueue
from adapters.outbound.push.simulator import PushSimulator
from adapters.outbound.sendgrid.simulator import SendGridSimulator, as_read
from adapters.outbound.twilio.simulator import TwilioSimulator
from application.credentials import DECOY
from benchmarks.parts import ForkedPart, Part, lasting_port
from bootstrap.databases import FEW_AND_SMALL
from bootstrap.postgres_server import start
from bootstrap.sandbox_state import FollowedClock, SandboxState
from bootstrap.worlds.sandbox import ACCOUNT_SID, SENDER
from bootstrap.worlds.sandbox_push import simulated_push

PASSWORD = "correct horse battery staple"
STRANGER = "+13105550178"
DOOMED = tuple(f"+141555501{number:02d}" for number in range(2, 90))
EACH = 25
"""Messages of each kind for one account that comes and goes."""
PACE = (0.2, 1.2)
"""Seconds between two kills."""
PATIENCE = 300
"""Seconds within which everything must have come to its end after the last kill."""

Before = Callable[[str], AbstractAsyncContextManager[str]]
"""Given the carrier's address, what is asked instead."""


@dataclass
class Stage:
    """All that runs, and what was asked of it."""

    folder: Path
    saved: SandboxState
    simulator: TwilioSimulator
    post: SendGridSimulator
    push: PushSimulator
    database_url: str
    keyring_url: str
    parts: list[Part | ForkedPart]
    session: ClientSession
    sent: dict[str, str] = field(default_factory=dict)
    """By body, the id of each message that was accepted."""
    received: set[str] = field(default_factory=set)
    """The body of each message that the carrier took for us."""
    gone: list[str] = field(default_factory=list)
    """The id of each account that was deleted."""
    asked: Counter[int] = field(default_factory=Counter)
    """Answers by status, 0 for none."""

    async def ask(
        self, method: str, path: str, body: object = None, token: str = "", **headers: str
    ) -> dict[str, Any]:
        """Ask until there is an answer that stands: a person's app tries again with the same idempotency key."""
        if token:
            headers["Authorization"] = f"Bearer {token}"
        end = monotonic() + PATIENCE
        while monotonic() < end:
            try:
                async with self.session.request(
                    method, self.saved.url + path, json=body, headers=headers
                ) as answer:
                    self.asked[answer.status] += 1
                    if answer.status < 300:
                        raw = await answer.read()
                        return json.loads(raw) if raw else {}
                    if answer.status not in {409, 429} and answer.status < 500:
                        raise RuntimeError(f"{method} {path}: {answer.status} {await answer.text()}")
            except (ClientError, TimeoutError):
                self.asked[0] += 1
            await asyncio.sleep(0.2)
        raise RuntimeError(f"{method} {path}: no good answer in {PATIENCE} s, only {dict(self.asked)}")

    async def person(self, name: str) -> str:
        """Sign up, verify, and return a token."""
        email = f"{name}@example.org"
        new = {"email": email, "password": PASSWORD, "display_name": name, "locale": "en",
               "accepted": {"terms": True, "privacy": True}}  # fmt: skip
        credentials = {"email": email, "password": PASSWORD}
        for (
            attempt
        ) in count():  # an answer may be lost after the link was used, and a sign-up lapses in a day
            if attempt % 20 == 0:
                await self.ask("POST", "/v1/accounts", new)
            await asyncio.sleep(0.5)
            mails = [mail for mail in map(as_read, self.post.mails) if mail["to"] == email]
            for mail in mails:
                with suppress(RuntimeError):
                    await self.ask(
                        "POST", "/v1/account-verifications", {"token": mail["token"], "password": PASSWORD}
                    )
            if mails:  # before, signing in would only use up the guesses
                with suppress(RuntimeError):
                    return str((await self.ask("POST", "/v1/sessions", credentials))["token"])
        raise AssertionError

    async def line(self, token: str, number: str) -> str:
        """Buy a number, and return its line's id."""
        wanted = {"number": number, "label": None}
        bought = await self.ask("POST", "/v1/lines", wanted, token, **{"Idempotency-Key": f"buy{number}"})
        return str(bought["id"])

    async def send(self, token: str, line: str, to: str, body: str) -> None:
        """Send a message; it must arrive once."""
        key = {"Idempotency-Key": body.replace(" ", "-")}
        message = await self.ask("POST", f"/v1/lines/{line}/messages", {"to": to, "body": body}, token, **key)
        self.sent[body] = message["id"]

    async def pages(self, path: str, token: str) -> AsyncGenerator[dict[str, Any], None]:
        """Yield every item of a list."""
        cursor = ""
        while cursor is not None:
            page = await self.ask("GET", f"{path}?limit=100{cursor and f'&cursor={cursor}'}", token=token)
            for item in page["items"]:
                yield item
            cursor = page["next_cursor"]

    async def messages(self, token: str) -> AsyncIterator[dict[str, Any]]:
        """Yield every message."""
        async for conversation in self.pages("/v1/conversations", token):
            async for message in self.pages(f"/v1/conversations/{conversation['id']}/messages", token):
                yield message

    async def inbox(self, token: str) -> Counter[str]:
        """Return how often each body is there."""
        return Counter([message["body"] async for message in self.messages(token)])


async def kills(times: int, folder: Path, say: Callable[[str], None]) -> int:
    """Kill `times` times under load. Return how many promises were broken; each is told."""
    async with staged(folder) as stage:
        ada, boris = await stage.person("ada"), await stage.person("boris")
        ours, theirs = "+12025550143", "+14155550101"
        line, other = await stage.line(ada, ours), await stage.line(boris, theirs)
        say("Two servers and two workers run; killing begins.")
        killing = asyncio.create_task(_kill(stage, times, say))
        number, lives = 0, []
        while not killing.done():
            number += 1
            if number % EACH == 1:
                lives.append(asyncio.create_task(_come_and_go(stage, number)))
            await asyncio.gather(
                stage.send(ada, line, theirs, f"ada {number}"),
                stage.send(boris, other, ours, f"boris {number}"),
                _arrive(stage, ours, f"stranger {number}"),
            )
        await asyncio.gather(killing, *lives)
        say(
            f"{times} killed, {len(stage.sent)} messages sent, answers by status: {dict(sorted(stage.asked.items()))}"
        )
        broken: list[str] = []
        end = monotonic() + PATIENCE
        while monotonic() < end:
            await asyncio.sleep(10)
            if not (broken := await _broken(stage, {"ada": ada, "boris": boris})):
                break
            await let_pass(stage, timedelta(hours=3))  # what no webhook told is asked for by and by
        await let_pass(stage, timedelta(days=31))
        broken += await _residue(stage)
        for one in broken:
            say(f"broken: {one}")
        return len(broken)


async def _arrive(stage: Stage, number: str, body: str) -> None:
    await stage.simulator.inbound_sms(STRANGER, number, body)
    stage.received.add(body)


async def _come_and_go(stage: Stage, number: int) -> None:
    """Live a short life: it must leave nothing."""
    token = await stage.person(f"gone{number}")
    line = await stage.line(token, DOOMED[number // EACH % len(DOOMED)])
    await stage.ask(
        "POST", f"/v1/lines/{line}/messages", {"to": STRANGER, "body": f"gone {number}"}, token,
        **{"Idempotency-Key": "one"},
    )  # fmt: skip
    stage.gone.append((await stage.ask("GET", "/v1/account", token=token))["id"])
    try:
        await stage.ask("DELETE", "/v1/account", {"password": PASSWORD}, token)
    except RuntimeError as refused:
        # An answer was lost, and the session went with the account; whether it did is looked at in the end.
        if " 401 " not in str(refused):
            raise


async def _kill(stage: Stage, times: int, say: Callable[[str], None]) -> None:
    for number in range(times):
        await asyncio.sleep(random.uniform(*PACE))
        part = random.choice(stage.parts)
        await part.end(signal.SIGKILL)
        await part.start()
        if number == times // 2:
            say(f"{times // 2} killed; thirty days pass, and erasures begin.")
            await let_pass(stage, timedelta(days=30, hours=1))


async def let_pass(stage: Stage, time: timedelta) -> None:
    """Move the clock of all that runs."""
    stage.saved.offset += time
    stage.saved.save()
    async with connect(stage.database_url, least=1, most=1) as database:
        await PostgresQueue(database).shift(time)


async def _broken(stage: Stage, people: dict[str, str]) -> list[str]:
    """Return what is lost, twice, or still on its way."""
    found, inboxes = [], {name: await stage.inbox(token) for name, token in people.items()}
    wanted = [("ada", body, 1) for body in stage.received]
    for body, message_id in stage.sent.items():
        sender = body.split()[0]
        other = "boris" if sender == "ada" else "ada"
        message = await stage.ask("GET", f"/v1/messages/{message_id}", token=people[sender])
        if message["status"] not in {"delivered", "failed", "unconfirmed"}:
            found.append(f"{body!r} is still {message['status']}")
        wanted += [(sender, body, 1), (other, body, 0 if message["status"] == "failed" else 1)]
    return found + [
        f"{body!r} is there {inboxes[name][body]} times for {name}, and not {times}"
        for name, body, times in wanted
        if inboxes[name][body] != times
    ]


async def _residue(stage: Stage) -> list[str]:
    """Return what is left of the accounts that were deleted."""
    end = monotonic() + PATIENCE
    while True:
        left = []
        connection = await asyncpg.connect(stage.database_url)
        found = "SELECT state::text FROM accounts WHERE id <> $1 ORDER BY id"
        states = [row[0] for row in await connection.fetch(found, DECOY)]
        await connection.close()
        connection = await asyncpg.connect(stage.keyring_url)
        # A sign-up killed between its key and its row leaves a key that never sealed anything: it is not looked for.
        counted = "SELECT count(*) FROM account_keys WHERE account_id = ANY($1::uuid[])"
        keys = await connection.fetchval(counted, stage.gone)
        await connection.close()
        if (states, keys) != (["active", "active"], 0):
            left.append(
                f"accounts are {states} instead of two that are active; {keys} keys of those that are gone"
            )
        held = str(stage.simulator.holdings())
        left += [f"the carrier holds {what}" for what in ("gone ", "+1212555") if what in held]
        left += [f"a mail to {mail['to']}" for mail in stage.post.mails if mail["to"].startswith("gone")]
        if not left or monotonic() > end:
            return left
        await asyncio.sleep(3)


@asynccontextmanager
async def staged(
    folder: Path, before: Before = nullcontext, worker: tuple[str, ...] = ("bootstrap", "work")
) -> AsyncIterator[Stage]:
    """Have everything run; `before` stands between the workers and the carrier."""
    async with AsyncExitStack() as stack:
        rows = stack.enter_context(start(folder / "rows"))
        keys = stack.enter_context(start(folder / "keys", settings=FEW_AND_SMALL))
        for server, name in ((rows, "pico"), (keys, "pico_keyring")):
            connection = await asyncpg.connect(server.url("postgres"))
            await connection.execute(f"CREATE DATABASE {name}")
            await connection.close()
        saved = SandboxState(folder / "sandbox.json")
        clock = FollowedClock(saved)
        simulator = TwilioSimulator(account_sid=ACCOUNT_SID, auth_token=saved.token, now=clock.now)
        carrier_url = await stack.enter_async_context(simulator.running())
        saved.carrier_url = await stack.enter_async_context(before(carrier_url))
        post = SendGridSimulator(api_key=saved.token, sender=SENDER, now=clock.now)
        saved.mail_url = await stack.enter_async_context(post.running())
        push = simulated_push(saved)
        saved.push_urls = await stack.enter_async_context(push.running())
        ports = lasting_port(), lasting_port()
        saved.url = await stack.enter_async_context(_balancer(ports))
        saved.server_urls = rows.url("pico"), keys.url("pico_keyring")
        saved.save()
        parts: list[Part | ForkedPart] = [
            ForkedPart(("benchmarks.kills_part", str(folder), str(port)), folder) for port in ports
        ]
        forks = worker[0] == "benchmarks.forked_worker"  # by itself, and goes on telling
        parts += [(Part if forks else ForkedPart)(worker, folder) for _ in range(2)]
        for part in parts:
            await part.start()
            stack.push_async_callback(part.end, signal.SIGTERM)
        session = await stack.enter_async_context(ClientSession(timeout=ClientTimeout(total=20)))
        yield Stage(folder, saved, simulator, post, push, *saved.server_urls, parts, session)


@asynccontextmanager
async def _balancer(ports: tuple[int, ...]) -> AsyncIterator[str]:
    """Pass each connection on to a server that takes it, and yield the address."""

    async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for port in random.sample(ports, len(ports)):
            with suppress(OSError):
                back_reader, back_writer = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(_pump(reader, back_writer), _pump(back_reader, writer))
                return
        writer.close()

    server = await asyncio.start_server(passed_on, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.close()
