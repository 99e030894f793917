"""Voicemail: taken in once, fetched whole, never an error's page; its copies and its audio go when it is time."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from adapters.outbound.memory.recordings import MemoryRecordings
from adapters.outbound.memory.system import HandClock
from adapters.tones import tone
from application.ports.recordings import FetchedAudio, Recorded, RecordingAbsent
from application.voicemail_receiving import InboundVoicemail
from application.voicemail_transcripts import InboundTranscript
from bootstrap.worlds import InMemory
from domain.kernel import CarrierRef, NotFound, SealBroken
from domain.values import Locale, Peer, PhoneNumber
from domain.voicemail import (
    LARGEST,
    SHORTEST,
    UNDO_FOR,
    AudioNotHere,
    AudioRefusal,
    AudioType,
    TooLateToUndo,
    Transcript,
    TranscriptAbsence,
    TranscriptState,
    Voicemail,
    VoicemailState,
)
from tests.support.actors import PASSWORD, STRANGER, Person, with_line

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TONE = tone(3)
HTML = b"<html><body>502 Bad Gateway</body></html>" * 9


@pytest.fixture
def world() -> InMemory:
    return InMemory()


async def left(
    ada: Person, content: bytes = TONE, *, caller: Peer | None = STRANGER, **how: object
) -> CarrierRef:
    """Have somebody leave a message, and everything done that is due at once."""
    ref = await ada.world.recordings.leave(caller, ada.number, content, **how)  # type: ignore[arg-type]
    await ada.world.settle()
    return ref


async def listed(ada: Person) -> list[Voicemail]:
    return list((await ada.world.use_cases.list_voicemails(ada.id, None, None, 100)).items)


async def only(ada: Person) -> Voicemail:
    (voicemail,) = await listed(ada)
    return voicemail


async def audio(ada: Person, voicemail: Voicemail) -> bytes:
    read = ada.world.use_cases.read_voicemail
    return b"".join([piece async for piece in read.content(voicemail, 0, voicemail.size)])


async def test_a_voicemail_is_kept_and_then_goes_at_the_carrier(world: InMemory) -> None:
    ada = await with_line(world)
    ref = await left(ada)
    voicemail = await only(ada)
    assert (voicemail.state, voicemail.caller, voicemail.size) == (VoicemailState.KEPT, STRANGER, len(TONE))
    assert await audio(ada, voicemail) == TONE
    assert voicemail.digest == hashlib.sha256(TONE).hexdigest()
    await world.advance(10 * MINUTE)
    assert ref in world.recordings.recordings, "its transcript may still be made"
    await world.recordings.transcribe(ref, "Hi, it is Noa.")
    await world.advance(2 * MINUTE)
    assert not world.recordings.recordings
    assert not world.recordings.transcriptions
    voicemail = await only(ada)
    assert (voicemail.transcript, voicemail.transcript_state) == ("Hi, it is Noa.", TranscriptState.DONE)
    assert await audio(ada, voicemail) == TONE
    assert await world.objects.count(ada.id) == 1


async def test_told_of_twice_it_is_one(world: InMemory) -> None:
    ada = await with_line(world)
    ref = await left(ada)
    for _ in range(3):
        await world.use_cases.receive_voicemail(
            InboundVoicemail(ref, ada.number, STRANGER, 12 * SHORTEST / 2)
        )
        await world.use_cases.receive_voicemail(InboundVoicemail(ref))
    await world.settle()
    voicemail = await only(ada)
    await world.use_cases.delete_voicemail(ada.id, voicemail.id)
    await world.advance(UNDO_FOR + MINUTE)
    await world.use_cases.receive_voicemail(InboundVoicemail(ref, ada.number, STRANGER, 12 * SHORTEST / 2))
    await world.settle()
    assert await listed(ada) == [], "one that was deleted came back"
    assert await world.objects.count(ada.id) == 0


@pytest.mark.parametrize("order", list(permutations(["action", "recording", "transcript"])), ids="-".join)
async def test_any_order_of_webhooks_ends_the_same(world: InMemory, order: tuple[str, ...]) -> None:
    ada = await with_line(world)
    world.recordings.silent = True
    ref = await world.recordings.leave(STRANGER, ada.number, TONE, seconds=13)
    made = await world.recordings.transcribe(ref, "Hi, it is Noa.")
    transcript = InboundTranscript(ref, ada.number, STRANGER, world.recordings.transcriptions[made][1])
    for told in order * 2:
        match told:
            case "action":
                inbound = InboundVoicemail(ref, ada.number, STRANGER, timedelta(seconds=13), finished=False)
                await world.use_cases.receive_voicemail(inbound)
            case "recording":
                await world.use_cases.receive_voicemail(InboundVoicemail(ref))
            case _:
                await world.use_cases.apply_transcript(transcript)
    await world.advance(5 * MINUTE)
    voicemail = await only(ada)
    assert (voicemail.state, voicemail.caller, voicemail.duration) == (VoicemailState.KEPT, STRANGER, 13)
    assert (voicemail.transcript, voicemail.transcript_state) == ("Hi, it is Noa.", TranscriptState.DONE)
    assert not world.recordings.recordings
    assert not world.recordings.transcriptions


@pytest.mark.parametrize(
    "caller", [None, Peer("ADA BANK"), Peer("700"), Peer("+4420"), Peer("sip:noa@example.org")], ids=str
)
async def test_whoever_called_is_taken_in(world: InMemory, caller: Peer | None) -> None:
    ada = await with_line(world)
    await left(ada, caller=caller)
    assert (await only(ada)).caller == caller


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (HTML, "text/html; charset=utf-8"),
        (HTML, "audio/wav"),
        (b'{"code": 20404}', "application/json"),
        (TONE, "audio/mpeg"),
        (TONE[: len(TONE) // 2], "audio/x-wav"),
        (b"", "audio/wav"),
        (TONE[:20], "audio/wav"),
    ],
    ids=[
        "an error's page",
        "one that lies",
        "an error",
        "another kind",
        "half of it",
        "nothing",
        "a header's half",
    ],
)
async def test_something_else_is_never_stored_as_audio(world: InMemory, content: bytes, said: str) -> None:
    ada = await with_line(world)
    ref = await left(ada, content, media_type=said)
    for _ in range(3):
        await world.advance(7 * HOUR)
        assert (await only(ada)).state is VoicemailState.EXPECTED
        assert not world.byte_store.kept
    await world.advance(7 * HOUR)
    voicemail = await only(ada)
    assert (voicemail.state, voicemail.refusal) == (VoicemailState.REFUSED, AudioRefusal.UNFIT)
    assert not world.byte_store.kept
    assert ref in world.recordings.recordings, "what we do not have is lost"
    with pytest.raises(AudioNotHere):
        voicemail.must_be_here()
    await world.advance(90 * DAY)
    assert ref not in world.recordings.recordings, "the carrier has it for longer than we would"
    assert (await only(ada)).state is VoicemailState.EXPIRED


async def test_audio_that_comes_late_or_breaks_off_is_asked_for_again(world: InMemory) -> None:
    ada = await with_line(world)
    world.recordings.not_ready, world.recordings.breaks_off = 3, 2
    ref = await left(ada)
    assert (await only(ada)).state is VoicemailState.EXPECTED
    for _ in range(6):
        await world.advance(MINUTE)
    voicemail = await only(ada)
    assert voicemail.state is VoicemailState.KEPT
    assert await audio(ada, voicemail) == TONE
    assert ref in world.recordings.recordings


async def test_other_kinds_and_too_much_are_refused_at_once(
    world: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await with_line(world)
    await left(ada, b"OggS" + bytes(99), media_type="audio/ogg")
    assert (await only(ada)).refusal is AudioRefusal.UNSUPPORTED
    await left(ada, TONE + bytes(LARGEST))
    assert (await listed(ada))[0].refusal is AudioRefusal.TOO_LARGE
    assert not world.byte_store.kept


async def test_a_recording_too_short_or_for_nobody_goes_at_the_carrier_and_leaves_nothing(
    world: InMemory,
) -> None:
    ada = await with_line(world)
    await left(ada, seconds=1)
    await world.recordings.leave(STRANGER, PhoneNumber("+12025550199"), TONE)
    await world.use_cases.release_line(ada.id, ada.line_id)
    await left(ada)
    assert await listed(ada) == []
    assert not world.recordings.recordings
    assert not world.byte_store.kept


async def test_what_the_carrier_knows_no_more_is_passed_over(world: InMemory) -> None:
    ada = await with_line(world)
    await world.use_cases.receive_voicemail(InboundVoicemail(CarrierRef("RE1")))
    ref = await left(ada, seconds=20)
    held = world.recordings.recordings[ref]
    unknown = CarrierRef("RE2")
    world.recordings.recordings[unknown] = type(held)(
        Recorded(None, None, timedelta(seconds=9)), held.type, held.content
    )
    await world.use_cases.receive_voicemail(InboundVoicemail(unknown))
    assert [voicemail.ref for voicemail in await listed(ada)] == [ref]
    assert unknown in world.recordings.recordings, "whose it is may yet be told"


@pytest.mark.parametrize("silent", [False, True])
async def test_a_transcript_that_never_comes_is_not_waited_for_for_ever(
    world: InMemory, silent: bool
) -> None:
    ada = await with_line(world)
    ref = await left(ada)
    if silent:
        world.recordings.silent = True
        await world.recordings.transcribe(ref, "Nobody told.")
    for _ in range(8):
        await world.advance(10 * MINUTE)
    voicemail = await only(ada)
    told = (voicemail.transcript_state, voicemail.absence, voicemail.transcript)
    if silent:
        assert told == (TranscriptState.DONE, None, "Nobody told.")
    else:
        assert told == (TranscriptState.ABSENT, TranscriptAbsence.NEVER_CAME, None)
    assert not world.recordings.recordings
    assert not world.recordings.transcriptions


async def test_a_transcript_that_comes_after_all_is_taken_in_and_goes_at_the_carrier(world: InMemory) -> None:
    ada = await with_line(world)
    ref = await left(ada)
    held = world.recordings.recordings[ref]
    for _ in range(8):
        await world.advance(10 * MINUTE)
    assert not world.recordings.recordings
    world.recordings.recordings[ref] = held
    made = await world.recordings.transcribe(ref, "Late.")
    del world.recordings.recordings[ref]
    assert made in world.recordings.transcriptions
    await world.advance(3 * MINUTE)
    assert not world.recordings.transcriptions
    assert (await only(ada)).transcript == "Late."


async def test_nobody_waits_for_what_the_transcriber_cannot_do(world: InMemory) -> None:
    ada = await with_line(world)
    await left(ada, seconds=121)
    await world.use_cases.change_profile(ada.id, None, Locale("he-IL"))
    await left(ada)
    assert [(v.transcript_state, v.absence) for v in reversed(await listed(ada))] == [
        (TranscriptState.ABSENT, TranscriptAbsence.TOO_LONG),
        (TranscriptState.ABSENT, TranscriptAbsence.LANGUAGE),
    ]
    await world.advance(3 * MINUTE)
    assert not world.recordings.recordings, "the carrier's copy went with ours"


async def test_a_transcript_in_vain_and_one_that_the_person_corrects(world: InMemory) -> None:
    ada = await with_line(world)
    ref = await left(ada)
    await world.recordings.transcribe(ref, None)
    assert (await only(ada)).transcript_state is TranscriptState.FAILED
    own = Transcript.parse("Hi, it is Noa.\nCall me.")
    changed = await world.use_cases.change_voicemail(ada.id, (await only(ada)).id, transcript=own, heard=True)
    assert (changed.transcript, changed.transcript_state) == (own, TranscriptState.CORRECTED)
    heard_at = changed.heard_at
    assert heard_at is not None
    await world.recordings.transcribe(ref, "High, it is no a.")
    world.clock.advance(MINUTE)
    changed = await world.use_cases.change_voicemail(ada.id, changed.id, heard=True)
    assert (changed.transcript, changed.heard_at) == (own, heard_at)
    assert (await world.use_cases.change_voicemail(ada.id, changed.id, heard=False)).heard_at is None


async def test_a_deletion_can_be_undone_for_an_hour_and_then_everything_is_gone(world: InMemory) -> None:
    ada = await with_line(world)
    ref = await left(ada)
    voicemail = await only(ada)
    deleted = await world.use_cases.delete_voicemail(ada.id, voicemail.id)
    assert deleted.undo_until == world.clock.now() + UNDO_FOR
    assert await listed(ada) == []
    with pytest.raises(NotFound):
        await world.use_cases.read_voicemail(ada.id, voicemail.id)
    with pytest.raises(NotFound):
        await world.use_cases.change_voicemail(ada.id, voicemail.id, heard=True)
    await world.advance(UNDO_FOR - MINUTE)
    restored = await world.use_cases.restore_voicemail(ada.id, voicemail.id)
    assert await audio(ada, restored) == TONE
    await world.advance(HOUR)
    assert await audio(ada, await only(ada)) == TONE, "the first deletion took the second one's time"
    await world.use_cases.delete_voicemail(ada.id, voicemail.id)
    await world.use_cases.delete_voicemail(ada.id, voicemail.id)
    world.clock.advance(UNDO_FOR)
    with pytest.raises(TooLateToUndo):
        await world.use_cases.restore_voicemail(ada.id, voicemail.id)
    await world.advance(MINUTE)
    assert await world.objects.count(ada.id) == 0
    assert not world.byte_store.kept
    assert ref not in world.recordings.recordings
    assert (await world.store.count_rows(ada.id))["voicemails"] == 0


async def test_one_deleted_before_it_was_fetched_comes_back_whole(world: InMemory) -> None:
    ada = await with_line(world)
    world.recordings.outage = True
    await left(ada)
    voicemail = await only(ada)
    await world.use_cases.delete_voicemail(ada.id, voicemail.id)
    world.recordings.outage = False
    await world.advance(10 * MINUTE)
    assert await audio(ada, await world.use_cases.restore_voicemail(ada.id, voicemail.id)) == TONE


async def test_a_carrier_that_lies_about_deleting_is_asked_again(world: InMemory) -> None:
    ada = await with_line(world)
    ref = await left(ada)
    await world.recordings.transcribe(ref, "Hi.")
    world.recordings.lies = True
    await world.advance(10 * MINUTE)
    async with world.store.begin(ada.id) as tx:
        assert (await tx.voicemails.with_carrier_copy(None, 9)) != []
    world.recordings.lies = False
    for _ in range(9):
        await world.advance(HOUR)
    assert not world.recordings.recordings


async def test_an_erased_account_leaves_no_audio_and_nothing_with_the_carrier(world: InMemory) -> None:
    ada = await with_line(world)
    await left(ada)
    world.recordings.outage = True
    await left(ada)
    world.recordings.outage = False
    await world.use_cases.delete_account(ada.id, PASSWORD)
    refs = set(world.recordings.recordings)
    assert len(refs) == 2
    await world.recordings.leave(STRANGER, ada.number, TONE)
    assert set(world.recordings.recordings) == refs, "what came after the goodbye is with the carrier still"
    await world.advance(30 * DAY)
    for _ in range(3):
        await world.advance(MINUTE)
    assert not any((await world.store.count_rows(ada.id)).values())
    assert not world.recordings.recordings
    assert not world.byte_store.kept
    receipt = await world.ledger.receipt(await world.fingerprint(ada.id))
    assert receipt is not None
    assert receipt.facts["recordings_deleted"], "what was left when the erasure began is not counted"


@pytest.mark.parametrize(
    "began", [datetime(2028, 2, 29, 12, tzinfo=UTC), datetime(2027, 12, 31, 23, 59, tzinfo=UTC)], ids=str
)
async def test_audio_goes_after_ninety_days_and_its_transcript_stays(began: datetime) -> None:
    world = InMemory(clock=HandClock(began))
    ada = await with_line(world)
    ref = await left(ada)
    await world.recordings.transcribe(ref, "Hi, it is Noa.")
    await world.advance(90 * DAY - timedelta(microseconds=1))
    voicemail = await only(ada)
    assert await audio(ada, voicemail) == TONE
    await world.advance(timedelta(microseconds=1))
    await world.advance(MINUTE)
    voicemail = await only(ada)
    assert (voicemail.state, voicemail.transcript) == (VoicemailState.EXPIRED, "Hi, it is Noa.")
    assert await world.objects.count(ada.id) == 0


@pytest.mark.parametrize(
    "said", ["audio/wav", "audio/x-wav", "Audio/Wave", "audio/x-wave", "audio/vnd.wave; codecs=1"]
)
async def test_wav_goes_by_several_names(world: InMemory, said: str) -> None:
    ada = await with_line(world)
    await left(ada, media_type=said)
    assert (await only(ada)).type is AudioType.WAV


@pytest.mark.parametrize(
    "head", [b"ID3\x04", b"\xff\xfb\x90\x64", b"\xff\xf3\x40\xc4"], ids=["ID3", "layer 3", "24 kHz"]
)
async def test_an_mp3_is_kept(world: InMemory, head: bytes) -> None:
    ada = await with_line(world)
    await left(ada, head + bytes(999), media_type="audio/mpeg")
    assert (await only(ada)).type is AudioType.MP3


class NothingRecorded(MemoryRecordings):
    """A carrier whose caller hung up before the tone, or said nothing."""

    @asynccontextmanager
    async def fetch(self, ref: CarrierRef) -> AsyncIterator[FetchedAudio]:
        if ref:
            raise RecordingAbsent
        yield FetchedAudio("", self._pieces(b""))


async def test_a_recording_of_nothing_is_waited_for_no_longer() -> None:
    world = InMemory(recordings=NothingRecorded())
    ada = await with_line(world)
    await left(ada)
    voicemail = await only(ada)
    assert (voicemail.state, voicemail.refusal) == (VoicemailState.REFUSED, AudioRefusal.GONE)
    assert await world.objects.count(ada.id) == 0


FRAME, HEAD, SEALED = 64 << 10, 35, (64 << 10) + 16


def frames_of(at_rest: bytes) -> tuple[bytes, list[bytes]]:
    return at_rest[:HEAD], [at_rest[at : at + SEALED] for at in range(HEAD, len(at_rest), SEALED)]


@pytest.mark.parametrize(
    "order",
    [[1, 0, 2, 3], [0, 2, 1, 3], [0, 1, 1, 3], [0, 1, 3], [0, 1, 2], [0, 1], [0, 1, 2, 3, 3], [3, 1, 2, 0]],
    ids=str,
)
async def test_a_cut_swapped_or_reordered_frame_is_never_played(world: InMemory, order: list[int]) -> None:
    ada = await with_line(world)
    await left(ada, tone(14))
    voicemail = await only(ada)
    ((name, at_rest),) = world.byte_store.kept.items()
    head, frames = frames_of(at_rest)
    assert len(frames) == 4
    world.byte_store.kept[name] = head + b"".join(frames[at] for at in order)
    played = bytearray()

    async def play() -> None:
        async for piece in world.use_cases.read_voicemail.content(voicemail, 0, voicemail.size):
            played.extend(piece)

    with pytest.raises(SealBroken):
        await play()
    assert tone(14).startswith(bytes(played)), "something else was played before it was noticed"


async def test_a_frame_of_another_voicemail_is_never_played(world: InMemory) -> None:
    ada = await with_line(world)
    await left(ada, tone(14))
    await left(ada, tone(14, hertz=880))
    one, other = world.byte_store.kept
    head, frames = frames_of(world.byte_store.kept[one])
    _, foreign = frames_of(world.byte_store.kept[other])
    world.byte_store.kept[one] = head + b"".join([frames[0], foreign[1], *frames[2:]])
    broken = 0
    for voicemail in await listed(ada):
        try:
            await audio(ada, voicemail)
        except SealBroken:
            broken += 1
    assert broken == 1
