"""Twilio's webhooks about calls: one came in, a step of it is done, a key was pressed, something is reported."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias
from urllib.parse import parse_qsl
from uuid import UUID

from aiohttp import web

from adapters.inbound.webhooks.answers import malformed, noted
from adapters.inbound.webhooks.twilio.form import XML, Form, FormHandler
from application.call_progress import ApplyCallReport, CallReport
from application.forwarded_calls import ASK, AcceptForwardedCall, ScreenedCall
from application.inbound_calls import AnswerCall, ContinueCall, IncomingCall, StepDone
from application.outbound_calls import AnswerApp, AppCall, ConnectCall, PickedUp
from domain.call_instructions import OVER, REFUSAL, CallAnswer, ClientIdentity
from domain.call_routing import CallStep
from domain.call_words import Spoken
from domain.calls import CallDirection, CallOutcome
from domain.kernel import CallId, CarrierRef, LineId, PicoError
from domain.values import Peer, PhoneNumber

VOICE = "/webhooks/twilio/voice"
DIAL_ACTION = f"{VOICE}/dial-action"
SCREEN, KEY = f"{VOICE}/screen", f"{VOICE}/key"
STATUS = f"{VOICE}/status"
GREETING_ACTION = f"{VOICE}/greeting-action"
FROM_APP, CONNECT = f"{VOICE}/client", f"{VOICE}/connect"

CALL_SID = re.compile(r"CA[0-9a-f]{32}\Z")
CLIENT = "client:"
CALLER = re.compile(r"\+?[0-9]{3,15}\Z")
WITHHELD = frozenset({"+266696687", "+86282452253", "+7378742833", "+2562533"})
"""What Twilio puts for a number that is withheld: "anonymous", "restricted" and "unknown" as a keypad spells them."""
SECONDS = re.compile(r"[0-9]{1,6}\Z")
DIGIT = re.compile(r"[0-9*#]\Z")
OUTCOMES: Mapping[str, CallOutcome] = MappingProxyType(
    {
        "queued": CallOutcome.RINGING,
        "initiated": CallOutcome.RINGING,
        "ringing": CallOutcome.RINGING,
        "in-progress": CallOutcome.IN_PROGRESS,
        "answered": CallOutcome.IN_PROGRESS,
        "completed": CallOutcome.ANSWERED,
        "busy": CallOutcome.BUSY,
        "no-answer": CallOutcome.NO_ANSWER,
        "failed": CallOutcome.FAILED,
        "canceled": CallOutcome.CANCELED,
    }
)
UNANSWERED = frozenset({CallOutcome.BUSY, CallOutcome.NO_ANSWER, CallOutcome.FAILED, CallOutcome.CANCELED})
OVER_BY = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
CALLED = "called"
"""The step of a call that goes out: whom it is for was called."""
STEPS = {"rang": CallStep.RANG, "forwarded": CallStep.FORWARDED}
WriteDown: TypeAlias = Callable[[CallAnswer], bytes]
"""Writes instructions down in Twilio's language."""


@dataclass(frozen=True, slots=True)
class TwilioVoice:
    """Answers questions about calls, and takes reports. Redelivery is harmless."""

    answer: AnswerCall
    go_on: ContinueCall
    accept: AcceptForwardedCall
    apply_report: ApplyCallReport
    answer_app: AnswerApp
    connect: ConnectCall
    written: WriteDown

    def handlers(self) -> dict[str, FormHandler]:
        """Return the handlers of verified forms, by path."""
        return {
            VOICE: self.incoming,
            FROM_APP: self.from_app,
            CONNECT: self.picked_up,
            DIAL_ACTION: self.dial_action,
            SCREEN: self.screen,
            KEY: self.key,
            STATUS: self.status,
            GREETING_ACTION: self.greeting_said,
        }

    async def incoming(self, form: Form, query: str) -> web.Response:
        """Say what is done with a call. An unknown number, an erased account, a blocked caller: the line is busy."""
        if call_sid(form) is None or "From" not in form or not form.get("To"):
            return malformed()
        incoming = incoming_call(form, query)
        return self.said(REFUSAL if incoming is None else await self.answer(incoming))

    async def dial_action(self, form: Form, query: str) -> web.Response:
        """Say what is done after a telephone or an app was rung."""
        if call_sid(form) is None or "From" not in form or not form.get("To"):
            return malformed()
        outcome, step = OUTCOMES.get(form.get("DialCallStatus", "")), dict(parse_qsl(query)).get("step", "")
        if step == CALLED or form["From"].startswith(CLIENT):
            return await self._called(form, query, outcome)
        incoming = incoming_call(form, query)
        if incoming is None or outcome is None:
            return self.said(OVER)
        duration = seconds(form, "DialCallDuration")
        return self.said(await self.go_on(StepDone(incoming, STEPS.get(step), outcome, duration)))

    async def _called(self, form: Form, query: str, outcome: CallOutcome | None) -> web.Response:
        """Note what became of a call that went out; then it is over."""
        try:
            line_id, call_id = named(query)
            ours = app_of(form["From"]) or PhoneNumber.parse(form["From"])
        except (ValueError, PicoError):
            return self.said(OVER)
        await self.apply_report(
            CallReport(
                CarrierRef(form["CallSid"]), ours, other_side(form.get("To", "")), CallDirection.OUTBOUND, outcome,
                seconds(form, "DialCallDuration"), is_over=True, line_id=line_id, call_id=call_id,
            )
        )  # fmt: skip
        return self.said(OVER)

    async def from_app(self, form: Form, _query: str) -> web.Response:
        """Say what is done with a call that an app makes: all that it says of itself is the app's own word."""
        client = app_of(form.get("From", ""))
        if call_sid(form) is None or client is None:
            return malformed()
        try:
            claimed = form.get("LineId")
            line_id = LineId(UUID(claimed)) if claimed else None
        except ValueError:
            return self.said(REFUSAL)
        called = AppCall(CarrierRef(form["CallSid"]), client, form.get("To", ""), line_id)
        return self.said(await self.answer_app(called))

    async def picked_up(self, form: Form, query: str) -> web.Response:
        """Say what is done when an app answers a call that we had Twilio make."""
        ref, screened = call_sid(form), screened_call(form, query)
        if ref is None or screened is None:
            return malformed()
        picked_up = PickedUp(ref, screened.number, screened.line_id, screened.call_id)
        return self.said(await self.connect(picked_up))

    async def screen(self, form: Form, query: str) -> web.Response:
        """Ask whoever answered a forwarded call to press a key."""
        screened = screened_call(form, query)
        if call_sid(form) is None or screened is None:
            return malformed()
        language = Spoken.named(dict(parse_qsl(query)).get("language", ""))
        return self.said(CallAnswer(ASK.instructions, screened.line_id, screened.call_id, language))

    async def key(self, form: Form, query: str) -> web.Response:
        """Put the caller through if the key was pressed."""
        screened = screened_call(form, query)
        if call_sid(form) is None or screened is None:
            return malformed()
        digit = form.get("Digits", "")
        return self.said(await self.accept(screened, digit if DIGIT.match(digit) else ""))

    async def greeting_said(self, form: Form, query: str) -> web.Response:
        """Note the end of a call on which its person said a greeting, and hang up."""
        if call_sid(form) is None or "From" not in form:
            return malformed()
        return await self._called(form, query, CallOutcome.ANSWERED)

    async def status(self, form: Form, query: str) -> web.Response:
        """Take a report. One about an unknown call or in an unknown word changes nothing."""
        if call_sid(form) is None or "From" not in form or not form.get("CallStatus"):
            return malformed()
        report = call_report(form, query)
        if report is not None:
            await self.apply_report(report)
        return noted()

    def said(self, answer: CallAnswer) -> web.Response:
        """Answer with a document."""
        return web.Response(headers=XML, body=self.written(answer))


