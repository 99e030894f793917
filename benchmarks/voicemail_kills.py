"""`kill -9` at every step of a voicemail: `./pico bench --voicemail-kills TIMES`, so many times at each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from application.ports.transcriber import Transcription
from application.use_cases import UseCases
from application.voicemail_receiving import InboundVoicemail
from application.voicemail_transcripts import InboundTranscript
from benchmarks.recording_kills import killed, left_behind
from benchmarks.tripwires import AUDIO, SECONDS, WORDS, Ground, ground_in
from domain.kernel import AccountId, CarrierRef
from domain.values import Label, Peer, PhoneNumber
from domain.voicemail import Transcript, VoicemailState

CALLER, CALLED = Peer("+13105550178"), PhoneNumber("+12025550143")


class Told(NamedTuple):
    """What the carrier's webhooks say: of which recording, and of which transcript of it."""

    recording: CarrierRef
    transcript: CarrierRef

    async def tell(self, use_cases: UseCases) -> None:
        """Say it, each of them twice."""
        length = timedelta(seconds=SECONDS)
        transcription = Transcription(self.transcript, Transcript(WORDS))
        for _ in range(2):
            await use_cases.receive_voicemail(
                InboundVoicemail(self.recording, CALLED, CALLER, length, finished=False)
            )
            await use_cases.receive_voicemail(InboundVoicemail(self.recording))
            await use_cases.apply_transcript(InboundTranscript(self.recording, CALLED, CALLER, transcription))


async def left(ground: Ground) -> Told:
    """Have somebody leave a message."""
    recording = await ground.recorded(CALLER, CALLED, words=WORDS)
    made = ground.simulator.holdings()["transcriptions"]
    (transcript,) = (each["sid"] for each in made if each["recording_sid"] == recording)
    return Told(CarrierRef(recording), CarrierRef(transcript))


async def broken_of(ground: Ground, account: AccountId, told: Told) -> list[str]:
    """Return what is lost, twice, or left behind."""
    found = []
    use_cases = ground.product.use_cases
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
    return found + await left_behind(ground, account, {voicemail.object_id for voicemail in listed})


async def kills(times: int, folder: Path, say: Callable[[str], None], every: int = 1) -> int:
    """Kill `times` times at each step, or each `every`th; return how many promises were broken; each is told."""
    async with ground_in(folder, "benchmarks.recording_kills") as ground:
        account = await ground.somebody("ada")
        await ground.product.use_cases.buy_line(account, CALLED, Label("Work"), "buy")
        return await killed(
            ground, lambda: left(ground), lambda told: broken_of(ground, account, told), times, say, every
        )
