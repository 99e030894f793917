"""Legs of apps at Telnyx, event by event: whom each has us ask, what is commanded, by which id, what is reported."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.call_state import CallStage
from adapters.inbound.webhooks.answers import Malformed
from application.outbound_calls import PickedUp
from domain.call_instructions import OVER, CallAnswer, PutThrough
from domain.call_words import Spoken
from domain.calls import CallDirection, CallOutcome
from domain.values import Peer
from tests.support.telnyx_legs import (
    CALL,
    FIRST,
    LINE,
    OURS,
    SECOND,
    SECOND_LEG,
    THEIRS,
    OneLeg,
    of_first,
    report,
)

OUT, IN = CallDirection.OUTBOUND, CallDirection.INBOUND
APP = of_first(CallStage.RINGING)
THROUGH = CallAnswer((PutThrough(),), LINE, CALL, Spoken.HEBREW)
PLACED = of_first(CallStage.PICKING_UP, leg="", control="")


@pytest.mark.parametrize("stage", [None, CallStage.WAITING])
async def test_an_app_that_answers_has_the_caller_put_through_to_it(stage: CallStage | None) -> None:
    leg = OneLeg(APP)
    leg.progress = True, stage
    assert await leg.happens("call.answered") == [
        ("progress", "v3:leg-1"),
        ("carry out", replace(APP, other="v3:leg-2"), THROUGH, "e-1", None),
        report(FIRST, None, IN, CallOutcome.IN_PROGRESS),
    ]
    for no_number in ("anonymous", ""):
        assert len(await leg.happens("call.answered", **{"from": no_number})) == 2, (
            "of nobody nothing is told"
        )


@pytest.mark.parametrize(
    "progress",
    [(False, None), (False, CallStage.WAITING), (False, CallStage.TALKING), (True, CallStage.GREETING),
     (True, CallStage.RECORDING)],
)  # fmt: skip
async def test_an_app_that_answers_too_late_is_hung_up(progress: tuple[bool, CallStage | None]) -> None:
    leg = OneLeg(APP)
    leg.progress = progress
    assert await leg.happens("call.answered") == [("progress", "v3:leg-1"), ("hang up", "v3:leg-2", "e-1")]


@pytest.mark.parametrize("stage", [CallStage.JOINING, CallStage.TALKING])
async def test_an_app_that_is_put_through_already_stays_so(stage: CallStage) -> None:
    leg = OneLeg(APP)
    leg.progress = True, stage
    assert await leg.happens("call.answered") == [("progress", "v3:leg-1")]


@pytest.mark.parametrize(
    "stage", [CallStage.RINGING, CallStage.PICKING_UP, CallStage.CALLED, CallStage.ASKING]
)
async def test_what_answers_and_cannot_be_commanded_makes_no_sense(stage: CallStage) -> None:
    with pytest.raises(Malformed):
        await OneLeg(of_first(stage)).happens("call.answered", call_control_id=None)


async def test_an_app_that_picks_up_has_the_other_side_called_in_its_lines_name() -> None:
    leg = OneLeg(PLACED)
    leg.progress, leg.decision = (True, CallStage.PICKING_UP), THROUGH
    begun = replace(PLACED, leg="leg-2", control="v3:leg-2")
    assert await leg.happens("call.answered") == [
        ("progress", "v3:leg-2"),
        ("connect", PickedUp(SECOND_LEG, OURS, LINE, CALL)),
        ("carry out", begun, THROUGH, "e-1", None),
    ]
    assert await leg.happens("call.answered", **{"from": "anonymous"}) == [
        ("progress", "v3:leg-2"),
        ("carry out", begun, OVER, "e-1", None),
    ]


@pytest.mark.parametrize("progress", [(False, CallStage.PICKING_UP), (True, None), (True, CallStage.CALLING)])
async def test_an_app_that_picked_up_before_has_nobody_called_again(
    progress: tuple[bool, CallStage | None],
) -> None:
    leg = OneLeg(PLACED)
    leg.progress = progress
    assert await leg.happens("call.answered") == [("progress", "v3:leg-2")]


async def test_where_nobody_can_be_called_the_call_has_failed_and_the_app_is_hung_up() -> None:
    leg = OneLeg(PLACED)
    leg.progress, leg.refusals = (True, CallStage.PICKING_UP), 1
    assert (await leg.happens("call.answered"))[3:] == [
        report(SECOND_LEG, None, OUT, CallOutcome.FAILED),
        ("hang up", "v3:leg-2", "e-1"),
    ]


async def test_whoever_answers_an_app_is_put_through_to_it() -> None:
    called = of_first(CallStage.CALLED)
    assert await OneLeg(called).happens("call.answered") == [
        ("join", replace(called, other="v3:leg-2"), SECOND, "e-1"),
        report(FIRST, Peer(THEIRS), OUT, CallOutcome.IN_PROGRESS),
    ]


@pytest.mark.parametrize("cause", ["user_busy", "normal_clearing"])
async def test_whoever_an_app_called_and_is_gone_ends_the_apps_leg(cause: str) -> None:
    leg = OneLeg(of_first(CallStage.CALLED))
    came_to = CallOutcome.BUSY if cause == "user_busy" else None
    told = [report(FIRST, Peer(THEIRS), OUT, came_to), ("hang up", "v3:leg-1", "e-1")]
    assert await leg.happens("call.hangup", hangup_cause=cause) == told
    unsaid = {"from": None, "to": None, "hangup_cause": cause}
    assert await leg.happens("call.hangup", **unsaid) == [("numbers", "leg-2"), told[1]]
    leg.between = OURS, THEIRS, False
    assert await leg.happens("call.hangup", **unsaid) == [("numbers", "leg-2"), *told]


@pytest.mark.parametrize(
    ("stage", "since", "outcome", "seconds"),
    [
        (CallStage.CONNECTED, SECOND - 50, CallOutcome.ANSWERED, 50),
        (CallStage.CONNECTED, SECOND, CallOutcome.ANSWERED, 0),
        (CallStage.CONNECTED, SECOND + 9, CallOutcome.ANSWERED, 0),
        (CallStage.CALLING, 0, CallOutcome.CANCELED, 0),
        (CallStage.TELLING, 0, CallOutcome.CANCELED, 0),
        (CallStage.PICKING_UP, 0, CallOutcome.CANCELED, 0),
    ],
)
async def test_the_end_of_an_apps_leg_is_the_end_of_its_call(
    stage: CallStage, since: int, outcome: CallOutcome, seconds: int
) -> None:
    leg = OneLeg(
        of_first(stage, leg="" if stage is CallStage.PICKING_UP else "leg-2", since=since, other="v3:other")
    )
    told = report(SECOND_LEG, None, OUT, outcome, seconds, is_over=True)
    ends_the_other = [("hang up", "v3:other", "e-1")] if stage is CallStage.CALLING else []
    assert await leg.happens("call.hangup", hangup_cause="originator_cancel") == [*ends_the_other, told]
