"""Instructions about a call, written down as Twilio reads them (Twilio: TwiML for Programmable Voice)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import assert_never
from xml.etree.ElementTree import Element, SubElement, tostring

from adapters.outbound.twilio.api import RETRIES
from domain.call_instructions import (
    AskForKey,
    CallAnswer,
    Connect,
    Forward,
    HangUp,
    Instruction,
    PutThrough,
    Reject,
    RingApp,
    Say,
    TakeMessage,
)
from domain.call_words import Notice, Spoken

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
    document = Element("Response")
    for instruction in answer.instructions:
        _write(document, instruction, _Addresses(answer), answer.language)
    written: bytes = tostring(document, encoding="utf-8", xml_declaration=True)
    if len(written) > LARGEST:
        raise TwimlTooLarge
    return written


class _Addresses:
    """Where Twilio asks or reports next."""

    def __init__(self, answer: CallAnswer) -> None:
        named = {"line": answer.line_id, "call": answer.call_id}
        self._query = "&".join(f"{name}={value}" for name, value in named.items() if value is not None)

    def __call__(self, path: str, **more: str) -> str:
        parts = [self._query, *(f"{name}={value}" for name, value in more.items())]
        query = "&".join(filter(None, parts))
        return f"/webhooks/twilio/voice/{path}" + (f"?{query}" if query else "")


def _write(document: Element, instruction: Instruction, at: Callable[..., str], language: Spoken) -> None:
    match instruction:
        case RingApp(client, seconds):
            dial = _dial(document, at("dial-action", step="rang"), timeout=str(seconds))
            heard = {"statusCallback": at("status") + RETRIES, "statusCallbackEvent": HEARD}
            SubElement(dial, "Client", heard).text = client
        case Forward(to, caller_id, longest, seconds):
            action = at("dial-action", step="forwarded")
            limits = {"timeout": str(seconds), "timeLimit": _seconds(longest.total_seconds())}
            dial = _dial(document, action, callerId=caller_id, **limits)
            SubElement(dial, "Number", {"url": at("screen", language=language)}).text = to
        case Connect(to, caller_id, longest):
            limit = _seconds(longest.total_seconds())
            dial = _dial(document, at("dial-action", step="called"), callerId=caller_id, timeLimit=limit)
            heard = {"statusCallback": at("status") + RETRIES, "statusCallbackEvent": HEARD}
            SubElement(dial, "Number", heard).text = to
        case AskForKey(key, seconds):
            asked = {"action": at("key"), "numDigits": "1", "timeout": str(seconds), "input": "dtmf"}
            gather = SubElement(document, "Gather", asked)
            _say(gather, Notice.PRESS_TO_TAKE.words(language).format(key=key), language)
        case TakeMessage():
            _take_message(document, instruction, at, language)
        case Say(notice):
            _say(document, notice.words(language), language)
        case Reject():
            SubElement(document, "Reject", {"reason": "busy"})
        case HangUp():
            SubElement(document, "Hangup")
        case PutThrough():
            pass  # an empty answer to the one who was asked is what puts them through
        case _:
            assert_never(instruction)


def _dial(document: Element, action: str, **more: str) -> Element:
    # `record` is left out, and by default nothing is recorded.
    return SubElement(document, "Dial", {"action": action, "answerOnBridge": "true", **more})


def _seconds(seconds: float) -> str:
    return str(max(int(seconds), 1))


def _say(parent: Element, words: str, language: Spoken) -> None:
    SubElement(parent, "Say", VOICES[language]).text = words


def _take_message(document: Element, wanted: TakeMessage, at: Callable[..., str], language: Spoken) -> None:
    if wanted.audio is not None:
        SubElement(document, "Play").text = wanted.audio
    elif wanted.words is not None:
        _say(document, wanted.words, Spoken.of_words(wanted.words))
    else:
        _say(document, Notice.LEAVE_A_MESSAGE.words(language), language)
    record = {
        "action": at("record-action"),
        "recordingStatusCallback": at("recording") + RETRIES,
        "recordingStatusCallbackEvent": "completed absent",
        "maxLength": _seconds(max(wanted.longest.total_seconds(), 2)),
        "timeout": _seconds(wanted.silence.total_seconds()),
        "finishOnKey": "#",
        "playBeep": "true",
        "trim": "trim-silence",
    }
    if wanted.transcribed:
        record |= {"transcribe": "true", "transcribeCallback": at("transcription") + RETRIES}
    SubElement(document, "Record", record)
    SubElement(document, "Hangup")
