"""Twilio's forms about calls, one by one: what each has us ask, to the last word, and what is reported of the call."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from adapters.inbound.webhooks.twilio.voice import (
    CONNECT,
    DIAL_ACTION,
    FROM_APP,
    KEY,
    SCREEN,
    STATUS,
    VOICE,
    TwilioVoice,
)
from application.call_progress import CallReport
from application.forwarded_calls import ASK, ScreenedCall
from application.inbound_calls import IncomingCall, StepDone
from application.outbound_calls import AppCall, PickedUp
from domain.call_instructions import OVER, REFUSAL, CallAnswer, ClientIdentity, PutThrough
from domain.call_routing import CallStep
from domain.call_words import Spoken
from domain.calls import CallDirection, CallOutcome
from domain.kernel import CallId, CarrierRef, LineId
from domain.values import Peer, PhoneNumber

LINE, CALL = LineId(UUID(int=1)), CallId(UUID(int=2))
NAMED = f"line={LINE}&call={CALL}"
OURS, THEIRS, APP = PhoneNumber("+12025550143"), PhoneNumber("+13105550178"), ClientIdentity("line_x")
SID, PARENT = CarrierRef(f"CA{1:032x}"), CarrierRef(f"CA{2:032x}")
OUT, IN = CallDirection.OUTBOUND, CallDirection.INBOUND
DECIDED = CallAnswer((PutThrough(),))
CAME_IN = {"CallSid": SID, "From": THEIRS, "To": OURS}
WENT_OUT = {"CallSid": SID, "From": OURS, "To": THEIRS}


class OneForm:
    """Whoever decides about calls: what each of them is asked is kept, and what Twilio is told."""

    def __init__(self) -> None:
        self.asked = list[tuple[object, ...]]()
        decides = self._decides
        self.voice = TwilioVoice(
            answer=decides("answer"), go_on=decides("go on"), accept=decides("accept"),
            apply_report=decides("report"), answer_app=decides("app"), connect=decides("connect"),
            written=self._written,
        )  # fmt: skip

    def _decides(self, name: str) -> Any:
        async def decide(*asked: object) -> CallAnswer:
            self.asked.append((name, *asked))
            return DECIDED

        return decide

    def _written(self, answer: CallAnswer) -> bytes:
        self.asked.append(("told", answer))
        return b"<written/>"

    async def sent(self, path: str, form: dict[str, str], query: str = NAMED) -> list[tuple[object, ...]]:
        """Hand in a form; return what was asked, and then told."""
        self.asked.clear()
        answer = await self.voice.handlers()[path](form, query)
        if answer.status == 200:
            assert (answer.body, answer.content_type) == (b"<written/>", "text/xml")
        else:
            self.asked.append((answer.status,))
        return list(self.asked)


@pytest.fixture
def at() -> OneForm:
    return OneForm()


def report(
    ours: object, peer: object, direction: CallDirection, outcome: object, **more: Any
) -> tuple[object, ...]:
    about: dict[str, Any] = {
        "ref": SID, "ours": ours, "peer": peer, "direction": direction, "outcome": outcome, "line_id": LINE,
        "call_id": CALL,
    }  # fmt: skip
    return "report", CallReport(**about | more)


TOLD, NOTHING, MALFORMED = ("told", DECIDED), [(204,)], [(400,)]


async def test_a_call_that_comes_in_is_answered_as_is_decided(at: OneForm) -> None:
    incoming = IncomingCall(SID, OURS, Peer(THEIRS), LINE)
    assert await at.sent(VOICE, CAME_IN) == [("answer", incoming), TOLD]
    assert await at.sent(VOICE, CAME_IN, "") == [("answer", IncomingCall(SID, OURS, Peer(THEIRS))), TOLD]
    for query in ("line=x", "line=1"):
        assert await at.sent(VOICE, CAME_IN, query) == [("told", REFUSAL)]
    assert await at.sent(VOICE, CAME_IN | {"To": "sip:x"}) == [("told", REFUSAL)]
    assert await at.sent(VOICE, CAME_IN | {"From": ""}) == [
        ("answer", IncomingCall(SID, OURS, None, LINE)),
        TOLD,
    ]


@pytest.mark.parametrize("path", [VOICE, DIAL_ACTION])
@pytest.mark.parametrize(
    "odd", [{"CallSid": "CA1"}, {"CallSid": None}, {"From": None}, {"To": None}, {"To": ""}]
)
async def test_a_form_without_what_a_call_has_is_malformed(
    at: OneForm, path: str, odd: dict[str, Any]
) -> None:
    form = {name: value for name, value in (CAME_IN | odd).items() if value is not None}
    assert await at.sent(path, form) == MALFORMED


@pytest.mark.parametrize(
    ("name", "step"), [("rang", CallStep.RANG), ("forwarded", CallStep.FORWARDED), ("x", None)]
)
async def test_after_a_step_it_is_said_what_became_of_it(
    at: OneForm, name: str, step: CallStep | None
) -> None:
    incoming, query = IncomingCall(SID, OURS, Peer(THEIRS), LINE), f"{NAMED}&step={name}"
    form = CAME_IN | {"DialCallStatus": "busy", "DialCallDuration": "50"}
    assert await at.sent(DIAL_ACTION, form, query) == [
        ("go on", StepDone(incoming, step, CallOutcome.BUSY, 50)), TOLD,
    ]  # fmt: skip
    for odd in (form | {"DialCallStatus": "new"}, CAME_IN, form | {"To": "sip:x"}):
        assert await at.sent(DIAL_ACTION, odd, query) == [("told", OVER)]


@pytest.mark.parametrize(
    ("sender", "step"), [(OURS, "&step=called"), (f"client:{APP}", "&step=called"), (f"client:{APP}", "")]
)
async def test_the_end_of_a_call_that_went_out_is_told_of_number_and_app(
    at: OneForm, sender: str, step: str
) -> None:
    form, query = WENT_OUT | {"From": sender, "DialCallStatus": "completed"}, NAMED + step
    ours, talked = OURS if sender == OURS else APP, CallOutcome.ANSWERED
    for said, duration in (("95", 95), ("", 0), ("x", 0), ("9999999", 0), (None, 0)):
        more = {} if said is None else {"DialCallDuration": said, "CallDuration": "7"}
        told = report(ours, Peer(THEIRS), OUT, talked, duration=duration, is_over=True)
        assert await at.sent(DIAL_ACTION, form | more, query) == [told, ("told", OVER)]
    unsaid = report(ours, None, OUT, None, is_over=True)
    assert await at.sent(DIAL_ACTION, form | {"To": "anonymous", "DialCallStatus": "new"}, query) == [
        unsaid, ("told", OVER),
    ]  # fmt: skip
    unnamed = report(ours, Peer(THEIRS), OUT, talked, is_over=True, line_id=None, call_id=None)
    assert await at.sent(DIAL_ACTION, form, step.removeprefix("&")) == [unnamed, ("told", OVER)]
    for odd in ("line=x", "call=x"):
        assert await at.sent(DIAL_ACTION, form, odd + step) == [("told", OVER)]


@pytest.mark.parametrize("sender", ["", "anonymous", "sip:x"])
async def test_of_a_call_from_what_is_no_number_nothing_is_told(at: OneForm, sender: str) -> None:
    form = WENT_OUT | {"From": sender, "DialCallStatus": "completed"}
    assert await at.sent(DIAL_ACTION, form, f"{NAMED}&step=called") == [("told", OVER)]


async def test_an_app_that_calls_says_whom_and_from_which_line(at: OneForm) -> None:
    form = WENT_OUT | {"From": f"client:{APP}"}
    assert await at.sent(FROM_APP, form) == [("app", AppCall(SID, APP, THEIRS)), TOLD]
    named = AppCall(SID, APP, "", LINE)
    assert await at.sent(FROM_APP, {"CallSid": SID, "From": f"client:{APP}", "LineId": str(LINE)}) == [
        ("app", named), TOLD,
    ]  # fmt: skip
    assert await at.sent(FROM_APP, form | {"LineId": "x"}) == [("told", REFUSAL)]
    assert await at.sent(FROM_APP, form | {"CallSid": "CA1"}) == MALFORMED
    assert await at.sent(FROM_APP, WENT_OUT) == MALFORMED
    assert await at.sent(FROM_APP, {"CallSid": SID}) == MALFORMED


@pytest.mark.parametrize("path", [CONNECT, SCREEN, KEY])
async def test_a_telephone_or_an_app_that_answers_is_known_by_its_address(at: OneForm, path: str) -> None:
    screened = ScreenedCall(OURS, LINE, CALL)
    for query, spoken in ((NAMED, Spoken.ENGLISH), (f"{NAMED}&language=he", Spoken.HEBREW)):
        assert (
            await at.sent(path, WENT_OUT, query)
            == {
                CONNECT: [("connect", PickedUp(SID, OURS, LINE, CALL)), TOLD],
                SCREEN: [("told", CallAnswer(ASK.instructions, LINE, CALL, spoken))],
                KEY: [("accept", screened, ""), TOLD],
            }[path]
        )
    for odd in ({"CallSid": "CA1"}, {"From": ""}, {"From": "client:x"}):
        assert await at.sent(path, WENT_OUT | odd) == MALFORMED
    assert await at.sent(path, {"CallSid": SID}) == MALFORMED
    assert await at.sent(path, WENT_OUT, "call=x") == MALFORMED


@pytest.mark.parametrize(
    ("digits", "pressed"), [("1", "1"), ("*", "*"), ("11", ""), ("1\n", ""), ("x", ""), ("", "")]
)
async def test_one_key_counts(at: OneForm, digits: str, pressed: str) -> None:
    asked = ("accept", ScreenedCall(OURS, LINE, CALL), pressed)
    assert await at.sent(KEY, WENT_OUT | {"Digits": digits}) == [asked, TOLD]


# ------------------------------------------------------------------------------------------------- reports

LEG = {"ParentCallSid": SID, "CallSid": PARENT}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (CAME_IN | {"Direction": "inbound"}, report(OURS, Peer(THEIRS), IN, None, is_over=True)),
        (CAME_IN | {"Direction": "inbound", "From": "anonymous"}, report(OURS, None, IN, None, is_over=True)),
        (WENT_OUT | {"Direction": "outbound-api"}, report(OURS, Peer(THEIRS), OUT, None, is_over=True)),
        (WENT_OUT, report(OURS, Peer(THEIRS), OUT, None, is_over=True)),
        (WENT_OUT | {"Direction": "outbound-api", "CallStatus": "busy"},
         report(OURS, Peer(THEIRS), OUT, CallOutcome.BUSY, is_over=True)),
        (WENT_OUT | {"Direction": "inbound", "From": THEIRS, "To": OURS, "CallStatus": "busy"},
         report(OURS, Peer(THEIRS), IN, None, is_over=True)),
        (WENT_OUT | {"Direction": "outbound-api", "CallStatus": "ringing"},
         report(OURS, Peer(THEIRS), OUT, None)),
        (WENT_OUT | {"Direction": "outbound-api", "To": f"client:{APP}", "CallStatus": "no-answer"},
         report(OURS, None, OUT, CallOutcome.NO_ANSWER, is_over=True)),
        (WENT_OUT | LEG | {"Direction": "outbound-dial"},
         report(OURS, Peer(THEIRS), OUT, CallOutcome.ANSWERED, duration=50)),
        (CAME_IN | LEG | {"Direction": "outbound-dial", "To": f"client:{APP}"},
         report(APP, Peer(THEIRS), IN, CallOutcome.ANSWERED, duration=50)),
        (WENT_OUT | LEG | {"From": f"client:{APP}", "CallStatus": "in-progress"},
         report(APP, Peer(THEIRS), OUT, CallOutcome.IN_PROGRESS, duration=50)),
    ],
)  # fmt: skip
async def test_a_report_says_of_which_call_it_is_and_no_more_than_it_knows(
    at: OneForm, said: dict[str, str], told: tuple[object, ...]
) -> None:
    form = {"CallStatus": "completed", "CallDuration": "50"} | said
    assert await at.sent(STATUS, form) == [told, *NOTHING]


@pytest.mark.parametrize(
    ("status", "outcome", "is_over"),
    [
        ("queued", CallOutcome.RINGING, False),
        ("initiated", CallOutcome.RINGING, False),
        ("ringing", CallOutcome.RINGING, False),
        ("in-progress", CallOutcome.IN_PROGRESS, False),
        ("answered", CallOutcome.IN_PROGRESS, False),
        ("completed", CallOutcome.ANSWERED, True),
        ("busy", CallOutcome.BUSY, True),
        ("no-answer", CallOutcome.NO_ANSWER, True),
        ("failed", CallOutcome.FAILED, True),
        ("canceled", CallOutcome.CANCELED, True),
    ],
)
async def test_each_word_is_an_outcome_and_the_call_itself_may_be_over(
    at: OneForm, status: str, outcome: CallOutcome, *, is_over: bool
) -> None:
    leg = report(OURS, Peer(THEIRS), OUT, outcome)
    assert await at.sent(STATUS, WENT_OUT | LEG | {"CallStatus": status}) == [leg, *NOTHING]
    [whole, _] = await at.sent(STATUS, CAME_IN | {"Direction": "inbound", "CallStatus": status})
    assert whole == report(OURS, Peer(THEIRS), IN, None, is_over=is_over)


async def test_a_report_that_says_nothing_changes_nothing(at: OneForm) -> None:
    form = WENT_OUT | {"CallStatus": "completed"}
    for odd in ({"CallStatus": "new"}, {"From": "anonymous"}, {"ParentCallSid": "x"}):
        assert await at.sent(STATUS, form | odd) == NOTHING
    assert await at.sent(STATUS, form, "call=x") == NOTHING
    assert await at.sent(STATUS, {"CallSid": SID, "From": OURS, "CallStatus": "completed"}, "") == [
        report(OURS, None, OUT, None, is_over=True, line_id=None, call_id=None), *NOTHING,
    ]  # fmt: skip
    for odd in ({"CallSid": "CA1"}, {"CallStatus": ""}):
        assert await at.sent(STATUS, form | odd) == MALFORMED
    assert await at.sent(STATUS, WENT_OUT) == MALFORMED
    assert await at.sent(STATUS, {"CallSid": SID, "CallStatus": "completed"}) == MALFORMED


@pytest.mark.parametrize(
    "text", ["+266696687", "+86282452253", "+7378742833", "+2562533", "sip:x", "ab", "12", "9" * 16]
)
async def test_whoever_withholds_the_number_or_has_none_is_nobody(at: OneForm, text: str) -> None:
    [told, _] = await at.sent(VOICE, CAME_IN | {"From": text})
    assert told == ("answer", IncomingCall(SID, OURS, None, LINE))
    [told, _] = await at.sent(VOICE, CAME_IN | {"From": "911"})
    assert told == ("answer", IncomingCall(SID, OURS, Peer("911"), LINE))
