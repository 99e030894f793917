"""Who says no greeting on the telephone: whoever is not the line's own person, alone, on a call of theirs to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapters.outbound.memory.recordings import HeldRecording
from application.inbound_calls import IncomingCall, StepDone
from application.outbound_calls import AppCall
from application.ports.recordings import Recorded
from application.voicemail_receiving import InboundVoicemail
from bootstrap.worlds import InMemory
from domain.call_instructions import (
    REFUSAL,
    ClientIdentity,
    Forward,
    RingApp,
    TakeMessage,
)
from domain.call_routing import CallStep
from domain.calls import CallOutcome
from domain.forwarding import ForwardWhen
from domain.kernel import CarrierRef
from domain.lines import LineState
from domain.values import Peer, PhoneNumber
from tests.support.actors import STRANGER, with_line
from tests.support.spoken_greetings import (
    BEFORE,
    SAID,
    app_of,
    calls_herself,
    heard,
    refusals,
    says,
)
from tests.unit.test_greetings import upload


@pytest.fixture
def world() -> InMemory:
    return InMemory()


async def test_a_recording_of_any_other_call_is_refused_deleted_and_audited(world: InMemory) -> None:
    ada, ben = await with_line(world), await with_line(world, "ben", "+12025550199")
    await upload(ada, BEFORE)
    hers, his = await app_of(ada), await app_of(ben)
    out = world.voice.ring(f"client:{hers}", STRANGER)
    assert (await world.use_cases.answer_app(AppCall(out, hers, STRANGER))).line_id == ada.line_id
    came = world.voice.ring(STRANGER, ada.number)
    await world.use_cases.answer_call(IncomingCall(came, ada.number, STRANGER))
    own = await calls_herself(ada)
    for at, (app, call) in enumerate(
        ((hers, out), (hers, came), (hers, CarrierRef("call-none")), (his, own)), 1
    ):
        await world.recordings.speak(app, call, SAID)
        await world.settle()
        assert world.recordings.recordings == {}
        assert await refusals(ada) + await refusals(ben) == at
    stranger = ClientIdentity(hers[:-2] + "xx")
    await world.recordings.speak(stranger, own, SAID)
    await world.settle()
    assert world.recordings.recordings == {}, "of nobody's app, nothing is kept either"
    assert (await heard(ada), await heard(ben)) == (BEFORE, None)


@pytest.mark.parametrize("caller", ["own", "forward"])
@pytest.mark.parametrize("state", [LineState.ACTIVE, LineState.RESTRICTED])
async def test_who_calls_from_outside_never_comes_to_it_whatever_number_they_show(
    world: InMemory, caller: str, state: LineState
) -> None:
    ada = await with_line(world)
    telephone = PhoneNumber("+14155550126")
    await world.use_cases.forward_line(ada.id, ada.line_id, telephone, frozenset({ForwardWhen.NO_ANSWER}))

    async def freeze(tx: Any) -> None:
        line = await tx.lines.get(ada.line_id)
        line.state = state
        tx.save(line)

    await world.store.update(ada.id, freeze)
    shown = Peer(ada.number if caller == "own" else telephone)
    ref = world.voice.ring(shown, ada.number)
    call = IncomingCall(ref, ada.number, shown)
    told = [await world.use_cases.answer_call(call)]
    told += [
        await world.use_cases.continue_call(StepDone(call, step, outcome))
        for step in (CallStep.RANG, CallStep.FORWARDED)
        for outcome in (CallOutcome.NO_ANSWER, CallOutcome.FAILED, CallOutcome.BUSY)
    ]
    assert {type(each) for one in told for each in one.instructions} <= {RingApp, Forward, TakeMessage}
    await world.recordings.leave(shown, ada.number, SAID, call=ref)
    await world.settle()
    assert await heard(ada) is None
    assert len((await world.use_cases.list_voicemails(ada.id, None, None, 9)).items) == 1


async def test_a_recording_that_says_it_is_an_apps_is_none_of_a_call_from_outside(world: InMemory) -> None:
    ada = await with_line(world)
    ref = world.voice.ring(ada.number, ada.number)
    await world.use_cases.answer_call(IncomingCall(ref, ada.number, Peer(ada.number)))
    known = Recorded(None, Peer(ada.number), timedelta(seconds=9), of_app=True, call=ref)
    world.recordings.recordings[CarrierRef("RE9")] = HeldRecording(known, "audio/wav", SAID, ref)
    await world.use_cases.receive_voicemail(InboundVoicemail(CarrierRef("RE9")))
    await world.settle()
    assert (await heard(ada), world.recordings.recordings, await refusals(ada)) == (None, {}, 1)


async def test_a_line_that_lets_no_calls_out_takes_no_greeting(world: InMemory) -> None:
    ada = await with_line(world)
    early = await calls_herself(ada)
    await ada.deletes_account()
    await says(ada, early)
    assert world.recordings.recordings == {}, "what was said is not kept after the goodbye"
    app = await app_of(ada)
    answer = await world.use_cases.answer_app(AppCall(CarrierRef("call-9"), app, str(ada.number)))
    assert answer == REFUSAL
