"""Legs of a line's apps at Telnyx: they ring for a call that comes in, and first of all for one that goes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from adapters.call_state import CallStage, CallState
from adapters.inbound.webhooks.telnyx.call_events import CallEvent, Party, caller_of
from application.call_progress import ApplyCallReport, CallReport
from application.outbound_calls import ConnectCall, PickedUp
from application.ports.carrier_errors import CarrierRefused
from domain.call_instructions import OVER, CallAnswer, PutThrough
from domain.calls import CallDirection, CallOutcome
from domain.kernel import CarrierRef
from domain.values import PhoneNumber

RefOf: TypeAlias = Callable[[object], CarrierRef]
OUTGOING = frozenset(
    {
        CallStage.PICKING_UP,
        CallStage.CALLING,
        CallStage.CALLED,
        CallStage.CONNECTED,
        CallStage.TELLING,
        CallStage.PROMPTING,
        CallStage.SPEAKING,
    }
)
"""Stages of a call that goes out."""


class CallControl(Protocol):
    """How calls are commanded. Every method raises CarrierUnavailable; repeating under the same event is harmless."""

    async def state_of(self, client_state: object) -> CallState | None:
        """Return what we had the carrier remember; None for none of ours."""
        ...

    async def numbers_of(self, leg: str) -> tuple[str, str, bool] | None:
        """Ask who calls whom on a leg, and whether it comes in."""
        ...

    async def was_answered(self, leg: str) -> bool:
        """Ask whether anybody answered a leg."""
        ...

    async def progress_of(self, control: str) -> tuple[bool, CallStage | None]:
        """Ask whether a leg goes on, and what it was last told; None for nothing."""
        ...

    async def carry_out(
        self, state: CallState, answer: CallAnswer, event: str, called: PhoneNumber | None = None
    ) -> None:
        """Do what is told. Raises CarrierRefused where nobody can be called; `called` is the line of apps that ring."""
        ...

    async def record(self, state: CallState, event: str) -> None:
        """Record the message of a caller who was greeted, or the greeting of a person who was asked for it."""
        ...

    async def join(self, state: CallState, at: int, event: str) -> None:
        """Put the two legs through to each other."""
        ...

    async def hang_up(self, control: str, event: str) -> None:
        """End a leg."""
        ...


@dataclass(frozen=True, slots=True)
class TelnyxAppCalls:
    """Follows the legs of apps, and of whom they call. Any order and redelivery is harmless."""

    connect: ConnectCall
    apply_report: ApplyCallReport
    control: CallControl
    ref_of: RefOf
    outcome_of: Callable[[object], CallOutcome]

    async def answered(self, call: CallEvent, state: CallState) -> None:
        """Go on once an app, or whom it calls, has answered."""
        match state.stage:
            case CallStage.RINGING:
                await self._taken(call, state)
            case CallStage.PICKING_UP:
                await self._picked_up(call, state)
            case CallStage.CALLED:
                await self.control.join(replace(state, other=call.must_be_controlled()), call.second, call.id)
                outbound = CallDirection.OUTBOUND
                await self._report(state, state.leg, call.sender, call.to, outbound, CallOutcome.IN_PROGRESS)

    async def _taken(self, call: CallEvent, state: CallState) -> None:
        """Put the caller through to the app; one who has gone to the mailbox meanwhile stays there."""
        app = call.must_be_controlled()
        goes_on, stage = await self.control.progress_of(state.control)
        if goes_on and stage in {CallStage.JOINING, CallStage.TALKING}:
            return  # it came again
        if not goes_on or stage not in {None, CallStage.WAITING}:
            await self.control.hang_up(app, call.id)
            return
        through = CallAnswer((PutThrough(),), state.line_id, state.call_id, state.language)
        await self.control.carry_out(replace(state, other=app), through, call.id)
        await self._report(state, state.leg, call.sender, "", CallDirection.INBOUND, CallOutcome.IN_PROGRESS)

    async def _picked_up(self, call: CallEvent, state: CallState) -> None:
        """Call the other side for the app, once: the event may come again, and late."""
        app, number = call.must_be_controlled(), PhoneNumber.or_none(call.sender)
        if await self.control.progress_of(app) != (True, CallStage.PICKING_UP):
            return
        answer = OVER
        if number is not None:
            picked_up = PickedUp(self.ref_of(call.leg), number, state.line_id, state.call_id)
            answer = await self.connect(picked_up)
        try:
            await self.control.carry_out(replace(state, leg=call.leg, control=app), answer, call.id)
        except CarrierRefused:  # nobody can be called there
            outbound = CallDirection.OUTBOUND
            await self._report(state, call.leg, call.sender, "", outbound, CallOutcome.FAILED)
            await self.control.hang_up(app, call.id)

    async def ended(self, call: CallEvent, state: CallState, between: Party | None) -> None:
        """Note the end of a leg of a call that goes out: that of the app is the end of the call."""
        sender, to = ("", "") if between is None else (between.sender, between.to)
        outbound, cause = CallDirection.OUTBOUND, self.outcome_of(call.cause)
        # That they talked is known by the stage alone: a normal end is also said of a leg that nobody answered.
        outcome = None if cause.talked else cause
        if state.stage is CallStage.CALLED:
            await self._report(state, state.leg, sender, to, outbound, outcome)
            await self.control.hang_up(state.control, call.id)
            return
        seconds = 0
        if state.stage is CallStage.CONNECTED:
            outcome, seconds = CallOutcome.ANSWERED, max(call.second - state.since, 0)
        if state.stage is CallStage.CALLING:
            await self.control.hang_up(state.other, call.id)
        await self._report(state, call.leg, sender, "", outbound, outcome, seconds, is_over=True)

    async def came_to(self, call: CallEvent) -> CallOutcome:
        """Return what became of apps that rang: the cause of a leg's end is the same whether anybody answered."""
        outcome = self.outcome_of(call.cause)
        unanswered = outcome.talked and not await self.control.was_answered(call.leg)
        return CallOutcome.NO_ANSWER if unanswered else outcome

    async def _report(
        self,
        state: CallState,
        leg: str,
        ours: str,
        theirs: str,
        direction: CallDirection,
        outcome: CallOutcome | None,
        seconds: int = 0,
        *,
        is_over: bool = False,
    ) -> None:
        number = PhoneNumber.or_none(ours)
        if number is None:
            return
        await self.apply_report(
            CallReport(
                ref=self.ref_of(leg), ours=number, peer=caller_of(theirs), direction=direction, outcome=outcome,
                duration=seconds, is_over=is_over, line_id=state.line_id, call_id=state.call_id,
            )
        )  # fmt: skip
