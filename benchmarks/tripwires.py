"""Processes that die at a chosen step, by `kill -9`, and what outlives them: PostgreSQL, carrier, mail provider.

A step is a call of something that the process was told to count; it dies right before or right after it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg

from adapters.inbound.worker import Worker
from adapters.outbound.sendgrid.simulator import SendGridSimulator, as_read
from adapters.outbound.twilio.simulator import LeftMessage, TwilioSimulator
from adapters.tones import tone
from application.use_cases import UseCases
from bootstrap.assembly import assembled
from bootstrap.databases import FEW_AND_SMALL, databases_in_use
from bootstrap.postgres_server import start
from bootstrap.process import Product
from bootstrap.sandbox_state import FollowedClock, SandboxState
from bootstrap.settings import Settings
from bootstrap.worlds.sandbox import ACCOUNT_SID, SENDER, sandbox_parts
from domain.kernel import AccountId
from domain.values import Email, Label, Locale, Password

NOBODY = "http://127.0.0.1:1"
"""Where webhooks go: whoever needs one is told by the use case itself."""
SECRET = Password("correct horse battery staple")
SECONDS = 12
AUDIO = tone(SECONDS)
WORDS = "Hi, it is Noa."
LATER = timedelta(minutes=3)
"""The carrier's copy of a recording goes two minutes after ours was read back."""

Before = Callable[[str], AbstractAsyncContextManager[str]]
"""Given a provider's address, what is asked instead."""
Life = Callable[..., None]
"""What a process does, given the folder, what it is about, the step at which it dies, and where to tell its steps."""


@dataclass(slots=True)
class Tripwire:
    """Counts steps, and has this process killed at one of them; 0: at none."""

    at: int
    steps: list[str] = field(default_factory=list)

    def step(self, name: str) -> None:
        self.steps.append(name)
        if len(self.steps) == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


class Mined:
    """Stands for a port or a use case: every call of those named is a step before and a step after."""

    def __init__(self, of: Any, wire: Tripwire, *calls: str) -> None:  # noqa: ANN401 - any of them
        self.name = getattr(of, "name", "")
        self._of, self._wire, self._calls = of, wire, calls

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as above
        found, wire, what = getattr(self._of, name), self._wire, f"{type(self._of).__name__}.{name}"
        if name not in self._calls:
            return found

        async def mined(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - as above
            wire.step(f"before {what}")
            if name == "put":
                *ids, content = given
                given = (*ids, self._pieces(content))
            result = await found(*given, **named)
            wire.step(f"after {what}")
            return result

        return mined

    async def _pieces(self, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Pass content on; half of it is a step."""
        passed = 0
        async for piece in content:
            if passed <= len(AUDIO) // 2 < passed + len(piece):
                self._wire.step("in the middle of the audio")
            passed += len(piece)
            yield piece


@asynccontextmanager
async def product_on(folder: Path) -> AsyncIterator[Product]:
    """Open the product as a process of a Sandbox does that another one serves."""
    settings = Settings(
        state_dir=folder, spend_a_day=10**7, password_memory_mib=19, password_passes=2, password_lanes=1
    )
    saved = SandboxState(folder / "sandbox.json")
    clock = FollowedClock(saved)
    found = await databases_in_use(settings, saved)
    async with assembled(sandbox_parts(settings, found, saved, clock, NOBODY)) as product:
        yield product


async def work(product: Product, use_cases: UseCases, rounds: int = 2) -> None:
    """Do every job that is due, now and three minutes from now, and so on."""
    queue, worker = product.outside.queue, Worker(use_cases, product.outside.clock)
    for _ in range(rounds):
        while taken := await queue.take(1):  # type: ignore[attr-defined]  # PostgreSQL's queue
            for leased in taken:
                await queue.settle(leased, await worker(leased))  # type: ignore[attr-defined]
        await queue.shift(LATER)


@dataclass
class Ground:
    """All that outlives a process."""

    folder: Path
    saved: SandboxState
    simulator: TwilioSimulator
    post: SendGridSimulator
    product: Product
    pool: asyncpg.Pool
    context: Any
    calls: Any = field(default_factory=lambda: count(1))

    async def live(self, life: Life, about: object, at: int) -> list[str]:
        """Let a process live until it is killed at a step; return its steps if it was not."""
        here, there = self.context.Pipe(duplex=False)
        process = self.context.Process(target=life, args=(str(self.folder), about, at, there))
        process.start()
        there.close()
        await asyncio.to_thread(process.join)
        if at and process.exitcode != -signal.SIGKILL:
            raise RuntimeError(f"step {at} was not reached: {process.exitcode}")
        steps: list[str] = [] if at else here.recv()
        here.close()
        return steps

    async def go_on(self, passes: int) -> None:
        """Have another process do what the dead one left, as if its leases had run out."""
        for _ in range(passes):
            await self.pool.execute("UPDATE jobs SET due_at = now() WHERE state = 'leased'")
            await work(self.product, self.product.use_cases)

    async def somebody(self, name: str) -> AccountId:
        """Sign somebody up, and verify them."""
        use_cases, email = self.product.use_cases, Email(f"{name}@example.org")
        await use_cases.sign_up(email, SECRET, Label(name.title()), Locale("en"))
        await work(self.product, use_cases, rounds=1)
        (mail,) = [mail for mail in map(as_read, self.post.mails) if mail["to"] == email]
        return (await use_cases.verify_account(str(mail["token"]), SECRET)).session.account_id

    def new_call(self) -> str:
        """Return the carrier's reference of one call more."""
        return f"CA{next(self.calls):032x}"

    async def recorded(self, caller: str, called: str, *, words: str | None = None, call: str = "") -> str:
        """Have somebody be recorded at the carrier, and that put into `words`; return the recording's reference."""
        call, transcribed = call or self.new_call(), f"{NOBODY}/nobody" if words else ""
        left = LeftMessage(call, caller, called, AUDIO, SECONDS, words, transcribed=transcribed)
        return await self.simulator.leave_message(left)


@asynccontextmanager
async def ground_in(folder: Path, preload: str, before: Before = nullcontext) -> AsyncIterator[Ground]:
    """Start what outlives the processes. `preload` is the module of what they do; `before` stands before providers."""
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
        post = SendGridSimulator(api_key=saved.token, sender=SENDER, now=clock.now)
        urls = [
            await stack.enter_async_context(before(await stack.enter_async_context(provider.running())))
            for provider in (simulator, post)
        ]
        saved.carrier_url, saved.mail_url = urls
        saved.server_urls = rows.url("pico"), keys.url("pico_keyring")
        saved.save()
        product = await stack.enter_async_context(product_on(folder))
        pool = await stack.enter_async_context(asyncpg.create_pool(rows.url("pico"), min_size=1, max_size=1))
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([preload])
        yield Ground(folder, saved, simulator, post, product, pool, context)
