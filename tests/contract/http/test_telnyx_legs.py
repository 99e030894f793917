"""Legs at Telnyx, event by event: whom each has us ask, what is commanded, by which id, and what is reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.call_state import CallStage, CallState
from adapters.inbound.webhooks.answers import Malformed
from application.forwarded_calls import ASK, ScreenedCall
from application.inbound_calls import IncomingCall, StepDone
from application.ports.carrier_errors import CarrierRefused
from domain.call_instructions import OVER, REFUSAL, CallAnswer, Forward, PutThrough, RingApp
from domain.call_routing import CallStep
from domain.call_words import Spoken
from domain.calls import CallDirection, CallOutcome
from domain.values import Peer
from tests.support.telnyx_legs import (
    CALL,
    FIRST,
    LINE,
    OURS,
    SECOND,
    THEIRS,
    Asked,
    OneLeg,
    of_first,
    report,
)

IN = CallDirection.INBOUND
THROUGH = CallAnswer((PutThrough(),), LINE, CALL, Spoken.HEBREW)
COMES_IN = IncomingCall(FIRST, OURS, Peer(THEIRS))


async def test_a_call_that_comes_in_is_decided_about_once() -> None:
    leg, begun = OneLeg(), CallState(stage=CallStage.WAITING, leg="leg-1", control="v3:leg-1")
    leg.decision = THROUGH
    told = [("answer", COMES_IN), ("progress", "v3:leg-1")]
    done = ("carry out", begun, THROUGH, "e-1", OURS)
    assert await leg.happens_first("call.initiated") == [*told, done]
    withheld = IncomingCall(FIRST, OURS, None)
    assert (await leg.happens_first("call.initiated", **{"from": "anonymous"}))[0] == ("answer", withheld)
    leg.state = begun = of_first(CallStage.WAITING)
    again = await leg.happens_first("call.initiated")
    assert again[0] == ("answer", replace(COMES_IN, line_id=LINE)), "what we had remembered names the lease"
    for progress in ((False, None), (True, CallStage.WAITING)):
        leg.progress = progress
        assert await leg.happens_first("call.initiated", client_state=None) == told
    assert await leg.happens("call.initiated") == [], "a leg that we began"
    with pytest.raises(Malformed):
        await leg.happens_first("call.initiated", call_control_id=None)


async def test_a_call_to_what_is_no_number_is_refused() -> None:
    leg = OneLeg()
    begun = CallState(stage=CallStage.WAITING, leg="leg-1", control="v3:leg-1")
    told = [("progress", "v3:leg-1"), ("carry out", begun, REFUSAL, "e-1", None)]
    assert await leg.happens_first("call.initiated", to="sip:x") == told
    leg.refusals = 1
    with pytest.raises(CarrierRefused):
        await leg.happens_first("call.initiated", to="sip:x")


@pytest.mark.parametrize(
    ("told", "step", "outcome"),
    [
        (RingApp("line_x"), CallStep.RANG, CallOutcome.NO_ANSWER),  # type: ignore[arg-type]
        (Forward(THEIRS, OURS, timedelta(hours=1)), CallStep.FORWARDED, CallOutcome.FAILED),
    ],
)
async def test_where_nothing_can_be_rung_the_caller_goes_on(
    told: Any, step: CallStep, outcome: CallOutcome
) -> None:
    leg, begun = OneLeg(), CallState(stage=CallStage.WAITING, leg="leg-1", control="v3:leg-1")
    leg.decision, leg.refusals = CallAnswer((told,)), 1
    done = ("carry out", begun, leg.decision, "e-1", OURS)
    gone_on = ("go on", StepDone(COMES_IN, step, outcome))
    assert (await leg.happens_first("call.initiated"))[2:] == [done, gone_on, done]


async def test_each_leg_that_answers_is_told_what_is_next() -> None:
    for stage in (CallStage.ASKING, CallStage.JOINING, CallStage.ANSWERING):
        leg = OneLeg(of_first(stage))
        happens = leg.happens if stage is CallStage.ASKING else leg.happens_first
        gone_on = StepDone(replace(COMES_IN, line_id=LINE), CallStep.FORWARDED, CallOutcome.RINGING)
        assert await happens("call.answered") == {
            CallStage.ASKING: [
                ("carry out", of_first(stage, other="v3:leg-2"),
                 CallAnswer(ASK.instructions, LINE, CALL, Spoken.HEBREW), "e-1", None),
            ],
            CallStage.JOINING: [("join", of_first(stage), SECOND, "e-1")],
            CallStage.ANSWERING: [("go on", gone_on), ("carry out", of_first(stage), OVER, "e-1", None)],
        }[stage]  # fmt: skip
        assert await happens("call.answered", client_state=None) == [], "of it we know nothing"
    assert await OneLeg(of_first(CallStage.ANSWERING)).happens_first("call.answered", to="sip:x") == []
    assert await OneLeg(of_first(CallStage.JOINING)).happens("call.answered") == [], "left with another leg"
    assert await OneLeg(of_first(CallStage.JOINING)).happens_first("call.answered", at="never") == [
        ("join", of_first(CallStage.JOINING), 0, "e-1")
    ]


@pytest.mark.parametrize("kind", ["call.speak.ended", "call.playback.ended"])
async def test_what_was_said_is_followed_by_a_recording_or_the_end(kind: str) -> None:
    for stage in CallStage:
        leg = OneLeg(of_first(stage))
        ends = [("hang up", "v3:leg-1", "e-1")] if stage is CallStage.TELLING else []
        goes_on = (
            [("record", of_first(stage), "e-1")]
            if stage in {CallStage.GREETING, CallStage.PROMPTING}
            else ends
        )
        assert await leg.happens_first(kind, status="completed") == goes_on
        assert await leg.happens_first(kind, status="call_hangup") == ends, "whoever was greeted is gone"
        assert await leg.happens_first(kind, client_state=None) == []


# ---------------------------------------------------------------------------------------------------- keys


@pytest.mark.parametrize(
    ("digits", "pressed"),
    [("1", "1"), ("#", "#"), ("11", ""), ("", ""), ("1\n", ""), ("x", ""), (None, ""), (1, "")],
)
async def test_a_key_is_handed_on_and_only_then_are_two_put_through(digits: object, pressed: str) -> None:
    leg = OneLeg(of_first(CallStage.ASKING))
    asked = ("accept", ScreenedCall(OURS, LINE, CALL), pressed)
    hung_up = ("hang up", "v3:leg-2", "e-1")
    assert await leg.happens("call.gather.ended", digits=digits) == [asked, hung_up]
    leg.decision = THROUGH
    through = ("carry out", of_first(CallStage.ASKING, other="v3:leg-2"), THROUGH, "e-1", None)
    assert await leg.happens("call.gather.ended", digits=digits) == [asked, through]
    assert await leg.happens("call.gather.ended", digits=digits, **{"from": "anonymous"}) == [hung_up]
    with pytest.raises(Malformed):
        await leg.happens("call.gather.ended", digits=digits, call_control_id=None)


@pytest.mark.parametrize(
    "state", [None, *(of_first(stage) for stage in CallStage if stage is not CallStage.ASKING)]
)
async def test_a_key_that_nobody_was_asked_for_does_nothing(state: CallState | None) -> None:
    leg = OneLeg(state)
    for happens in (leg.happens, leg.happens_first):
        assert await happens("call.gather.ended", digits="1") == []


# ---------------------------------------------------------------------------------------------------- ends


@pytest.mark.parametrize("stage", [CallStage.ASKING, CallStage.RINGING])
@pytest.mark.parametrize("answered", [False, True])
async def test_after_another_leg_the_caller_goes_on(stage: CallStage, *, answered: bool) -> None:
    leg = OneLeg(of_first(stage, other="v3:other"))
    leg.somebody_answered = answered
    incoming = IncomingCall(FIRST, OURS, None, LINE)
    rang = stage is CallStage.RINGING
    step = CallStep.RANG if rang else CallStep.FORWARDED
    waiting = of_first(CallStage.WAITING)

    def goes_on(outcome: CallOutcome) -> list[Asked]:
        return [("go on", StepDone(incoming, step, outcome)), ("carry out", waiting, OVER, "e-1", OURS)]

    assert await leg.happens("call.hangup", hangup_cause="user_busy") == goes_on(CallOutcome.BUSY)
    came_to = CallOutcome.NO_ANSWER if rang and not answered else CallOutcome.ANSWERED
    asked = [("was answered", "leg-2")] if rang else []
    assert await leg.happens("call.hangup", hangup_cause="normal_clearing") == [*asked, *goes_on(came_to)]
    unsaid = {"from": None, "hangup_cause": "user_busy"}
    assert await leg.happens("call.hangup", **unsaid) == [("numbers", "leg-2")]
    leg.between = "anonymous", THEIRS, False
    assert await leg.happens("call.hangup", **unsaid) == [("numbers", "leg-2")]


@pytest.mark.parametrize(
    "stage", [CallStage.WAITING, CallStage.JOINING, CallStage.GREETING, CallStage.TALKING]
)
async def test_the_end_of_the_callers_leg_is_the_end_of_the_call(stage: CallStage) -> None:
    ends_the_other = stage in {CallStage.WAITING, CallStage.JOINING}
    talked = CallOutcome.ANSWERED if stage is CallStage.TALKING else None
    for other, since, seconds in (("v3:other", SECOND - 50, 50), ("", SECOND + 9, 0)):
        leg = OneLeg(of_first(stage, other=other, since=since))
        hung_up = [("hang up", "v3:other", "e-1")] if ends_the_other and other else []
        told = report(FIRST, Peer(THEIRS), IN, talked, seconds if talked else 0, is_over=True)
        assert await leg.happens_first("call.hangup") == [*hung_up, told]


async def test_the_end_of_a_leg_of_which_we_know_nothing_is_told_if_it_came_in() -> None:
    leg = OneLeg()
    told = report(FIRST, Peer(THEIRS), IN, None, is_over=True, line_id=None, call_id=None)
    assert await leg.happens_first("call.hangup") == [told]
    assert await leg.happens_first("call.hangup", direction=None) == [told], (
        "ways are said of those that go out"
    )
    assert await leg.happens_first("call.hangup", direction="outgoing") == []
    assert await leg.happens_first("call.hangup", to="sip:x") == []
    withheld = report(FIRST, None, IN, None, is_over=True, line_id=None, call_id=None)
    for nobody in ("", "half a character: \ud83d"):
        assert await leg.happens_first("call.hangup", **{"from": nobody}) == [withheld]
    unsaid = {"to": None}
    assert await leg.happens_first("call.hangup", **unsaid) == [("numbers", "leg-1")]
    leg.between = THEIRS, OURS, True
    assert await leg.happens_first("call.hangup", **unsaid) == [("numbers", "leg-1"), told]
    leg.between = THEIRS, OURS, False
    assert await leg.happens_first("call.hangup", **unsaid) == [("numbers", "leg-1")]


@pytest.mark.parametrize(
    "odd",
    [{"call_leg_id": None}, {"call_leg_id": 7}, {"call_leg_id": "a/b"}, {"call_leg_id": "a" * 49},
     {"call_leg_id": "leg\n"}, {"call_control_id": 7}, {"call_control_id": "v3/x"}, {"call_control_id": ""},
     {"call_control_id": "a" * 129}, {"from": 7}, {"to": []}],
)  # fmt: skip
async def test_an_event_that_makes_no_sense_does_nothing(odd: dict[str, Any]) -> None:
    leg = OneLeg(of_first(CallStage.WAITING))
    with pytest.raises(Malformed):
        await leg.happens_first("call.hangup", **odd)
    assert leg.asked == []
