"""A freeze: what it does to lines, whatever else happens to them meanwhile, and to calls."""

from __future__ import annotations

from datetime import timedelta

import pytest

from application.call_progress import CallReport
from application.inbound_calls import IncomingCall, StepDone
from application.lapsed_lines import follow_account
from bootstrap.worlds import InMemory
from domain.accounts import AccountRestricted, InboundChoice, PendingDeletion
from domain.call_instructions import OVER, REFUSAL, RingApp, TakeMessage
from domain.call_routing import CallStep
from domain.calls import CallDirection, CallOutcome
from domain.forwarding import ForwardWhen
from domain.kernel import CarrierRef
from domain.lines import LineNotActive, LineState
from domain.values import Peer, PhoneNumber
from domain.voicemail import TranscriptAbsence
from tests.support.actors import PASSWORD, STRANGER, Person, with_line

KEPT = {InboundChoice.ACCEPTED: LineState.RESTRICTED, InboundChoice.REFUSED: LineState.SUSPENDED}
BOTH = pytest.mark.parametrize("inbound", InboundChoice)


async def state(ada: Person) -> LineState:
    return (await ada.world.use_cases.read_line(ada.id, ada.line_id)).state


@BOTH
async def test_every_line_follows_the_account_and_comes_back(inbound: InboundChoice) -> None:
    ada = await with_line(InMemory())
    do = ada.world.use_cases
    await do.restrict_account(ada.id, inbound)
    account = await do.restrict_account(ada.id, inbound)  # repeating is harmless
    assert (account.restriction, account.restricted_at) == (inbound, ada.world.clock.now())
    assert await state(ada) is KEPT[inbound]
    other = next(one for one in InboundChoice if one is not inbound)
    ada.world.clock.advance(timedelta(hours=1))
    changed = await do.restrict_account(ada.id, other)
    assert (changed.restriction, changed.restricted_at) == (other, account.restricted_at)
    assert await state(ada) is KEPT[other]
    await do.lift_restriction(ada.id)
    freed = await do.lift_restriction(ada.id)
    assert (freed.restriction, freed.restricted_at) == (None, None)
    assert await state(ada) is LineState.ACTIVE
    kinds = [entry.kind.value for entry in (await do.list_audit_log(ada.id, None, 50)).items]
    assert (kinds.count("account_frozen"), kinds.count("account_freed")) == (2, 1)


@BOTH
async def test_who_comes_back_to_a_frozen_account_finds_it_frozen(inbound: InboundChoice) -> None:
    ada = await with_line(InMemory())
    do = ada.world.use_cases
    await do.restrict_account(ada.id, inbound)
    await ada.deletes_account()
    assert await state(ada) is LineState.SUSPENDED
    with pytest.raises(PendingDeletion):
        await do.lift_restriction(ada.id)
    await do.recover_account(ada.email, PASSWORD)
    assert await state(ada) is KEPT[inbound]


@BOTH
async def test_a_number_taken_back_is_as_frozen_as_the_others(inbound: InboundChoice) -> None:
    ada = await with_line(InMemory())
    do = ada.world.use_cases
    await do.restrict_account(ada.id, inbound)
    await do.release_line(ada.id, ada.line_id)
    await do.cancel_release(ada.id, ada.line_id)
    assert await state(ada) is KEPT[inbound]


async def test_no_number_is_bought_and_one_on_order_comes_frozen() -> None:
    ada = await with_line(InMemory())
    await ada.world.use_cases.restrict_account(ada.id, InboundChoice.ACCEPTED)
    with pytest.raises(AccountRestricted):
        await ada.world.use_cases.buy_line(ada.id, PhoneNumber("+12025550148"), None, "more")
    async with ada.world.store.begin(ada.id) as tx:
        line, account = await tx.lines.get(ada.line_id), await tx.accounts.get()
    line.state = LineState.ACTIVE  # as it is once the carrier's answer comes
    follow_account(line, account, ada.world.clock.now())
    assert line.state is LineState.RESTRICTED


