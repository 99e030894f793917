"""`kill -9` at every step of a voicemail, from its webhook to the deletion at the carrier.

`./pico bench --voicemail-kills TIMES`: at each step a process dies as many times; another then goes on. No audio may be
lost, none may be there twice, and no object may be left that no voicemail has. What outlives the processes, as it does
in life, runs here: PostgreSQL and the carrier.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from adapters.outbound.local.byte_store import LocalByteStore
from application.ports.transcriber import Transcription
from application.use_cases import UseCases
from application.voicemail_receiving import InboundVoicemail
from application.voicemail_transcripts import InboundTranscript
from benchmarks.tripwires import AUDIO, SECONDS, WORDS, Ground, Mined, Tripwire, ground_in, product_on, work
from bootstrap.container import wire
from domain.kernel import AccountId, CarrierRef
from domain.values import Label, Peer, PhoneNumber
from domain.voicemail import Transcript, VoicemailState

CALLER, CALLED = Peer("+13105550178"), PhoneNumber("+12025550143")
PASSES = 6


class Told(NamedTuple):
    """What the carrier's webhooks say: of which recording, and of which transcript of it."""

    recording: CarrierRef
    transcript: CarrierRef


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


async def left(ground: Ground) -> Told:
    """Have somebody leave a message."""
    recording = await ground.recorded(CALLER, CALLED)
    made = ground.simulator.holdings()["transcriptions"]
    (transcript,) = (each["sid"] for each in made if each["recording_sid"] == recording)
    return Told(CarrierRef(recording), CarrierRef(transcript))


async def broken_of(ground: Ground, account: AccountId, told: Told) -> list[str]:
    """Return what is lost, twice, or left behind."""
    found = []
    use_cases, objects = ground.product.use_cases, ground.product.outside.objects
    listed = (await use_cases.list_voicemails(account, None, None, 10_000)).items
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
    lying = {object_id async for object_id in objects.list_all(account)}
    if lying != {voicemail.object_id for voicemail in listed}:
        found.append("there are orphan objects")
    held = ground.simulator.holdings()
    if held["recordings"] or held["transcriptions"]:
        found.append("the carrier still holds it")
    await LocalByteStore(ground.folder / "objects").clear()
    if any((ground.folder / "objects" / "unfinished").iterdir()):
        found.append("half an object is left")
    return found


async def kills(times: int, folder: Path, say: Callable[[str], None], every: int = 1) -> int:
    """Kill `times` times at each step, or each `every`th; return how many promises were broken; each is told."""
    broken = 0
    async with ground_in(folder, __name__) as ground:
        account = await ground.somebody("ada")
        await ground.product.use_cases.buy_line(account, CALLED, Label("Work"), "buy")

        async def once(at: int) -> tuple[list[str], list[str]]:
            told = await left(ground)
            steps = await ground.live(life, told, at)
            await told_of(ground.product.use_cases, told)  # what was not answered is told again
            await ground.go_on(PASSES)
            return steps, await broken_of(ground, account, told)

        steps, wrong = await once(0)
        say(f"{len(steps)} steps; without a kill: {wrong or 'whole'}")
        broken += len(wrong)
        for at in range(1, len(steps) + 1, every):
            for _ in range(times):
                _, wrong = await once(at)
                broken += len(wrong)
                for one in wrong:
                    say(f"broken, killed {steps[at - 1]} ({at}): {one}")
        say(f"killed {len(range(1, len(steps) + 1, every)) * times} times, {broken} promises broken")
    return broken
