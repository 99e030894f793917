"""Whole calls at Telnyx: the simulator plays them, its events come over HTTP, and commands go back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.call_state import CallStage, CallState
from adapters.inbound.webhooks.telnyx.events import Event
from adapters.outbound.telnyx.client_state import SealedStates
from adapters.outbound.telnyx.simulator import Script
from domain.call_words import Notice, Spoken
from domain.calls import Call, CallOutcome
from domain.forwarding import ForwardWhen
from domain.greetings import GreetingText
from domain.values import Capability, Locale, PhoneNumber
from domain.voicemail import TranscriptAbsence, TranscriptState, VoicemailState
from tests.support.actors import STRANGER
from tests.support.telnyx_flows import TelnyxFlows
from tests.support.two_carriers import TwoCarriers, two_carriers

TELEPHONE = PhoneNumber("+447700900999")
ALWAYS = frozenset({ForwardWhen.ALWAYS})
MESSAGE = "Hi, it is Noa. Please call me back when you can."


class AtTelnyx:
    """Somebody whose line is with Telnyx, and what is done to it."""

    def __init__(self, both: TwoCarriers, ada: Any) -> None:
        self.both, self.ada, self.use_cases = both, ada, both.world.use_cases

    async def forwards(self, when: frozenset[ForwardWhen] = ALWAYS) -> None:
        await self.use_cases.forward_line(self.ada.id, self.ada.line_id, TELEPHONE, when)

    async def called(self, script: Script, caller: str = STRANGER) -> dict[str, Any]:
        """Let somebody call, and let what follows happen; return the caller's leg."""
        leg = await self.both.telnyx.inbound_call(caller, self.ada.number, script)
        await self.both.settle()
        return self.both.telnyx.state.calls[leg]

    async def call(self) -> Call:
        [call] = (await self.use_cases.list_calls(self.ada.id, None, None, None, 9)).items
        return call

    async def voicemails(self) -> list[Any]:
        return (await self.use_cases.list_voicemails(self.ada.id, None, None, 9)).items

    def commands(self) -> list[str]:
        """Return every command so far, by name, in the order in which they were given to each leg."""
        legs = self.both.telnyx.state.calls.values()
        return [command.rpartition(":")[2] for leg in legs for command in leg["commands"]]


@pytest.fixture
async def at() -> AsyncIterator[AtTelnyx]:
    async with two_carriers() as both:
        yield AtTelnyx(both, await both.british("ada"))


async def test_a_line_at_telnyx_carries_calls(at: AtTelnyx) -> None:
    assert Capability.VOICE in at.ada.line.capabilities


async def test_a_caller_leaves_a_message_which_is_kept_transcribed_and_gone_at_telnyx(at: AtTelnyx) -> None:
    leg = await at.called(Script(says=MESSAGE))
    assert at.commands() == ["answer", "speak", "record_start", "hangup"]
    assert leg["state"] == "hangup"
    [voicemail] = await at.voicemails()
    assert (voicemail.state, voicemail.caller) == (VoicemailState.KEPT, STRANGER)
    assert (voicemail.transcript_state, voicemail.transcript) == (TranscriptState.DONE, MESSAGE)
    call = await at.call()
    assert (call.outcome, call.is_over, call.peer) == (CallOutcome.NO_ANSWER, True, STRANGER)
    await at.both.world.advance(timedelta(minutes=10))
    held = at.both.telnyx.holdings()
    assert (held["recordings"], held["transcriptions"]) == ([], [])
    assert at.both.telnyx.state.contents == {}


async def test_a_forwarded_call_is_put_through_to_whoever_presses_the_key(at: AtTelnyx) -> None:
    await at.forwards()
    await at.called(Script("answered", seconds=50))
    caller, other = at.both.telnyx.state.calls.values()
    assert [command.rpartition(":")[2] for command in caller["commands"]] == [
        "answer",
        "bridge",
        "hangup",
    ]
    assert [command.rpartition(":")[2] for command in other["commands"]] == ["dial", "gather_using_speak"]
    assert (other["from"], other["to"]) == (at.ada.number, TELEPHONE)
    call = await at.call()
    assert (call.outcome, call.talked_for, call.is_over) == (CallOutcome.ANSWERED, 50, True)
    assert await at.voicemails() == []
    assert at.both.telnyx.state.recordings == {}


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (Script("machine", says=MESSAGE), CallOutcome.NO_ANSWER),
        (Script("answered", key="2", says=MESSAGE), CallOutcome.NO_ANSWER),
        (Script("busy", says=MESSAGE), CallOutcome.BUSY),
        (Script("no_answer", says=MESSAGE), CallOutcome.NO_ANSWER),
        (Script("failed", says=MESSAGE), CallOutcome.FAILED),
    ],
)
async def test_whoever_is_not_put_through_comes_to_our_own_mailbox(
    at: AtTelnyx, script: Script, outcome: CallOutcome
) -> None:
    await at.forwards()
    await at.called(script)
    assert "bridge" not in at.commands(), "a mailbox took a forwarded call"
    call = await at.call()
    assert (call.outcome, call.talked_for, call.is_over) == (outcome, 0, True)
    assert [voicemail.state for voicemail in await at.voicemails()] == [VoicemailState.KEPT]
    assert all(leg["state"] == "hangup" for leg in at.both.telnyx.state.calls.values())


