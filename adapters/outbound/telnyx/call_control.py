"""Instructions about a call, as commands to Telnyx (Telnyx: call control).

What a caller leaves as a message is recorded, and what a line's own person says as its greeting; nothing else ever is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import NamedTuple

import structlog

from adapters.call_state import CallStage, CallState
from adapters.outbound.telnyx.answers import certain
from adapters.outbound.telnyx.dialling import TelnyxDialling
from adapters.outbound.telnyx.legs import CONTROL, Legs
from application.ports.carrier_errors import CarrierRefused, CarrierUnsupported
from domain.call_instructions import (
    AskForKey,
    CallAnswer,
    Connect,
    Forward,
    HangUp,
    PutThrough,
    RecordGreeting,
    Reject,
    RingApp,
    Say,
    TakeMessage,
)
from domain.call_words import Notice, Spoken
from domain.values import PhoneNumber

log = structlog.get_logger()

VOICES: Mapping[Spoken, str] = MappingProxyType(
    {Spoken.ENGLISH: "AWS.Polly.Joanna", Spoken.HEBREW: "Azure.he-IL-HilaNeural"}
)
"""By whom a language is read (Telnyx: speak, voice)."""
KEYS = "0123456789*#"


class Numbers(NamedTuple):
    """Between whom a leg is, and which way it goes."""

    sender: str
    to: str
    incoming: bool


@dataclass(frozen=True, slots=True)
class TelnyxCallControl(TelnyxDialling):
    """Commands legs.

    Every command names the event that brought it about: while that is delivered again, it is the same command
    (Telnyx: `command_id`). What is refused because the call is over is let be.
    """

    async def state_of(self, client_state: object) -> CallState | None:
        """Return what we had Telnyx carry; None for none of ours. Raises KeysUnavailable."""
        return await self.states.opened(client_state)

    @certain
    async def numbers_of(self, leg: str) -> Numbers | None:
        """Ask between whom a leg is, where its event does not say. Repeating is harmless."""
        found = await Legs(self.api.http).one(leg)
        return None if found is None else Numbers(found.sender, found.to, found.incoming)

    @certain
    async def was_answered(self, leg: str) -> bool:
        """Tell whether somebody answered a leg, which the cause of its end does not say. Repeating is harmless."""
        found = await Legs(self.api.http).one(leg)
        return found is not None and found.answered is not None

    async def carry_out(
        self, state: CallState, answer: CallAnswer, event: str, called: PhoneNumber | None = None
    ) -> None:
        """Do what is first told of a call. Raises CarrierUnavailable; CarrierRefused where nobody can be called.

        `state` says of which legs, and `called` is the line's number where its apps are rung.
        """
        state = replace(
            state,
            line_id=answer.line_id or state.line_id,
            call_id=answer.call_id or state.call_id,
            language=answer.language,
        )
        match answer.instructions[0]:
            case Reject():
                await self._told(state.control, "reject", {"cause": "USER_BUSY"}, event)
            case HangUp():
                await self.hang_up(state.control, event)
            case RingApp() | Forward() | Connect() as told:
                await self.call(state, told, called, event)
            case Say(notice):
                words, voice = notice.words(state.language), VOICES[state.language]
                await self._command(state, "speak", CallStage.TELLING, event, payload=words, voice=voice)
            case RecordGreeting(longest, silence) if state.stage is CallStage.PICKING_UP:
                await self._prompt(state, longest, silence, event)
            case AskForKey(key, seconds):
                await self._ask(state, key, seconds, event)
            case PutThrough():
                await self._command(state, "answer", CallStage.JOINING, event)
            case TakeMessage() as wanted:
                if state.stage is CallStage.ANSWERING:
                    await self._greet(state, wanted, event)
                else:
                    await self._command(state, "answer", CallStage.ANSWERING, event)
            case _:
                raise CarrierUnsupported

    async def record(self, state: CallState, event: str) -> None:
        """Record what the one person on the leg says, now that they were asked: the one command that records."""
        asked: dict[str, object] = {
            "format": "wav",
            "channels": "single",
            "recording_track": "inbound",
            "play_beep": True,
            "max_length": state.longest,
            "timeout_secs": state.silence,
            "trim": "trim-silence",
        }
        if state.transcribed:
            asked |= {"transcription": True, "transcription_engine": "B", "transcription_language": "en"}
        stage = CallStage.SPEAKING if state.stage is CallStage.PROMPTING else CallStage.RECORDING
        await self._command(state, "record_start", stage, event, **asked)

    async def join(self, state: CallState, at: int, event: str) -> None:
        """Put the first leg through to the other one; they talk from `at` on."""
        stage = CallStage.CONNECTED if state.stage is CallStage.CALLED else CallStage.TALKING
        state = replace(state, since=at)
        await self._command(state, "bridge", stage, event, call_control_id=state.other)

    async def hang_up(self, control: str, event: str) -> None:
        """End one leg; it may be over."""
        await self._told(control, "hangup", {}, event)

    async def _ask(self, state: CallState, key: str, seconds: int, event: str) -> None:
        asked: dict[str, object] = {
            "payload": Notice.PRESS_TO_TAKE.words(state.language).format(key=key),
            "voice": VOICES[state.language],
            "minimum_digits": 1,
            "maximum_digits": 1,
            "maximum_tries": 1,
            "timeout_millis": seconds * 1000,
            "valid_digits": KEYS,
            "client_state": await self.states.sealed(replace(state, stage=CallStage.ASKING)),
        }
        await self._told(state.other, "gather_using_speak", asked, event)

    async def _greet(self, state: CallState, wanted: TakeMessage, event: str) -> None:
        told = replace(
            state,
            longest=max(int(wanted.longest.total_seconds()), 2),
            silence=max(int(wanted.silence.total_seconds()), 1),
            transcribed=wanted.transcribed,
        )
        if wanted.audio is not None:
            await self._command(told, "playback_start", CallStage.GREETING, event, audio_url=wanted.audio)
        else:
            words = wanted.words or Notice.LEAVE_A_MESSAGE.words(state.language)
            voice = VOICES[Spoken.of_words(words)]
            await self._command(told, "speak", CallStage.GREETING, event, payload=str(words), voice=voice)

    async def _prompt(self, state: CallState, longest: timedelta, silence: timedelta, event: str) -> None:
        told = replace(state, longest=int(longest.total_seconds()), silence=int(silence.total_seconds()))
        words, voice = Notice.SAY_YOUR_GREETING.words(state.language), VOICES[state.language]
        await self._command(told, "speak", CallStage.PROMPTING, event, payload=words, voice=voice)

    async def _command(
        self, state: CallState, action: str, stage: CallStage, event: str, **more: object
    ) -> None:
        """Command the caller's leg, and have it come back in another stage."""
        sealed = await self.states.sealed(replace(state, stage=stage))
        await self._told(state.control, action, {**more, "client_state": sealed}, event)

    @certain
    async def _told(self, control: str, action: str, said: dict[str, object], event: str) -> None:
        if not CONTROL.match(control):
            return
        try:
            await self.api.http.post(
                f"/calls/{control}/actions/{action}", {**said, "command_id": f"{event}:{action}"}
            )
        except CarrierRefused as refusal:
            log.info("command refused", action=action, code=refusal.provider_code)
