"""Forms about calls, made out of signed ones: what `tests.forge` tries of messages, tried of calls.

Whoever calls chooses few of the characters that are signed: an app the parameters of its call, a caller the words that
are put into writing. `WORDS` is where these stand.
"""

from __future__ import annotations

from random import Random
from typing import Any
from uuid import UUID

from adapters.inbound.webhooks.twilio.voice import (
    CONNECT,
    DIAL_ACTION,
    FROM_APP,
    GREETING_ACTION,
    KEY,
    SCREEN,
    STATUS,
    VOICE,
    TwilioVoice,
)
from adapters.inbound.webhooks.twilio.voicemail import (
    RECORD_ACTION,
    RECORDING,
    TRANSCRIPTION,
    TwilioVoicemail,
)
from adapters.outbound.twilio.recordings import caller_of, transcription_of
from application.call_progress import CallReport
from application.inbound_calls import IncomingCall
from application.outbound_calls import AppCall
from application.voicemail_receiving import InboundVoicemail
from application.voicemail_transcripts import InboundTranscript
from domain.call_instructions import OVER, ClientIdentity
from tests.support.recuts import call_bait

CALL, LEG, OTHER = f"CA{0xABC:032x}", f"CA{0xABD:032x}", f"CA{0xDEF:032x}"
OURS, CALLER, TELEPHONE = "+12025550143", "+13105550178", "+14155550126"
APP, OTHER_APP = f"client:line_{'a' * 77}", f"client:line_{'b' * 77}"
NAMED = f"line={UUID(int=7)}&call={UUID(int=8)}"
COMMON = {"AccountSid": f"AC{1:032x}", "ApiVersion": "2010-04-01", "CallSid": CALL}
RINGING = COMMON | {"CallStatus": "ringing", "Direction": "inbound", "From": CALLER, "To": OURS}
RUNG = COMMON | {
    "CallSid": LEG, "ParentCallSid": CALL, "CallStatus": "in-progress", "Direction": "outbound-dial", "From": OURS,
    "To": TELEPHONE,
}  # fmt: skip
LEFT = RINGING | {
    "CallStatus": "in-progress", "RecordingDuration": "13", "RecordingSid": f"RE{1:032x}",
    "RecordingUrl": f"https://api.twilio.example/Recordings/RE{1:032x}",
}  # fmt: skip
WRITTEN = LEFT | {"TranscriptionSid": f"TR{1:032x}", "TranscriptionStatus": "completed"}
KINDS: tuple[tuple[str, str, dict[str, str]], ...] = (
    (VOICE, "", RINGING),
    (VOICE, f"line={UUID(int=7)}", RINGING),
    (FROM_APP, "", COMMON | {"CallStatus": "ringing", "Direction": "inbound", "From": APP, "To": TELEPHONE}),
    (DIAL_ACTION, f"{NAMED}&step=rang", RINGING | {"DialCallStatus": "no-answer", "DialCallSid": LEG}),
    (
        DIAL_ACTION,
        f"{NAMED}&step=forwarded",
        RINGING | {"DialCallStatus": "completed", "DialCallDuration": "50"},
    ),
    (SCREEN, NAMED, RUNG),
    (KEY, NAMED, RUNG | {"Digits": "2"}),
    (CONNECT, NAMED, COMMON | {"CallStatus": "in-progress", "From": OURS, "To": APP}),
    (STATUS, NAMED, RUNG | {"CallStatus": "no-answer", "CallDuration": "0"}),
    (STATUS, "", RINGING | {"CallStatus": "completed"}),
    (RECORD_ACTION, NAMED, LEFT),
    (GREETING_ACTION, NAMED, LEFT | {"From": APP}),
    (
        RECORDING,
        NAMED,
        COMMON
        | {"RecordingSid": f"RE{1:032x}", "RecordingSource": "RecordVerb", "RecordingStatus": "completed"},
    ),
    (TRANSCRIPTION, NAMED, WRITTEN),
)
PATHS = tuple({path for path, _, _ in KINDS})
WORDS = {FROM_APP: ("Note", "Aaa", "Zzz"), TRANSCRIPTION: ("TranscriptionText",)}
"""What an app, or a caller by speaking, has Twilio sign, by where it is sent."""


def worded(path: str, rnd: Random) -> dict[str, str]:
    """Return the fields that somebody else chose."""
    return {
        name: call_bait(
            rnd, OTHER, rnd.choice((OURS, TELEPHONE, "+19995550100")), rnd.choice((CALLER, OURS, OTHER_APP))
        )
        for name in WORDS.get(path, ())
        if rnd.random() < 0.7
    }


def handlers(seen: list[Any]) -> dict[str, Any]:
    """Return what answers forms about calls, and notes what it would have the product do."""

    async def note(*what: Any) -> Any:
        seen.append(what[0] if len(what) == 1 else what)
        return OVER

    voice = TwilioVoice(note, note, note, note, note, note, lambda _: b"<Response/>")  # type: ignore[arg-type]
    voicemail = TwilioVoicemail(note, note, note, caller_of, transcription_of)
    return {**voice.handlers(), **voicemail.handlers()}


def changes_nothing(first: object, then: object) -> bool:
    """Tell whether what came first leaves nothing to do for what came then: each call and recording is taken in once.

    Of whoever makes a call from an app only the app counts, and the number that it wants to call is its own word.
    """
    match first, then:
        case IncomingCall(), IncomingCall():
            return (first.ref, first.to, first.line_id) == (then.ref, then.to, then.line_id)
        case AppCall(), AppCall():
            is_a_name = len(then.client) == len(
                APP.removeprefix("client:")
            )  # else it is nobody's, and refused
            return not is_a_name or (first.ref, first.client) == (then.ref, then.client)
        case CallReport(), CallReport() if isinstance(then.ours, ClientIdentity):
            is_a_name = len(then.ours) == len(APP.removeprefix("client:"))  # else nothing comes of it
            return not is_a_name or first == then
        case InboundVoicemail(), InboundVoicemail():
            return (first.ref, first.called) == (then.ref, then.called)
        case InboundTranscript(), InboundTranscript():
            return (first.of, first.called, first.transcription.ref) == (
                then.of,
                then.called,
                then.transcription.ref,
            )
    return first == then