async def test_a_telephone_that_cannot_be_called_leaves_the_caller_to_the_mailbox(at: AtTelnyx) -> None:
    await at.forwards()
    at.both.telnyx.faults.set({"refuse_calls": True})
    await at.called(Script(says=MESSAGE))
    assert at.commands() == ["answer", "speak", "record_start", "hangup"]
    assert (await at.call()).outcome is CallOutcome.FAILED


async def test_without_apps_that_ring_a_line_that_forwards_when_nobody_answers_does_so(at: AtTelnyx) -> None:
    await at.forwards(frozenset({ForwardWhen.NO_ANSWER}))
    await at.called(Script("answered"))
    assert (await at.call()).outcome is CallOutcome.ANSWERED


async def test_a_caller_who_gives_up_ends_the_other_leg(at: AtTelnyx) -> None:
    await at.forwards()
    await at.called(Script("hang_up", forwarded="ringing"))
    assert [leg["state"] for leg in at.both.telnyx.state.calls.values()] == ["hangup", "hangup"]
    call = await at.call()
    assert call.is_over
    assert not call.outcome.talked
    assert await at.voicemails() == []


async def test_a_caller_who_says_nothing_leaves_nothing(at: AtTelnyx) -> None:
    await at.called(Script())
    assert await at.voicemails() == []
    assert (await at.call()).is_over


async def test_a_blocked_caller_hears_that_the_line_is_busy_and_is_recorded_nowhere(at: AtTelnyx) -> None:
    await at.use_cases.block_number(at.ada.id, PhoneNumber(STRANGER))
    await at.called(Script(says=MESSAGE))
    assert at.commands() == ["reject"]
    assert (await at.use_cases.list_calls(at.ada.id, None, None, None, 9)).items == []


async def test_a_withheld_caller_is_taken_in(at: AtTelnyx) -> None:
    await at.called(Script(says=MESSAGE), caller="anonymous")
    [voicemail] = await at.voicemails()
    assert (voicemail.caller, (await at.call()).peer) == (None, None)


async def test_callers_hear_the_lines_own_greeting(at: AtTelnyx) -> None:
    await at.use_cases.write_greeting(at.ada.id, at.ada.line_id, GreetingText("You have reached Ada."))
    leg = await at.called(Script("ringing"))
    assert leg["said"] == "You have reached Ada."


async def test_a_transcript_that_never_comes_is_not_waited_for(at: AtTelnyx) -> None:
    await at.called(Script(says=MESSAGE, heard=None))
    [voicemail] = await at.voicemails()
    assert voicemail.transcript_state is TranscriptState.PENDING
    for _ in range(8):
        await at.both.world.advance(timedelta(minutes=15))
    [voicemail] = await at.voicemails()
    assert voicemail.absence is TranscriptAbsence.NEVER_CAME
    assert at.both.telnyx.state.recordings == {}


async def test_a_transcript_whose_event_was_lost_is_asked_for(at: AtTelnyx) -> None:
    await at.called(Script(says=MESSAGE, heard=None))
    player = at.both.telnyx
    [recording] = player.state.recordings.values()
    player.write_down(recording["id"], "late")
    await at.both.world.advance(timedelta(minutes=15))
    [voicemail] = await at.voicemails()
    assert voicemail.transcript == "late"


async def test_what_is_recorded_of_a_call_in_another_way_is_refused_and_deleted(at: AtTelnyx) -> None:
    await at.called(Script(says=MESSAGE))
    [call] = at.both.telnyx.state.calls.values()
    await at.both.telnyx.recorded(call["call_leg_id"], initiated_by="Trunking")
    await at.both.settle()
    assert len(await at.voicemails()) == 1
    assert not [r for r in at.both.telnyx.state.recordings.values() if r["initiated_by"] == "Trunking"]


