"""Instructions about a call, as commands to Telnyx (Telnyx: call control). Nothing but a message is ever recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

import structlog

from adapters.call_state import CallStage, CallState
from adapters.outbound.telnyx.answers import Resource, certain, words_of
from adapters.outbound.telnyx.api import TelnyxApi
from adapters.outbound.telnyx.client_state import SealedStates
from adapters.outbound.telnyx.legs import CONTROL, Legs
from adapters.outbound.telnyx.vocabulary import Gone
from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable, CarrierUnsupported
from domain.call_instructions import (
    AskForKey,
    CallAnswer,
    Forward,
    HangUp,
    PutThrough,
    Reject,
    TakeMessage,
)
from domain.call_words import Notice, Spoken

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
class TelnyxCallControl:
    """Commands legs. `connection_id` is the Voice API application that our numbers and calls belong to.

    Every command names the event that brought it about: while that is delivered again, it is the same command
    (Telnyx: `command_id`). What is refused because the call is over is let be.
    """

    api: TelnyxApi
    states: SealedStates
    connection_id: str

    async def state_of(self, client_state: object) -> CallState | None:
        """Return what we had Telnyx carry; None for none of ours. Raises KeysUnavailable."""
        return await self.states.opened(client_state)

    @certain
    async def numbers_of(self, leg: str) -> Numbers | None:
        """Ask between whom a leg is, where its event does not say. Repeating is harmless."""
        found = await Legs(self.api.http).one(leg)
        return None if found is None else Numbers(found.sender, found.to, found.incoming)

    @certain
    async def is_untold(self, control: str) -> bool:
        """Tell whether a leg goes on that was told nothing yet that it would remember. Repeating is harmless."""
        try:
            status = await self.api.http.get(f"/calls/{control}")
        except Gone:
            return False
        return status.get("is_alive") is True and not status.get("client_state")

    async def carry_out(self, state: CallState, answer: CallAnswer, event: str) -> None:
        """Do what is first told of a call. Raises CarrierUnavailable; CarrierRefused where nobody can be called.

        `state` says of which legs. Raises CarrierUnsupported for what takes an app.
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
            case Forward() as forward:
                await self._forward(state, forward, event)
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
        """Record what the caller leaves, now that they were greeted: the one command that records."""
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
        await self._command(state, "record_start", CallStage.RECORDING, event, **asked)

    async def join(self, state: CallState, at: int, event: str) -> None:
        """Put the caller through to the other telephone, whose person has pressed the key; they talk from `at` on."""
        state = replace(state, since=at)
        await self._command(state, "bridge", CallStage.TALKING, event, call_control_id=state.other)

    async def hang_up(self, control: str, event: str) -> None:
        """End one leg; it may be over."""
        await self._told(control, "hangup", {}, event)

    async def _forward(self, state: CallState, forward: Forward, event: str) -> None:
        """Call the other telephone, and remember which leg that is: a caller who gives up ends it."""
        asked = replace(state, stage=CallStage.ASKING)
        dialled = await self._dialled(
            {
                "connection_id": self.connection_id,
                "from": str(forward.caller_id),
                "to": str(forward.to),
                "timeout_secs": forward.seconds,
                "time_limit_secs": max(int(forward.longest.total_seconds()), 1),
                "link_to": state.control,
                "client_state": await self.states.sealed(asked),
                "command_id": f"{event}:dial",
            }
        )
        await self._remember(replace(state, stage=CallStage.WAITING, other=control_of(dialled)))

    async def _remember(self, waiting: CallState) -> None:
        """Have the caller's leg say for whom it waits, unless it has been told more since: an event may come again."""
        path, sealed = (
            f"/calls/{waiting.control}/actions/client_state_update",
            await self.states.sealed(waiting),
        )
        try:
            if await self.is_untold(waiting.control):
                await self.api.http.put(path, {"client_state": sealed})
        except (CarrierRefused, CarrierUnavailable):
            log.info("a call is not known to wait")  # it is over, or the other telephone rings its time out

    @certain
    async def _dialled(self, wanted: dict[str, object]) -> Resource:
        return await self.api.http.post("/calls", wanted)

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


def control_of(dialled: Resource) -> str:
    """Return by what a leg is controlled. Raises CarrierUnavailable."""
    control = words_of(dialled.get("call_control_id"))
    if not CONTROL.match(control):
        raise CarrierUnavailable
    return control
