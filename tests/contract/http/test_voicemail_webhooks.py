"""Twilio's webhooks about voicemail: the sample sequences in any order, signatures, odd callers, foreign recordings."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from adapters.inbound.webhooks.twilio.voicemail import RECORD_ACTION, RECORDING, TRANSCRIPTION
from adapters.outbound.memory.recordings import HeldRecording
from adapters.outbound.twilio.recordings import caller_of
from adapters.tones import tone
from application.ports.recordings import Recorded
from application.ports.transcriber import Transcription
from domain.audit import AuditEntry
from domain.kernel import CarrierRef
from domain.values import Peer, PhoneNumber
from domain.voicemail import Transcript
from tests.support.http_world import OURS, STRANGER, HttpWorld
from tests.support.provider_files import sample_webhooks

SHUFFLES = int(os.environ.get("PICO_SHUFFLES", "5"))
MINUTE = timedelta(minutes=1)
REF, TR = CarrierRef(f"RE{1:032x}"), CarrierRef(f"TR{1:032x}")
AUDIO = tone(2)
SAID = "Hi this is Sam, please call me back about the flat."
ABOUT_VOICEMAIL = frozenset({RECORD_ACTION, RECORDING, TRANSCRIPTION})


def form(**fields: str) -> dict[str, str]:
    call = {"AccountSid": f"AC{1:032x}", "CallSid": f"CA{1:032x}", "From": STRANGER, "To": OURS}
    return {**call, "CallStatus": "in-progress", "RecordingSid": REF, "RecordingDuration": "13", **fields}


RECORDED = {
    "AccountSid": f"AC{1:032x}", "CallSid": f"CA{1:032x}", "RecordingSid": REF, "RecordingSource": "RecordVerb",
    "RecordingStatus": "completed", "RecordingDuration": "13",
}  # fmt: skip


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world:
        yield world


async def ada(http: HttpWorld) -> str:
    """Have somebody with a line, and the carrier hold a recording that was left there."""
    token = await http.person("ada")
    await http.line(token, OURS)
    hold(http, REF)
    return token


def hold(http: HttpWorld, ref: CarrierRef, *, seconds: int = 13, is_message: bool = True) -> None:
    length = timedelta(seconds=seconds)
    recorded = Recorded(PhoneNumber(OURS), Peer(STRANGER), length, is_message=is_message)
    http.world.recordings.recordings[ref] = HeldRecording(recorded, "audio/x-wav", AUDIO)


async def voicemails(http: HttpWorld, token: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await http.call("GET", "/v1/voicemails", token=token)).json["items"]
    return items


def sequence(name: str) -> list[dict[str, Any]]:
    told = sample_webhooks("twilio_voice_sequences.json")["sequences"][name]
    return [one for one in told if one["url"].partition("example")[2].partition("?")[0] in ABOUT_VOICEMAIL]


async def play(http: HttpWorld, told: Sequence[dict[str, Any]]) -> None:
    for one in told:
        path = one["url"].partition("example")[2]
        answer = await http.webhook(path, one["form"], signed=one["headers"]["X-Twilio-Signature"])
        assert answer.status in {200, 204}


def orders(told: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    shuffled = [random.Random(seed).sample(told, len(told)) for seed in range(SHUFFLES)]
    return [told, told[::-1], *shuffled, told * 2]


async def test_the_samples_end_the_same_in_any_order() -> None:
    for told in orders(sequence("missed_call_to_voicemail")):
        async with HttpWorld.running() as http:
            token = await ada(http)
            made = Transcription(TR, Transcript(SAID))
            http.world.recordings.transcriptions[TR] = REF, made
            await play(http, told)
            await http.world.advance(3 * MINUTE)
            (shown,) = await voicemails(http, token)
            assert {name: shown[name] for name in ("from", "state", "transcript", "transcript_state")} == {
                "from": STRANGER, "state": "kept", "transcript": SAID, "transcript_state": "done",
            }  # fmt: skip
            assert shown["duration"] in {13, 14}, "trimmed, or not yet"
            assert not http.world.recordings.recordings
            assert not http.world.recordings.transcriptions


@pytest.mark.parametrize(
    ("status", "text", "state", "absence"),
    [
        ("completed", "(blank)", "absent", "nothing_said"),
        ("completed", "\u200b ", "absent", "nothing_said"),
        ("failed", "", "failed", None),
        ("in-progress", "", "pending", None),
        ("completed", "Hi\nthere \u202e", "done", None),
    ],
)
async def test_what_a_transcript_comes_to(
    http: HttpWorld, status: str, text: str, state: str, absence: str | None
) -> None:
    token = await ada(http)
    await http.webhook(RECORD_ACTION, form())
    transcript = form(TranscriptionSid=TR, TranscriptionStatus=status, TranscriptionText=text)
    assert (await http.webhook(TRANSCRIPTION, transcript)).status == 204
    (shown,) = await voicemails(http, token)
    assert (shown["transcript_state"], shown["absence"]) == (state, absence)
    assert shown["transcript"] == ("Hi there" if state == "done" else None)


@pytest.mark.parametrize(
    ("sender", "caller"),
    [
        *((text, None) for text in ("anonymous", "Anonymous", "unknown", "Restricted", "+266696687", "")),
        ("+442079460018", "+442079460018"),
        ("sip:noa@example.org", "sip:noa@example.org"),
        ("client:somebody", "client:somebody"),
        ("\u202eADA\n", "ADA"),
        ("7" * 99, "7" * 64),
    ],
)
async def test_any_caller_is_taken_in(http: HttpWorld, sender: str, caller: str | None) -> None:
    token = await ada(http)
    answer = await http.webhook(RECORD_ACTION, form(From=sender))
    assert (answer.status, answer.body) == (200, b"<Response><Hangup/></Response>")
    await http.world.settle()
    (shown,) = await voicemails(http, token)
    assert (shown["from"], shown["state"]) == (caller, "kept")
    assert caller_of(sender) == caller


async def test_the_recordings_id_may_stand_in_its_address_only(http: HttpWorld) -> None:
    token = await ada(http)
    told = form(RecordingUrl=f"https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/{REF}")
    del told["RecordingSid"]
    await http.webhook(RECORD_ACTION, told)
    await http.world.settle()
    assert [shown["state"] for shown in await voicemails(http, token)] == ["kept"]


@pytest.mark.parametrize("path", sorted(ABOUT_VOICEMAIL))
async def test_what_twilio_did_not_sign_or_makes_no_sense_changes_nothing(http: HttpWorld, path: str) -> None:
    token = await ada(http)
    told = {**RECORDED, **form(TranscriptionSid=TR, TranscriptionStatus="completed", TranscriptionText="x")}
    assert (await http.webhook(path, told, signed="A" * 28)).status == 403
    other = await http.webhook(path, told | {"RecordingSid": f"RE{9:031x}"})
    assert other.status in {200, 400}
    assert (await http.webhook(path, {"AccountSid": f"AC{1:032x}"})).status == 400
    assert (await http.webhook(path, {**told, "RecordingSid": "../../Messages"})).status in {200, 400}
    assert await voicemails(http, token) == []
    assert REF in http.world.recordings.recordings


async def test_a_message_of_a_second_leaves_nothing_and_goes_at_the_carrier(http: HttpWorld) -> None:
    token = await ada(http)
    hold(http, REF, seconds=1)
    await http.webhook(RECORD_ACTION, form(RecordingDuration="1"))
    assert REF in http.world.recordings.recordings, "its audio may not be ready to be deleted"
    await http.webhook(RECORDING, RECORDED)
    assert await voicemails(http, token) == []
    assert not http.world.recordings.recordings


async def test_a_call_that_was_recorded_is_deleted_at_the_carrier_and_audited(http: HttpWorld) -> None:
    token = await ada(http)
    hold(http, REF, is_message=False)
    lied_about = CarrierRef(f"RE{2:032x}")
    hold(http, lied_about)
    for ref in (REF, lied_about):
        told = RECORDED | {"RecordingSid": ref, "RecordingSource": "DialVerb"}
        assert (await http.webhook(RECORDING, told)).status == 204
    assert set(http.world.recordings.recordings) == {lied_about}, "the carrier itself says what it is"
    assert await voicemails(http, token) == []
    (account,) = http.world.store.accounts
    kinds = [entry.kind for entry in http.world.store.rows(account)[AuditEntry].values()]  # type: ignore[attr-defined]
    assert kinds.count("recording_refused") == 1


async def test_an_outage_has_twilio_come_again(http: HttpWorld) -> None:
    token = await ada(http)
    http.world.recordings.outage = True
    assert (await http.webhook(RECORDING, RECORDED)).status == 503
    assert (await http.webhook(RECORD_ACTION, form())).status == 200, (
        "nothing is asked of the carrier for that"
    )
    http.world.recordings.outage = False
    assert (await http.webhook(RECORDING, RECORDED)).status == 204
    await http.world.advance(MINUTE)
    assert [shown["state"] for shown in await voicemails(http, token)] == ["kept"]