@pytest.mark.parametrize("knobs", [{"duplicate": 2}, {"lose_answer": 1}])
async def test_redelivery_and_a_lost_answer_come_to_the_same(at: AtTelnyx, knobs: dict[str, int]) -> None:
    await at.forwards()
    at.both.telnyx.faults.set(knobs)
    await at.called(Script("answered", seconds=50))
    call = await at.call()
    assert (call.outcome, call.talked_for, call.is_over) == (CallOutcome.ANSWERED, 50, True)
    assert len(at.both.telnyx.state.calls) == 2, "nobody was called twice"


async def test_a_first_event_that_comes_again_while_the_two_talk_ends_nothing(at: AtTelnyx) -> None:
    await at.forwards()
    at.both.telnyx.faults.set({"duplicate": 3, "delay": 0.05})
    leg = await at.called(Script("answered", seconds=50))
    assert [command.rpartition(":")[2] for command in leg["commands"]][:2] == ["answer", "bridge"]
    assert (await at.call()).talked_for == 50


async def test_what_telnyx_carries_for_us_says_nothing_of_anybody_and_is_believed_only_if_it_is_ours(
    at: AtTelnyx,
) -> None:
    await at.forwards()
    await at.called(Script("machine", says=MESSAGE))
    states = SealedStates(at.both.world.keyring)
    for leg in at.both.telnyx.state.calls.values():
        sealed = leg["client_state"]
        state = await states.opened(sealed)
        assert state is not None
        assert state.stage in CallStage
        for told in (STRANGER, at.ada.number, TELEPHONE, MESSAGE):
            assert told not in str(state)
        of = {each for each in at.both.telnyx.state.calls if state.is_of(each)}
        assert of == {leg["call_leg_id"]}
        for other in (sealed[:-4], "AAAA" + sealed[4:], "", None, 7, "=", "a" * 4096):
            assert await states.opened(other) is None


async def test_what_comes_back_with_another_leg_than_it_was_left_with_is_not_believed(at: AtTelnyx) -> None:
    flows = TelnyxFlows(at.both.world, at.ada)
    states = SealedStates(at.both.world.keyring)
    left = CallState(stage=CallStage.WAITING, leg="leg-1", control="v3:caller-1", other="v3:other-1")
    for state in (left, replace(left, stage=CallStage.ASKING, leg="leg-2")):
        said = {
            "call_leg_id": "leg-2", "call_control_id": "v3:caller-2", "from": STRANGER, "to": at.ada.number,
            "direction": "incoming", "client_state": await states.sealed(state),
        }  # fmt: skip
        await flows.handlers["call.hangup"](Event("call.hangup", said, None, "", "1"))
        await flows.handlers["call.answered"](Event("call.answered", said, None, "", "2"))
    assert not flows.api.commands, "a call was commanded by what happened to another"


async def test_when_a_call_is_over_its_costs_are_settled_though_telnyx_deletes_no_record(
    at: AtTelnyx,
) -> None:
    await at.forwards()
    await at.called(Script("answered", seconds=50))
    assert (await at.call()).reserved
    await at.both.world.advance(timedelta(minutes=5))
    assert (await at.call()).reserved == 0


async def test_an_account_with_calls_at_telnyx_is_erased_to_its_receipt(at: AtTelnyx) -> None:
    await at.called(Script(says=MESSAGE))
    await at.ada.deletes_account()
    for _ in range(62):
        await at.both.world.advance(timedelta(hours=12))
    assert await at.both.receipt(at.ada)
    held = at.both.telnyx.holdings()
    assert (held["recordings"], held["transcriptions"]) == ([], [])


async def test_callers_and_who_answers_are_spoken_to_in_the_persons_language(at: AtTelnyx) -> None:
    await at.use_cases.change_profile(at.ada.id, None, Locale("he-IL"))
    await at.forwards()
    await at.called(Script("machine", says=MESSAGE))
    caller, other = at.both.telnyx.state.calls.values()
    assert other["said"] == Notice.PRESS_TO_TAKE.words(Spoken.HEBREW).format(key="1")
    assert caller["said"] == Notice.LEAVE_A_MESSAGE.words(Spoken.HEBREW)


async def test_a_person_of_another_language_gets_no_transcript(at: AtTelnyx) -> None:
    await at.use_cases.change_profile(at.ada.id, None, Locale("he-IL"))
    await at.called(Script(says=MESSAGE))
    [voicemail] = await at.voicemails()
    assert voicemail.absence is TranscriptAbsence.LANGUAGE
