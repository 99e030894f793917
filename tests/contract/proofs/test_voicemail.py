"""Voicemail: what lies there of it, for how long, and what goes when it is deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from adapters.outbound.local.byte_store import LocalByteStore
from adapters.tones import tone
from application.voicemail import DeleteVoicemail
from application.voicemail_deletion import COPY_KEPT, DeleteRecording
from bootstrap.worlds import InMemory
from domain.kernel import AccountId, CarrierRef, NotFound
from domain.retention import Retention
from domain.voicemail import UNDO_FOR, Voicemail, VoicemailId, VoicemailState
from tests.contract.proofs.test_pictures import SealsNothing
from tests.support.actors import STRANGER, Person, with_line
from tests.support.harness import ENVIRONMENT, Anywhere, Databases, OnPostgres, Worlds, in_clear
from tests.support.jumping_clock import JumpingClock
from tests.support.proofs import proves, refused
from tests.support.sabotage import keeping, skipping_job

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
INSTANT = timedelta(microseconds=1)
QUARTER = timedelta(minutes=15)
WORDS = "Hi, it is Noa about the flat in Haifa."
AUDIO = tone(2)
LEAP_DAY = datetime(2028, 2, 29, 12, tzinfo=UTC)


async def left(made: InMemory, ada: Person, words: str | None = WORDS) -> tuple[CarrierRef, Voicemail]:
    """Have a voicemail left and put into writing."""
    ref = await made.recordings.leave(STRANGER, ada.number, AUDIO)
    await made.settle()
    if words is not None:
        await made.recordings.transcribe(ref, words)
        await made.settle()
    return ref, (await made.use_cases.list_voicemails(ada.id, None, None, 1)).items[0]


async def shown(made: InMemory, ada: Person, voicemail_id: VoicemailId) -> Voicemail:
    return await made.use_cases.read_voicemail(ada.id, voicemail_id)


async def played(made: InMemory, voicemail: Voicemail) -> bytes:
    content = made.use_cases.read_voicemail.content(voicemail, 0, voicemail.size)
    return b"".join([piece async for piece in content])


def seals_no_audio(stored: Databases) -> Databases:
    def objects(world: OnPostgres) -> SealsNothing:
        return SealsNothing(LocalByteStore(world.folder / "objects"), world.keyring, ENVIRONMENT)

    return partial(stored, objects=objects)


@proves("C10", text="0d9c499b8d18", saboteur=seals_no_audio, says="audio lies there in clear")
@proves(
    "C10", text="0d9c499b8d18", saboteur=in_clear("voicemails.transcript"), says="words lie there in clear"
)
@proves(
    "C10", text="0d9c499b8d18", saboteur=in_clear("voicemails.caller"), says="a caller lies there in clear"
)
async def test_what_was_left_lies_there_as_ciphertext_only(stored: Databases) -> None:
    async with stored() as world:
        ada = await with_line(world)
        _, voicemail = await left(world, ada)
        files = [path.read_bytes() for path in world.folder.rglob("*") if path.is_file()]
        pieces = [AUDIO[at : at + 24] for at in range(0, len(AUDIO) - 24, 997)]
        assert not any(piece in file for piece in pieces for file in files), "audio lies there in clear"
        assert await world.traces(WORDS, "Haifa") == set(), "words lie there in clear"
        assert await world.traces(STRANGER, STRANGER[2:]) == set(), "a caller lies there in clear"
        assert await played(world, voicemail) == AUDIO
        opened = await world.opened(ada.id)
        assert WORDS in opened
        assert STRANGER in opened


def keeps_audio_too_short(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, retention=keeping(voicemail_audio=90 * DAY - HOUR))


def keeps_audio_too_long(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, retention=keeping(voicemail_audio=90 * DAY + QUARTER + MINUTE))


def keeps_audio_for_ever(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, expire_voicemail=skipping_job)


@proves("T3", text="a182b2b8ef8c", saboteur=keeps_audio_too_short, says="audio went before its time")
@proves("T3", text="a182b2b8ef8c", saboteur=keeps_audio_too_long, says="audio is kept for longer")
@proves("T3", text="a182b2b8ef8c", saboteur=keeps_audio_for_ever, says="audio is kept for longer")
async def test_audio_is_kept_for_ninety_days_and_its_transcript_stays(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        await made.advance(LEAP_DAY - made.clock.now())  # a day that few years have
        ada = await with_line(made)
        ref, voicemail = await left(made, ada)
        for part in (30 * DAY, 59 * DAY, DAY - 30 * MINUTE):
            await made.advance(part)
        assert (await shown(made, ada, voicemail.id)).is_kept, "audio went before its time"
        assert await played(made, voicemail) == AUDIO
        assert ref not in made.recordings.recordings, "the carrier's copy goes long before"
        await made.advance(30 * MINUTE)
        await made.advance(QUARTER)
        assert await made.objects.count(ada.id) == 0, "audio is kept for longer"
        kept = await shown(made, ada, voicemail.id)
        assert (kept.state, kept.transcript, kept.size) == (VoicemailState.EXPIRED, WORDS, 0)


async def test_audio_goes_at_the_instant_and_no_clock_that_is_wrong_hastens_or_saves_it(
    world: Worlds,
) -> None:
    for jump in (90 * DAY, -90 * DAY, timedelta()):
        made = world(clock=lambda made: JumpingClock(made.clock))
        clock: Any = made.clock
        ada = await with_line(made)
        _, voicemail = await left(made, ada)
        began = voicemail.created_at
        clock.jump = jump
        for _ in range(12):
            await made.advance(5 * MINUTE)
            assert (await shown(made, ada, voicemail.id)).is_kept
        clock.jump = timedelta()
        await made.advance(began + 90 * DAY - INSTANT - made.clock.now())
        await made.advance(timedelta())
        assert (await shown(made, ada, voicemail.id)).is_kept
        await made.advance(INSTANT)
        for _ in range(3):
            await made.advance(5 * MINUTE)
        assert await made.objects.count(ada.id) == 0
        assert (await shown(made, ada, voicemail.id)).state is VoicemailState.EXPIRED


class HidesNothing(DeleteVoicemail):
    """Says that a voicemail is deleted, and goes on to show it."""

    async def __call__(self, account_id: AccountId, voicemail_id: VoicemailId) -> Voicemail:
        async with self.store.begin(account_id) as tx:
            return await tx.voicemails.get(voicemail_id)


def hides_nothing(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, delete_voicemail=HidesNothing)


def keeps_what_was_deleted(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, purge_voicemail=skipping_job)


@proves("H45", text="f529775312e6", saboteur=hides_nothing, says="a deleted voicemail is shown")
@proves("H45", text="f529775312e6", saboteur=keeps_what_was_deleted, says="a deleted voicemail is kept")
async def test_a_deleted_voicemail_is_gone_at_once_and_an_hour_later_for_good(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await with_line(made)
        ref, voicemail = await left(made, ada, words=None)
        await made.use_cases.delete_voicemail(ada.id, voicemail.id)
        with refused(NotFound, "a deleted voicemail is shown"):
            await shown(made, ada, voicemail.id)
        await made.advance(UNDO_FOR - MINUTE)
        restored = await made.use_cases.restore_voicemail(ada.id, voicemail.id)
        assert await played(made, restored) == AUDIO
        await made.use_cases.delete_voicemail(ada.id, voicemail.id)
        await made.advance(UNDO_FOR)
        await made.advance(MINUTE)
        assert await made.objects.count(ada.id) == 0, "a deleted voicemail is kept"
        assert (await made.store.count_rows(ada.id))["voicemails"] == 0
        assert ref not in made.recordings.recordings
        with refused(NotFound, "it came back"):
            await made.use_cases.restore_voicemail(ada.id, voicemail.id)


class BelievesInDeletion(DeleteRecording):
    """Takes a deletion for done without asking again."""

    async def __call__(self, account_id: AccountId, voicemail_id: VoicemailId, lease: Any) -> None:
        async def change(tx: Any) -> None:
            voicemail = await tx.voicemails.get_even_deleted(voicemail_id)
            await self.recordings.delete(voicemail.ref)
            voicemail.carrier_copy_deleted(self.clock.now())
            tx.save(voicemail)

        await self.store.update(account_id, change, completing=lease)


class Hasty(DeleteRecording):
    """Deletes the carrier's copy before there is one of ours."""

    async def __call__(self, account_id: AccountId, voicemail_id: VoicemailId, lease: Any) -> None:
        async with self.store.begin(account_id) as tx:
            await self.recordings.delete((await tx.voicemails.get_even_deleted(voicemail_id)).ref)


