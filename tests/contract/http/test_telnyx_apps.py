"""Apps of a line at Telnyx: they are rung for calls that come in, and calls that go out begin with them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.outbound.telnyx.simulator import Script
from application.ports.carrier_errors import CarrierRefused
from domain.calls import CallDirection, CallOutcome
from domain.values import PhoneNumber
from tests.contract.http.test_telnyx_calls import MESSAGE, AtTelnyx
from tests.support.actors import STRANGER
from tests.support.two_carriers import two_carriers

PEER = PhoneNumber("+447700900999")


@pytest.fixture
async def at() -> AsyncIterator[AtTelnyx]:
    async with two_carriers() as both:
        at = AtTelnyx(both, await both.british("ada"))
        await at.use_cases.issue_voice_token(at.ada.id, at.ada.line_id)
        yield at


def told(at: AtTelnyx) -> list[list[str]]:
    """Return what each leg was told, the first one first."""
    legs = at.both.telnyx.state.calls.values()
    return [[command.rpartition(":")[2] for command in leg["commands"]] for leg in legs]


async def placed(at: AtTelnyx, script: Script) -> None:
    at.both.telnyx.play_placed(script)
    await at.use_cases.place_call(at.ada.id, at.ada.line_id, PEER, "key")
    await at.both.settle()


async def test_a_call_that_comes_in_rings_the_apps_and_needs_no_key(at: AtTelnyx) -> None:
    await at.called(Script("answered", seconds=50))
    assert told(at) == [["answer", "bridge", "hangup"], ["ring"]]
    _, app = at.both.telnyx.state.calls.values()
    assert app["to"].startswith("sip:gencred")
    assert app["from"] == at.ada.number
    call = await at.call()
    assert (call.outcome, call.talked_for, call.is_over) == (CallOutcome.ANSWERED, 50, True)
    assert (call.direction, str(call.peer)) == (CallDirection.INBOUND, STRANGER)
    assert await at.voicemails() == []
    assert at.both.telnyx.state.recordings == {}


@pytest.mark.parametrize(
    ("outcome", "came_to"),
    [("busy", CallOutcome.BUSY), ("no_answer", CallOutcome.NO_ANSWER), ("failed", CallOutcome.FAILED)],
)
async def test_apps_that_do_not_answer_leave_the_caller_to_the_mailbox(
    at: AtTelnyx, outcome: str, came_to: CallOutcome
) -> None:
    await at.called(Script(outcome, says=MESSAGE))
    assert "bridge" not in at.commands()
    call = await at.call()
    assert (call.outcome, call.talked_for, call.is_over) == (came_to, 0, True)
    assert len(await at.voicemails()) == 1


async def test_a_caller_who_gives_up_while_apps_ring_was_not_answered(at: AtTelnyx) -> None:
    await at.called(Script("hang_up", forwarded="ringing"))
    assert [leg["state"] for leg in at.both.telnyx.state.calls.values()] == ["hangup", "hangup"]
    call = await at.call()
    assert call.is_over
    assert not call.outcome.talked


@pytest.mark.parametrize("knobs", [{"duplicate": 2}, {"duplicate": 3, "delay": 0.05}, {"lose_answer": 1}])
async def test_redelivery_and_a_lost_answer_come_to_the_same(at: AtTelnyx, knobs: dict[str, int]) -> None:
    at.both.telnyx.faults.set(knobs)
    await at.called(Script("answered", seconds=50))
    call = await at.call()
    assert (call.outcome, call.talked_for, call.is_over) == (CallOutcome.ANSWERED, 50, True)
    assert len(at.both.telnyx.state.calls) == 2, "nobody was rung twice"


async def test_a_call_that_goes_out_rings_the_app_first_and_then_whom_it_is_for(at: AtTelnyx) -> None:
    await placed(at, Script("answered", seconds=70))
    assert told(at) == [["place", "bridge", "hangup"], ["dial"]]
    app, other = at.both.telnyx.state.calls.values()
    assert app["to"].startswith("sip:gencred")
    assert (other["from"], other["to"]) == (at.ada.number, PEER), "the caller id is the line's own"
    assert {leg["state"] for leg in (app, other)} == {"hangup"}
    call = await at.call()
    assert (call.direction, str(call.peer)) == (CallDirection.OUTBOUND, PEER)
    assert (call.outcome, call.talked_for, call.is_over) == (CallOutcome.ANSWERED, 70, True)
    assert at.both.telnyx.state.recordings == {}


@pytest.mark.parametrize(
    ("script", "came_to"),
    [
        (Script("no_answer"), CallOutcome.NO_ANSWER),
        (Script("answered", forwarded="busy"), CallOutcome.BUSY),
        (Script("answered", forwarded="no_answer"), CallOutcome.NO_ANSWER),
        (Script("answered", forwarded="failed"), CallOutcome.FAILED),
    ],
)
async def test_what_became_of_a_call_that_nobody_took_is_said(
    at: AtTelnyx, script: Script, came_to: CallOutcome
) -> None:
    await placed(at, script)
    assert "bridge" not in at.commands()
    assert {leg["state"] for leg in at.both.telnyx.state.calls.values()} == {"hangup"}
    call = await at.call()
    assert (call.outcome, call.talked_for, call.is_over) == (came_to, 0, True)


async def test_a_number_that_cannot_be_called_ends_the_call(at: AtTelnyx) -> None:
    at.both.telnyx.faults.set({"duplicate": 2, "delay": 0.1})
    at.both.telnyx.play_placed(Script("answered"))
    await at.use_cases.place_call(at.ada.id, at.ada.line_id, PEER, "key")
    at.both.telnyx.faults.set({"refuse_calls": True})
    await at.both.settle()
    call = await at.call()
    assert (call.outcome, call.is_over) == (CallOutcome.FAILED, True)


async def test_without_an_app_that_has_a_token_no_call_is_placed(at: AtTelnyx) -> None:
    at.both.telnyx.state.credentials.clear()
    with pytest.raises(CarrierRefused):
        await at.use_cases.place_call(at.ada.id, at.ada.line_id, PEER, "key")
    call = await at.call()
    assert (call.outcome, call.is_over) == (CallOutcome.FAILED, True)
    assert at.both.telnyx.state.calls == {}


async def test_redelivery_calls_nobody_twice(at: AtTelnyx) -> None:
    at.both.telnyx.faults.set({"duplicate": 3, "delay": 0.02})
    await placed(at, Script("answered", seconds=20))
    assert len(at.both.telnyx.state.calls) == 2
    assert (await at.call()).talked_for == 20
