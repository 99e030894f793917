"""Telnyx's events about what callers leave: which recording is taken in, which refused, whose leg ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.call_state import CallStage, CallState
from adapters.inbound.webhooks.answers import Malformed
from adapters.inbound.webhooks.telnyx.voicemail import TelnyxVoicemail
from adapters.outbound.telnyx.answers import ref_of
from adapters.outbound.telnyx.recordings import transcript_ref, transcription_of
from application.ports.recordings import Recorded, RecordingNotReady
from application.ports.transcriber import Transcription
from application.voicemail_receiving import InboundVoicemail
from application.voicemail_transcripts import InboundTranscript
from domain.kernel import CarrierRef
from domain.values import Peer
from domain.voicemail import Transcript
from tests.support.telnyx_legs import FIRST, OURS, THEIRS, OneLeg, of_first

ONE, TWO = CarrierRef("telnyx:rec-1"), CarrierRef("telnyx:rec-2")
ENDS = ("hang up", "v3:leg-1", "e-1")
WRITTEN = {
    "recording_id": "rec-1", "recording_transcription_id": "tr-1", "status": "completed",
    "transcription_text": "Hi, it is Noa.",
}  # fmt: skip


class Mailbox(OneLeg):
    """A leg of which something is recorded."""

    def __init__(self, state: CallState | None, *recorded: CarrierRef) -> None:
        super().__init__(state)
        self.recorded = recorded
        self.known: Recorded | None = Recorded(OURS, Peer(THEIRS), timedelta(seconds=9))
        self.handlers = TelnyxVoicemail(
            voice=self.voice, receive=self.decides("receive"), refuse=self.decides("refuse"),
            apply_transcript=self.decides("transcript"), recordings_of=self.recordings_of, look_up=self.look_up,
            ref_of=ref_of, transcript_ref=transcript_ref, transcription_of=transcription_of,
        ).handlers()  # fmt: skip

    async def recordings_of(self, leg: CarrierRef) -> tuple[CarrierRef, ...]:
        self.asked.append(("recordings of", leg))
        return self.recorded

    async def look_up(self, ref: CarrierRef) -> Recorded | None:
        self.asked.append(("look up", ref))
        return self.known


async def test_whatever_is_recorded_of_a_leg_is_taken_in_and_what_is_no_message_refused() -> None:
    leg = Mailbox(of_first(CallStage.RECORDING), ONE, TWO)
    assert await leg.happens_first("call.recording.saved") == [
        ("recordings of", FIRST),
        *[(name, InboundVoicemail(ref) if name == "receive" else ref)
          for ref in (ONE, TWO) for name in ("receive", "refuse")],
        ENDS,
    ]  # fmt: skip


async def test_what_is_not_listed_yet_is_to_be_told_again_and_the_leg_ends_all_the_same() -> None:
    leg = Mailbox(of_first(CallStage.RECORDING))
    with pytest.raises(RecordingNotReady):
        await leg.happens_first("call.recording.saved")
    assert leg.asked == [("recordings of", FIRST), ENDS]


@pytest.mark.parametrize("kind", ["call.recording.saved", "call.recording.error"])
async def test_only_the_leg_of_a_caller_who_leaves_a_message_ends(kind: str) -> None:
    for state in (None, *map(of_first, CallStage)):
        told = await Mailbox(state, ONE).happens_first(kind)
        assert (ENDS in told) is (
            state is not None and state.stage in {CallStage.RECORDING, CallStage.SPEAKING}
        )


async def test_a_transcript_is_of_the_recording_that_it_names_and_of_whom_the_carrier_knows() -> None:
    leg = Mailbox(None)
    made = Transcription(CarrierRef(transcript_ref("tr-1")), Transcript("Hi, it is Noa."))
    told = ("look up", ONE), ("transcript", InboundTranscript(ONE, OURS, Peer(THEIRS), made))
    name = "call.recording.transcription.saved"
    assert await leg.happens_first(name, **WRITTEN) == [*told]
    failed = InboundTranscript(ONE, OURS, Peer(THEIRS), Transcription(made.ref, None))
    assert await leg.happens_first(name, **WRITTEN | {"status": "failed"}) == [
        told[0],
        ("transcript", failed),
    ]
    assert await leg.happens_first(name, **WRITTEN | {"status": "in-progress"}) == [told[0]]
    known = leg.known
    assert known is not None
    for unknown in (None, replace(known, called=None), replace(known, is_message=False)):
        leg.known = unknown
        assert await leg.happens_first(name, **WRITTEN) == [told[0]]
    for field in ("recording_id", "recording_transcription_id"):
        for odd in (None, 7, "", "a/b", "a" * 46, "rec-1\n"):
            with pytest.raises(Malformed):
                await leg.happens_first(name, **WRITTEN | {field: odd})
        assert leg.asked == []