def believes_in_deletion(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, delete_recording=BelievesInDeletion)


def leaves_copies(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, delete_recording=skipping_job)


def is_hasty(anywhere: Anywhere) -> Anywhere:
    def instead(**given: Any) -> Hasty:
        return Hasty(given["store"], made_by_nobody, given["fetch"].recordings, given["clock"])

    made_by_nobody: Any = None
    return partial(anywhere, fetch_voicemail=instead)


@proves("H46", text="aafc4d93e0ff", saboteur=leaves_copies, says="Twilio still holds it")
@proves("H46", text="aafc4d93e0ff", saboteur=believes_in_deletion, says="Twilio still holds it")
@proves("H46", text="aafc4d93e0ff", saboteur=is_hasty, says="it is nowhere any more")
async def test_twilios_copy_goes_once_ours_is_read_back(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await with_line(made)
        ref, voicemail = await left(made, ada, words=None)
        assert ref in made.recordings.recordings or await made.objects.count(ada.id), "it is nowhere any more"
        await made.recordings.transcribe(ref, WORDS)
        made.recordings.lies = True
        await made.advance(COPY_KEPT + MINUTE)
        made.recordings.lies = False
        for _ in range(9):
            await made.advance(HOUR)
        assert not made.recordings.recordings, "Twilio still holds it"
        assert not made.recordings.transcriptions, "Twilio still holds it"
        assert await played(made, await shown(made, ada, voicemail.id)) == AUDIO


def test_the_period_is_the_policys() -> None:
    assert Retention().voicemail_audio.clause == "T3"
