"""`kill -9` at every step of a voicemail, from its webhook to the deletion at the carrier.

`./pico bench --voicemail-kills TIMES`: at each step a process dies as many times; another then goes on. No audio may be
lost, none may be there twice, and no object may be left that no voicemail has. What outlives the processes, as it does
in life, runs here: PostgreSQL and the carrier.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

from adapters.inbound.worker import Worker
from adapters.outbound.local.byte_store import LocalByteStore
from adapters.outbound.sendgrid.simulator import SendGridSimulator, as_read
from adapters.outbound.twilio.simulator import LeftMessage, TwilioSimulator
from adapters.outbound.twilio.simulator.tones import tone
from application.ports.transcriber import Transcription
from application.use_cases import UseCases
from application.voicemail_receiving import InboundVoicemail
from application.voicemail_transcripts import InboundTranscript
from bootstrap.assembly import assembled
from bootstrap.container import wire
from bootstrap.databases import FEW_AND_SMALL, databases_in_use
from bootstrap.postgres_server import start
from bootstrap.process import Product
from bootstrap.sandbox_state import FollowedClock, SandboxState
from bootstrap.settings import Settings
from bootstrap.worlds.sandbox import ACCOUNT_SID, SENDER, sandbox_parts
from domain.kernel import AccountId, CarrierRef
from domain.values import Email, Label, Locale, Password, Peer, PhoneNumber
from domain.voicemail import Transcript, VoicemailState

CALLER, CALLED = Peer("+13105550178"), PhoneNumber("+12025550143")
SECONDS = 12
AUDIO = tone(SECONDS)
WORDS = "Hi, it is Noa."
LATER = timedelta(minutes=3)
"""The carrier's copy goes two minutes after ours was read back."""
PASSES = 6


class Told(NamedTuple):
    """What the carrier's webhooks say: of which recording, and of which transcript of it."""

    recording: CarrierRef
    transcript: CarrierRef


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
    """Stands for a port: every call of it is a step before and a step after."""

    def __init__(self, of: Any, wire: Tripwire, *calls: str) -> None:  # noqa: ANN401 - any port
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
    settings, saved = Settings(state_dir=folder), SandboxState(folder / "sandbox.json")
    clock = FollowedClock(saved)
    found = await databases_in_use(settings, saved)
    async with assembled(sandbox_parts(settings, found, saved, clock, "http://127.0.0.1:1")) as product:
        yield product


async def told_of(use_cases: UseCases, told: Told) -> None:
    """Say what the carrier's webhooks say, each of them twice."""
    length = timedelta(seconds=SECONDS)
    transcription = Transcription(told.transcript, Transcript(WORDS))
    for _ in range(2):
        await use_cases.receive_voicemail(
            InboundVoicemail(told.recording, CALLED, CALLER, length, finished=False)
        )
        await use_cases.receive_voicemail(InboundVoicemail(told.recording))
        await use_cases.apply_transcript(InboundTranscript(told.recording, CALLED, CALLER, transcription))


async def work(product: Product, use_cases: UseCases) -> None:
    """Do every job that is due, now and three minutes from now."""
    queue, worker = product.outside.queue, Worker(use_cases, product.outside.clock)
    for _ in range(2):
        while taken := await queue.take(1):  # type: ignore[attr-defined]  # PostgreSQL's queue
            for leased in taken:
                await queue.settle(leased, await worker(leased))  # type: ignore[attr-defined]
        await queue.shift(LATER)


def life(folder: str, told: Told, at: int, told_steps: Any) -> None:  # noqa: ANN401 - a connection
    """Be a process that takes a voicemail in, and is killed at a step."""

    async def lived() -> None:
        tripwire = Tripwire(at)
        async with product_on(Path(folder)) as product:
            outside = product.outside
            mines: dict[str, Any] = {
                "store": Mined(outside.store, tripwire, "update"),
                "objects": Mined(outside.objects, tripwire, "put", "delete"),
                "recordings": Mined(outside.recordings, tripwire, "look_up", "delete", "holds"),
            }
            mined = replace(outside, **mines)
            use_cases = wire(mined)
            await told_of(use_cases, told)
            await work(product, use_cases)
        told_steps.send(tripwire.steps)

    asyncio.run(lived())