async def test_calls_go_to_voicemail_which_nobody_writes_down() -> None:
    ada = await with_line(InMemory())
    do = ada.world.use_cases
    await do.forward_line(ada.id, ada.line_id, PhoneNumber("+12025550199"), frozenset({ForwardWhen.ALWAYS}))
    await do.restrict_account(ada.id, InboundChoice.ACCEPTED)
    incoming = IncomingCall(CarrierRef("CA1"), ada.number, Peer(STRANGER))
    (told,) = (await do.answer_call(incoming)).instructions
    assert isinstance(told, TakeMessage)
    assert not told.transcribed
    await ada.world.recordings.leave(Peer(STRANGER), ada.number, b"RIFF", seconds=9)
    await ada.world.settle()
    (left,) = (await do.list_voicemails(ada.id, None, None, 9)).items
    assert left.absence is TranscriptAbsence.RESTRICTED
    with pytest.raises(LineNotActive):
        await do.issue_voice_token(ada.id, ada.line_id)


async def test_calls_are_refused_if_the_person_says_so() -> None:
    ada = await with_line(InMemory())
    await ada.world.use_cases.restrict_account(ada.id, InboundChoice.REFUSED)
    incoming = IncomingCall(CarrierRef("CA1"), ada.number, Peer(STRANGER))
    assert await ada.world.use_cases.answer_call(incoming) == REFUSAL


@pytest.mark.parametrize("deleted", [False, True])
async def test_a_call_under_way_goes_to_no_other_telephone_any_more(*, deleted: bool) -> None:
    ada = await with_line(InMemory())
    do = ada.world.use_cases
    other = PhoneNumber("+12025550199")
    await do.forward_line(ada.id, ada.line_id, other, frozenset({ForwardWhen.NO_ANSWER}))
    incoming = IncomingCall(CarrierRef("CA1"), ada.number, Peer(STRANGER))
    (told,) = (await do.answer_call(incoming)).instructions
    assert isinstance(told, RingApp)
    if deleted:
        await ada.deletes_account()
    else:
        await do.restrict_account(ada.id, InboundChoice.REFUSED)
    rang = StepDone(incoming, CallStep.RANG, CallOutcome.NO_ANSWER)
    assert await do.continue_call(rang) == OVER, (
        "a frozen line forwards, or takes a message that is kept nowhere"
    )


async def test_a_call_that_was_refused_does_not_turn_up_once_the_freeze_is_over() -> None:
    ada = await with_line(InMemory())
    world, do = ada.world, ada.world.use_cases
    await do.restrict_account(ada.id, InboundChoice.REFUSED)
    told, untold = world.voice.ring(STRANGER, ada.number), world.voice.ring(STRANGER, ada.number)
    assert await do.answer_call(IncomingCall(told, ada.number, Peer(STRANGER))) == REFUSAL
    for ref in (told, untold):
        world.voice.end(ref, CallOutcome.BUSY, 0)
    await do.apply_call_report(
        CallReport(untold, ada.number, Peer(STRANGER), CallDirection.INBOUND, CallOutcome.BUSY, is_over=True)
    )
    await do.lift_restriction(ada.id)
    for _ in range(8):
        await world.advance(timedelta(hours=1))
    assert not (await do.list_calls(ada.id, None, None, None, 9)).items, "what was to be refused was kept"


async def test_a_number_that_the_carrier_was_not_asked_for_yet_is_not_bought() -> None:
    ada = await with_line(InMemory())
    world, do = ada.world, ada.world.use_cases
    world.carrier.outage = True
    line = (await do.buy_line(ada.id, PhoneNumber("+12025550148"), None, "more")).line
    assert line.state is LineState.ORDERING
    await do.restrict_account(ada.id, InboundChoice.ACCEPTED)
    world.carrier.outage = False
    asked = world.carrier.calls.count("order")
    await world.advance(timedelta(hours=2))
    assert world.carrier.calls.count("order") == asked, "a number was bought for a frozen account"
    assert (await do.read_line(ada.id, line.id)).state is LineState.FAILED


async def test_a_peers_stop_counts_although_what_comes_in_is_refused() -> None:
    ada = await with_line(InMemory())
    await ada.receives("before")
    await ada.world.use_cases.restrict_account(ada.id, InboundChoice.REFUSED)
    await ada.receives("STOP")
    (conversation,) = (await ada.world.use_cases.list_conversations(ada.id, None, None, 9)).items
    assert conversation.opted_out_at is not None
    assert await ada.inbox() == ["before"]
