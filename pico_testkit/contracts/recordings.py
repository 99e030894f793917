"""What everybody who holds what callers left promises: it is found, fetched whole, and gone once it was deleted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta

import pytest

from application.ports.carrier_errors import CarrierUnavailable
from application.ports.recordings import (
    FetchedAudio,
    Recorded,
    RecordingGone,
    RecordingNotReady,
    Recordings,
)
from application.ports.transcriber import Transcriber
from domain.call_instructions import ClientIdentity
from domain.kernel import CarrierRef
from domain.values import Locale, Peer, PhoneNumber
from domain.voicemail import TranscriptAbsence

CALLER, CALLED = Peer("+13105550178"), PhoneNumber("+12025550143")
UNKNOWN, UNKNOWN_TRANSCRIPT = CarrierRef(f"RE{'a' * 32}"), CarrierRef(f"TR{'a' * 32}")
CLIENT = ClientIdentity("line_" + "a" * 77)
WORDS = "Hi, it is Noa."


class RecordingsWorld(ABC):
    """An adapter, and whatever stands behind it, for one promise."""

    recordings: Recordings
    transcriber: Transcriber
    audio: bytes
    """What callers leave."""

    @abstractmethod
    async def leave(self, caller: str | None, words: str | None = None) -> CarrierRef:
        """Let somebody leave a message of 13 seconds at CALLED, and have it put into writing where there are words.

        None: the caller is withheld. Words that are empty: it was tried in vain.
        """

    @abstractmethod
    async def speak(self) -> CarrierRef:
        """Let a line's own person say something for 13 seconds, on a call that the line's app is alone on."""

    @abstractmethod
    async def call_of(self, ref: CarrierRef) -> CarrierRef:
        """Return the call in which a message was left."""

    @abstractmethod
    def outage(self, *, on: bool) -> None:
        """Have no answer come, or come again."""

    @abstractmethod
    def not_ready(self) -> None:
        """Have the next request for audio come too early."""


async def whole(fetched: FetchedAudio) -> bytes:
    """Read audio to its end."""
    return b"".join([piece async for piece in fetched.content])


class RecordingsContract:
    """Subclass it, and give the fixture `world`."""

    @pytest.fixture
    def world(self) -> RecordingsWorld:
        raise NotImplementedError

    async def test_a_recording_says_who_called_whom_and_how_long(self, world: RecordingsWorld) -> None:
        length = timedelta(seconds=13)
        for caller in (CALLER, None):
            ref = await world.leave(caller)
            said = Recorded(CALLED, caller, length, call=await world.call_of(ref))
            assert await world.recordings.look_up(ref) == said
        assert await world.recordings.look_up(UNKNOWN) is None

    async def test_what_a_lines_own_person_said_is_told_from_what_a_caller_left(
        self, world: RecordingsWorld
    ) -> None:
        ref = await world.speak()
        known = await world.recordings.look_up(ref)
        assert known is not None
        assert (known.of_app, known.is_message, known.call) == (True, True, await world.call_of(ref))
        assert known.length == timedelta(seconds=13)
        assert known.client == CLIENT or known.caller == Peer(CALLED), "whose app it is can be told"

    async def test_the_audio_is_fetched_whole_and_as_often_as_asked_for(self, world: RecordingsWorld) -> None:
        ref = await world.leave(CALLER)
        for _ in range(2):
            async with world.recordings.fetch(ref) as fetched:
                assert fetched.type.startswith("audio/")
                assert await whole(fetched) == world.audio

    async def test_what_was_recorded_of_a_call_is_found_until_it_is_deleted(
        self, world: RecordingsWorld
    ) -> None:
        ref, other = await world.leave(CALLER), await world.leave(CALLER)
        call = await world.call_of(ref)
        assert await world.recordings.of_call(call) == [ref]
        assert await world.recordings.of_call(await world.call_of(other)) == [other]
        await world.recordings.delete(ref)
        assert await world.recordings.of_call(call) == []
        assert await world.recordings.of_call(UNKNOWN) == []

    async def test_audio_that_is_not_there_yet_is_told_from_audio_that_is_gone(
        self, world: RecordingsWorld
    ) -> None:
        ref = await world.leave(CALLER)
        world.not_ready()
        with pytest.raises(RecordingNotReady):
            async with world.recordings.fetch(ref):
                pass
        async with world.recordings.fetch(ref) as fetched:
            assert await whole(fetched) == world.audio
        with pytest.raises(RecordingGone):
            async with world.recordings.fetch(UNKNOWN):
                pass

    async def test_a_deleted_recording_is_gone_with_what_was_made_of_it(self, world: RecordingsWorld) -> None:
        ref, other = await world.leave(CALLER, WORDS), await world.leave(CALLER, WORDS)
        made = await world.transcriber.transcript_of(ref)
        assert made is not None
        assert await world.recordings.holds(made.ref)
        for _ in range(2):
            await world.recordings.delete(ref)
            assert await world.recordings.look_up(ref) is None
            assert [await world.recordings.holds(gone) for gone in (ref, made.ref)] == [False, False]
        with pytest.raises(RecordingGone):
            async with world.recordings.fetch(ref):
                pass
        assert await world.recordings.holds(other)
        await world.recordings.delete(UNKNOWN)

    async def test_a_transcript_is_deleted_by_itself(self, world: RecordingsWorld) -> None:
        ref = await world.leave(CALLER, WORDS)
        made = await world.transcriber.transcript_of(ref)
        assert made is not None
        for _ in range(2):
            await world.recordings.delete(made.ref)
            assert not await world.recordings.holds(made.ref)
        assert await world.recordings.holds(ref)
        assert await world.transcriber.transcript_of(ref) is None
        assert not await world.recordings.holds(UNKNOWN_TRANSCRIPT)

    async def test_a_transcript_is_found_once_there_is_one(self, world: RecordingsWorld) -> None:
        made = await world.transcriber.transcript_of(await world.leave(CALLER, WORDS))
        assert made is not None
        assert (made.text, made.absence) == (WORDS, None)
        assert await world.transcriber.transcript_of(await world.leave(CALLER)) is None
        assert await world.transcriber.transcript_of(UNKNOWN) is None

    async def test_whoever_transcribes_says_beforehand_what_it_does_not(self, world: RecordingsWorld) -> None:
        short, long = timedelta(seconds=30), timedelta(hours=9)
        assert world.transcriber.declines(Locale("en-US"), short) is None
        assert world.transcriber.declines(Locale("en-US"), long) is TranscriptAbsence.TOO_LONG
        assert world.transcriber.declines(None, short) is TranscriptAbsence.LANGUAGE
        assert world.transcriber.patience > timedelta()

    async def test_without_an_answer_nothing_is_certain(self, world: RecordingsWorld) -> None:
        ref = await world.leave(CALLER, WORDS)
        world.outage(on=True)
        for ask in (
            world.recordings.look_up(ref),
            world.recordings.holds(ref),
            world.recordings.of_call(ref),
            world.recordings.delete(ref),
            world.transcriber.transcript_of(ref),
        ):
            with pytest.raises(CarrierUnavailable):
                await ask
        with pytest.raises(CarrierUnavailable):
            async with world.recordings.fetch(ref):
                pass
        world.outage(on=False)
        assert await world.recordings.holds(ref)