def call_sid(form: Form, name: str = "CallSid") -> CarrierRef | None:
    """Return a call's id, or None unless it is one (Twilio: 34 signs)."""
    sid = form.get(name, "")
    return CarrierRef(sid) if CALL_SID.match(sid) else None


def seconds(form: Form, name: str) -> int:
    """Read a duration; 0 where there is none, or nonsense."""
    return int(form[name]) if SECONDS.match(form.get(name, "")) else 0


def named(query: str) -> tuple[LineId | None, CallId | None]:
    """Read which line and which call an address of ours names. Raises ValueError for one that is none of ours."""
    said = dict(parse_qsl(query)) if query else {}
    line, call = said.get("line"), said.get("call")
    return LineId(UUID(line)) if line else None, CallId(UUID(call)) if call else None


def other_side(text: str) -> Peer | None:
    """Return who is at the other end, by number; None for whoever withholds it, or is called otherwise."""
    return None if text in WITHHELD or not CALLER.match(text) else Peer.of_sender(text)


def incoming_call(form: Form, query: str) -> IncomingCall | None:
    """Reduce a form to what Pico keeps; None when it is not for a number that could be ours."""
    try:
        line_id, _ = named(query)
        return IncomingCall(
            ref=CarrierRef(form["CallSid"]),
            to=PhoneNumber.parse(form["To"]),
            caller=other_side(form["From"]),
            line_id=line_id,
        )
    except (ValueError, PicoError):
        return None


def screened_call(form: Form, query: str) -> ScreenedCall | None:
    """Reduce a form about a forwarded call to what is asked of it; None when it is none of ours."""
    try:
        return ScreenedCall(PhoneNumber.parse(form.get("From", "")), *named(query))
    except (ValueError, PicoError):
        return None


def app_of(text: str) -> ClientIdentity | None:
    """Return the name of a line's apps; None for what is no such name."""
    return ClientIdentity(text.removeprefix(CLIENT)) if text.startswith(CLIENT) else None


def call_report(form: Form, query: str) -> CallReport | None:
    """Reduce a report to what Pico keeps; None for one that says nothing, or of no call that could be ours.

    One about a leg names the call it belongs to. The line is where the call came to, or came from; of a leg that rings
    its apps only their name says which it is.
    """
    outcome, leg = OUTCOMES.get(form["CallStatus"]), "ParentCallSid" in form
    ref = call_sid(form, "ParentCallSid") if leg else call_sid(form)
    if outcome is None or ref is None:
        return None
    sender, to, direction = form["From"], form.get("To", ""), form.get("Direction", "")
    placed = direction.startswith("outbound-api")
    inbound = not placed and (direction == "inbound" or to.startswith(CLIENT))
    if not leg and not (placed and outcome in UNANSWERED):
        outcome = None  # the caller's own half: that it was taken by a mailbox, or by us, is no conversation
    try:
        line_id, call_id = named(query)
        ours, theirs = (to, sender) if inbound else (sender, to)
        return CallReport(
            ref=ref,
            ours=app_of(ours) or PhoneNumber.parse(ours),
            peer=other_side(theirs),
            direction=CallDirection.INBOUND if inbound else CallDirection.OUTBOUND,
            outcome=outcome,
            duration=seconds(form, "CallDuration") if leg else 0,
            is_over=not leg and form["CallStatus"] in OVER_BY,
            line_id=line_id,
            call_id=call_id,
        )
    except (ValueError, PicoError):
        return None
