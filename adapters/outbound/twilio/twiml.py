"""Instructions about a call, written down as Twilio reads them (Twilio: TwiML for Programmable Voice)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import assert_never
from xml.sax.saxutils import escape

from adapters.outbound.twilio.api import RETRIES
from domain.call_instructions import (
    AskForKey,
    CallAnswer,
    Connect,
    Forward,
    HangUp,
    Instruction,
    PutThrough,
    RecordGreeting,
    Reject,
    RingApp,
    Say,
    TakeMessage,
)
from domain.call_words import Notice, Spoken

HEAD = "<?xml version='1.0' encoding='utf-8'?>\n"
QUOTES = {'"': "&quot;"}
LARGEST = 64_000
"""Bytes of a document that Twilio reads."""
VOICES: Mapping[Spoken, dict[str, str]] = MappingProxyType(
    {Spoken.ENGLISH: {}, Spoken.HEBREW: {"voice": "Google.he-IL-Wavenet-A", "language": "he-IL"}}
)
"""By whom a language is read; English by the voice that is Twilio's own choice (Twilio: text-to-speech)."""
HEARD = "initiated ringing answered completed"


class TwimlTooLarge(Exception):
    """What was to be said is longer than Twilio reads."""


def twiml(answer: CallAnswer) -> bytes:
    """Return the document. Raises TwimlTooLarge.

    Addresses are relative: Twilio takes them below the address it asked. They name line and call by our own ids.
    """
    at, language = _Addresses(answer), answer.language
    told = [_written(instruction, at, language) for instruction in answer.instructions]
    written = (HEAD + _element("Response", {}, *filter(None, told))).encode()
    if len(written) > LARGEST:
        raise TwimlTooLarge
    return written


def _element(name: str, attributes: Mapping[str, str], *inside: str) -> str:
    """Write an element around what is `inside`, written already.

    A caller waits for the document, and the library's tree and its serialiser take three times as long over it.
    """
    said = "".join([f' {name}="{escape(value, QUOTES)}"' for name, value in attributes.items()])
    return f"<{name}{said}>{''.join(inside)}</{name}>" if inside else f"<{name}{said} />"


class _Addresses:
    """Where Twilio asks or reports next."""

    def __init__(self, answer: CallAnswer) -> None:
        named = {"line": answer.line_id, "call": answer.call_id}
        self._query = "&".join([f"{name}={value}" for name, value in named.items() if value is not None])

    def __call__(self, path: str, **more: str) -> str:
        parts = [self._query, *[f"{name}={value}" for name, value in more.items()]]
        query = "&".join(filter(None, parts))
        return f"/webhooks/twilio/voice/{path}" + (f"?{query}" if query else "")


def _written(instruction: Instruction, at: Callable[..., str], language: Spoken) -> str:
    match instruction:
        case RingApp(client, seconds):
            rung = _element("Client", _heard(at), escape(client))
            written = _dial(at("dial-action", step="rang"), rung, timeout=str(seconds))
        case Forward(to, caller_id, longest, seconds):
            rung = _element("Number", {"url": at("screen", language=language)}, escape(to))
            limits = {"timeout": str(seconds), "timeLimit": _seconds(longest.total_seconds())}
            written = _dial(at("dial-action", step="forwarded"), rung, callerId=caller_id, **limits)
        case Connect(to, caller_id, longest):
            rung, limit = _element("Number", _heard(at), escape(to)), _seconds(longest.total_seconds())
            written = _dial(at("dial-action", step="called"), rung, callerId=caller_id, timeLimit=limit)
        case AskForKey(key, seconds):
            asked = {"action": at("key"), "numDigits": "1", "timeout": str(seconds), "input": "dtmf"}
            words = Notice.PRESS_TO_TAKE.words(language).format(key=key)
            written = _element("Gather", asked, _say(words, language))
        case TakeMessage() | RecordGreeting():
            written = _recording(instruction, at, language)
        case Say(notice):
            written = _say(notice.words(language), language)
        case Reject():
            written = _element("Reject", {"reason": "busy"})
        case HangUp():
            written = _element("Hangup", {})
        case PutThrough():
            written = ""  # an empty answer to the one who was asked is what puts them through
        case _:
            assert_never(instruction)
    return written


def _heard(at: Callable[..., str]) -> dict[str, str]:
    return {"statusCallback": at("status") + RETRIES, "statusCallbackEvent": HEARD}


def _dial(action: str, rung: str, **more: str) -> str:
    # `record` is left out, and by default nothing is recorded.
    return _element("Dial", {"action": action, "answerOnBridge": "true", **more}, rung)


def _seconds(seconds: float) -> str:
    return str(max(int(seconds), 1))


def _say(words: str, language: Spoken) -> str:
    return _element("Say", VOICES[language], escape(words))


def _recording(wanted: TakeMessage | RecordGreeting, at: Callable[..., str], language: Spoken) -> str:
    """Write down what somebody is told first, and that what they say then is recorded; nobody else is on the call."""
    action = "record-action"
    if isinstance(wanted, RecordGreeting):
        action, told = "greeting-action", _say(Notice.SAY_YOUR_GREETING.words(language), language)
    elif wanted.audio is not None:
        told = _element("Play", {}, escape(wanted.audio))
    elif wanted.words is not None:
        told = _say(wanted.words, Spoken.of_words(wanted.words))
    else:
        told = _say(Notice.LEAVE_A_MESSAGE.words(language), language)
    record = {
        "action": at(action),
        "recordingStatusCallback": at("recording") + RETRIES,
        "recordingStatusCallbackEvent": "completed absent",
        "maxLength": _seconds(max(wanted.longest.total_seconds(), 2)),
        "timeout": _seconds(wanted.silence.total_seconds()),
        "finishOnKey": "#",
        "playBeep": "true",
        "trim": "trim-silence",
    }
    if isinstance(wanted, TakeMessage) and wanted.transcribed:
        record |= {"transcribe": "true", "transcribeCallback": at("transcription") + RETRIES}
    return told + _element("Record", record) + _element("Hangup", {})