@dataclass
class Stage:
    """All that outlives a process."""

    folder: Path
    simulator: TwilioSimulator
    product: Product
    account: AccountId
    pool: asyncpg.Pool
    context: Any
    calls: Any = field(default_factory=lambda: count(1))

    async def left(self) -> Told:
        """Have somebody leave a message."""
        call = f"CA{next(self.calls):032x}"
        where = "http://127.0.0.1:1/nobody"
        left = LeftMessage(call, CALLER, CALLED, AUDIO, SECONDS, WORDS, transcribed=where)
        recording = await self.simulator.leave_message(left)
        made = self.simulator.holdings()["transcriptions"]
        (transcript,) = (each["sid"] for each in made if each["recording_sid"] == recording)
        return Told(CarrierRef(recording), CarrierRef(transcript))

    async def live(self, told: Told, at: int) -> list[str]:
        """Let a process live until it is killed at a step; return its steps if it was not."""
        here, there = self.context.Pipe(duplex=False)
        process = self.context.Process(target=life, args=(str(self.folder), told, at, there))
        process.start()
        there.close()
        await asyncio.to_thread(process.join)
        if at and process.exitcode != -signal.SIGKILL:
            raise RuntimeError(f"step {at} was not reached: {process.exitcode}")
        steps: list[str] = [] if at else here.recv()
        here.close()
        return steps

    async def go_on(self, told: Told) -> None:
        """Have the carrier tell again what was not answered, and another process work on."""
        await told_of(self.product.use_cases, told)
        for _ in range(PASSES):
            await self.pool.execute("UPDATE jobs SET due_at = now() WHERE state = 'leased'")
            await work(self.product, self.product.use_cases)

    async def broken(self, told: Told) -> list[str]:
        """Return what is lost, twice, or left behind."""
        found = []
        use_cases, objects = self.product.use_cases, self.product.outside.objects
        listed = (await use_cases.list_voicemails(self.account, None, None, 10_000)).items
        mine = [voicemail for voicemail in listed if voicemail.ref == told.recording]
        if len(mine) != 1:
            found.append(f"there are {len(mine)} of it")
        for voicemail in mine:
            digest = sha256()
            if voicemail.state is VoicemailState.KEPT:
                async for piece in use_cases.read_voicemail.content(voicemail, 0, voicemail.size):
                    digest.update(piece)
            if digest.digest() != sha256(AUDIO).digest():
                found.append(f"its audio is lost: {voicemail.state}")
            if voicemail.transcript != WORDS:
                found.append("its transcript is lost")
        lying = {object_id async for object_id in objects.list_all(self.account)}
        if lying != {voicemail.object_id for voicemail in listed}:
            found.append("there are orphan objects")
        held = self.simulator.holdings()
        if held["recordings"] or held["transcriptions"]:
            found.append("the carrier still holds it")
        await LocalByteStore(self.folder / "objects").clear()
        if any((self.folder / "objects" / "unfinished").iterdir()):
            found.append("half an object is left")
        return found


@asynccontextmanager
async def stage_in(folder: Path) -> AsyncIterator[Stage]:
    """Start what outlives the processes, with somebody who has a line."""
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
        saved.carrier_url = await stack.enter_async_context(simulator.running())
        post = SendGridSimulator(api_key=saved.token, sender=SENDER, now=clock.now)
        saved.mail_url = await stack.enter_async_context(post.running())
        saved.server_urls = rows.url("pico"), keys.url("pico_keyring")
        saved.save()
        product = await stack.enter_async_context(product_on(folder))
        pool = await stack.enter_async_context(asyncpg.create_pool(rows.url("pico"), min_size=1, max_size=1))
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["benchmarks.voicemail_kills"])
        account = await _somebody(product, post)
        yield Stage(folder, simulator, product, account, pool, context)


async def _somebody(product: Product, post: SendGridSimulator) -> AccountId:
    password, use_cases = Password("correct horse battery staple"), product.use_cases
    await use_cases.sign_up(Email("ada@example.org"), password, Label("Ada"), Locale("en"))
    await work(product, use_cases)
    (mail,) = map(as_read, post.mails)
    signed_in = await use_cases.verify_account(str(mail["token"]), password)
    account = signed_in.session.account_id
    await use_cases.buy_line(account, CALLED, Label("Work"), "buy")
    return account


async def kills(times: int, folder: Path, say: Callable[[str], None], every: int = 1) -> int:
    """Kill `times` times at each step, or each `every`th; return how many promises were broken; each is told."""
    broken = 0
    async with stage_in(folder) as stage:
        told = await stage.left()
        steps = await stage.live(told, 0)
        await stage.go_on(told)
        wrong = await stage.broken(told)
        say(f"{len(steps)} steps; without a kill: {wrong or 'whole'}")
        broken += len(wrong)
        for at in range(1, len(steps) + 1, every):
            for _ in range(times):
                told = await stage.left()
                await stage.live(told, at)
                await stage.go_on(told)
                wrong = await stage.broken(told)
                broken += len(wrong)
                for one in wrong:
                    say(f"broken, killed {steps[at - 1]} ({at}): {one}")
        say(f"killed {len(range(1, len(steps) + 1, every)) * times} times, {broken} promises broken")
    return broken
