"""Telnyx's events about calls: each is about one leg, and is answered with commands, not with a document."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from adapters.call_state import CallStage, CallState
from adapters.inbound.webhooks.telnyx.app_calls import OUTGOING, CallControl, RefOf, TelnyxAppCalls
from adapters.inbound.webhooks.telnyx.call_events import CallEvent, Party, caller_of
from adapters.inbound.webhooks.telnyx.events import Event
from application.call_progress import ApplyCallReport, CallReport
from application.forwarded_calls import ASK, AcceptForwardedCall, ScreenedCall
from application.inbound_calls import AnswerCall, ContinueCall, IncomingCall, StepDone
from application.ports.carrier_errors import CarrierRefused
from domain.call_instructions import REFUSAL, CallAnswer, PutThrough, RingApp
from domain.call_routing import CallStep
from domain.calls import CallDirection, CallOutcome
from domain.values import PhoneNumber

DIGIT = re.compile(r"[0-9*#]\Z")
BROKEN_OFF = "call_hangup"
"""Why a greeting has ended: whoever was to hear it is gone."""


@dataclass(frozen=True, slots=True)
class TelnyxVoice:
    """Follows calls leg by leg, and has them commanded. Any order and redelivery is harmless."""

    answer: AnswerCall
    go_on: ContinueCall
    accept: AcceptForwardedCall
    apply_report: ApplyCallReport
    control: CallControl
    apps: TelnyxAppCalls
    ref_of: RefOf
    came_to: Callable[[object], CallOutcome]

    def handlers(self) -> dict[str, Callable[[Event], Awaitable[None]]]:
        """Return the handlers of verified events, by type."""
        return {
            "call.initiated": self.initiated,
            "call.answered": self.answered,
            "call.speak.ended": self.greeted,
            "call.playback.ended": self.greeted,
            "call.gather.ended": self.pressed,
            "call.hangup": self.ended,
        }

    async def read(self, event: Event) -> CallEvent:
        """Read an event, with what we had Telnyx remember of this leg, and of no other. Raises Malformed."""
        call = CallEvent.read(event)
        state = await self.control.state_of(call.client_state)
        return replace(call, state=state if state is not None and state.is_of(call.leg) else None)

    async def initiated(self, event: Event) -> None:
        """Say what is done with a call that came in. Legs that we began are followed once they are answered."""
        call = await self.read(event)
        if not call.incoming:
            return
        incoming = self._incoming(call)
        answer = REFUSAL if incoming is None else await self.answer(incoming)
        state = CallState(stage=CallStage.WAITING, leg=call.leg, control=call.must_be_controlled())
        # One that was told something is told nothing more: this came again, and late, and the two may be talking.
        if await self.control.progress_of(state.control) == (True, None):
            await self._carry_out(state, incoming, answer, call.id)

    async def _carry_out(
        self, state: CallState, incoming: IncomingCall | None, answer: CallAnswer, event: str
    ) -> None:
        """Have it done; where no app rings or no telephone can be called, the caller goes on to what is next."""
        called = None if incoming is None else incoming.to
        while True:
            try:
                await self.control.carry_out(state, answer, event, called)
            except CarrierRefused:
                if incoming is None:
                    raise
                rang = isinstance(answer.instructions[0], RingApp)
                step = CallStep.RANG if rang else CallStep.FORWARDED
                outcome = CallOutcome.NO_ANSWER if rang else CallOutcome.FAILED
                answer = await self.go_on(StepDone(incoming, step, outcome))
            else:
                return

    async def answered(self, event: Event) -> None:
        """Go on with a leg that was answered: greet, ask for a key, or put the two through."""
        call = await self.read(event)
        state = call.state
        if state is None:
            return
        if state.stage is CallStage.ASKING:
            asked = CallAnswer(ASK.instructions, state.line_id, state.call_id, state.language)
            await self.control.carry_out(replace(state, other=call.must_be_controlled()), asked, call.id)
        elif state.stage is CallStage.JOINING:
            await self.control.join(state, call.second, call.id)
        elif state.stage is CallStage.ANSWERING and (incoming := self._incoming(call)) is not None:
            # Nobody is called any more: what is left is the mailbox. It says nothing of how the call came out.
            step = StepDone(incoming, CallStep.FORWARDED, CallOutcome.RINGING)
            await self.control.carry_out(state, await self.go_on(step), call.id)
        else:
            await self.apps.answered(call, state)

    async def greeted(self, event: Event) -> None:
        """Record what somebody says who has heard that they are to, or to whom that cannot be played."""
        call = await self.read(event)
        broken_off = event.payload.get("status") == BROKEN_OFF
        asked = call.state is not None and call.state.stage in {CallStage.GREETING, CallStage.PROMPTING}
        if call.state is not None and asked and not broken_off:
            await self.control.record(call.state, call.id)
        elif call.state is not None and call.state.stage is CallStage.TELLING:
            await self.control.hang_up(call.state.control, call.id)

    async def pressed(self, event: Event) -> None:
        """Put the caller through if the key was pressed; else the other telephone's leg ends."""
        call = await self.read(event)
        state, number = call.state, PhoneNumber.or_none(call.sender)
        if state is None or state.stage is not CallStage.ASKING:
            return
        digit = event.payload.get("digits")
        pressed = digit if isinstance(digit, str) and DIGIT.match(digit) else ""
        other, answer = call.must_be_controlled(), REFUSAL
        if number is not None:
            screened = ScreenedCall(number, state.line_id, state.call_id)
            answer = await self.accept(screened, pressed)
        if answer.instructions == (PutThrough(),):
            await self.control.carry_out(replace(state, other=other), answer, call.id)
        else:
            await self.control.hang_up(other, call.id)

    async def ended(self, event: Event) -> None:
        """Note the end of a leg: the caller's ends the call, another telephone's may send the caller to the mailbox."""
        call = await self.read(event)
        state = call.state
        if state is not None and state.stage in {CallStage.ASKING, CallStage.RINGING}:
            await self._another_ended(call, state)
            return
        if state is not None and state.stage in {CallStage.WAITING, CallStage.JOINING} and state.other:
            await self.control.hang_up(state.other, call.id)
        between = await self._between(call)
        if state is not None and state.stage in OUTGOING:
            await self.apps.ended(call, state, between)
            return
        if between is None or not between.incoming:
            return
        ours = PhoneNumber.or_none(between.to)
        if ours is None:
            return
        talked = state is not None and state.stage is CallStage.TALKING
        await self.apply_report(
            CallReport(
                ref=self.ref_of(call.leg),
                ours=ours,
                peer=caller_of(between.sender),
                direction=CallDirection.INBOUND,
                outcome=CallOutcome.ANSWERED if talked else None,
                duration=max(call.second - state.since, 0) if talked and state is not None else 0,
                is_over=True,
                line_id=None if state is None else state.line_id,
                call_id=None if state is None else state.call_id,
            )
        )

    async def _another_ended(self, call: CallEvent, state: CallState) -> None:
        """Go on with the caller after apps or another telephone rang, be it to the end of what they talked."""
        between = await self._between(call)
        ours = None if between is None else PhoneNumber.or_none(between.sender)
        if ours is None:
            return
        incoming = IncomingCall(self.ref_of(state.leg), ours, None, state.line_id)
        step, outcome = CallStep.FORWARDED, self.came_to(call.cause)
        if state.stage is CallStage.RINGING:
            step, outcome = CallStep.RANG, await self.apps.came_to(call)
        waiting = replace(state, stage=CallStage.WAITING, other="")
        answer = await self.go_on(StepDone(incoming, step, outcome))
        await self._carry_out(waiting, incoming, answer, call.id)

    async def _between(self, call: CallEvent) -> Party | None:
        """Return who calls whom; Telnyx is asked where the event does not say."""
        if call.says_between:
            return Party(call.sender, call.to, incoming=call.incoming or not call.outgoing)
        asked = await self.control.numbers_of(call.leg)
        return None if asked is None else Party(*asked)

    def _incoming(self, call: CallEvent) -> IncomingCall | None:
        """Reduce it to what Pico keeps; None when it is not for a number that could be ours."""
        to = PhoneNumber.or_none(call.to)
        if to is None:
            return None
        line_id = None if call.state is None else call.state.line_id
        return IncomingCall(self.ref_of(call.leg), to, caller_of(call.sender), line_id)
