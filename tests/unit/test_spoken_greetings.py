"""Greetings that are said on the telephone: by the line's own person alone, heard once they are whole, gone there."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from adapters.outbound.memory.recordings import HeldRecording
from adapters.tones import tone
from application.call_costs import GREETING_TAKES
from application.call_progress import CallReport
from application.inbound_calls import IncomingCall, StepDone
from application.outbound_calls import AppCall, PickedUp
from application.ports.jobs import Job
from application.ports.recordings import Recorded
from application.ports.store import StoreUnavailable
from application.recorded_audio import PATIENCE
from application.voicemail_receiving import InboundVoicemail
from bootstrap.worlds import InMemory
from domain.audit import AuditKind
from domain.call_instructions import (
    OVER,
    REFUSAL,
    ClientIdentity,
    Forward,
    RecordGreeting,
    RingApp,
    TakeMessage,
)
from domain.call_routing import CallStep
from domain.call_words import Spoken
from domain.calls import Call, CallDirection, CallOutcome
from domain.forwarding import ForwardWhen
from domain.greetings import Greeting, GreetingText
from domain.kernel import CarrierRef
from domain.lines import LineState
from domain.values import Locale, Peer, PhoneNumber
from domain.voicemail import SHORTEST
from tests.support.actors import PASSWORD, STRANGER, Person, with_line
from tests.unit.test_greetings import sound, upload

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SAID, BEFORE = tone(3), tone(1)
HTML = b"<html><body>502 Bad Gateway</body></html>" * 9


@pytest.fixture
def world() -> InMemory:
    return InMemory()


async def app_of(ada: Person) -> ClientIdentity:
    return await ada.world.call_clients.identity(ada.id, ada.line_id)


async def calls_herself(ada: Person, *, to: str = "") -> CarrierRef:
    """Have the person's app call their own line, and the carrier be told to record."""
    app = await app_of(ada)
    ref = ada.world.voice.ring(f"client:{app}", to or ada.number)
    answer = await ada.world.use_cases.answer_app(AppCall(ref, app, to or str(ada.number)))
    assert answer.instructions == (RecordGreeting(),)
    return ref


async def says(ada: Person, call: CarrierRef, content: bytes = SAID, *, seconds: int = 12) -> CarrierRef:
    """Have them say something, hang up, and everything done that is due at once."""
    ref = await ada.world.recordings.speak(await app_of(ada), call, content, seconds=seconds)
    ada.world.voice.end(call, CallOutcome.ANSWERED, seconds + 8)
    over = CallReport(call, await app_of(ada), None, CallDirection.OUTBOUND, None, is_over=True)
    await ada.world.use_cases.apply_call_report(over)
    await ada.world.settle()
    return ref


async def heard(ada: Person) -> bytes | str | None:
    """Return what callers hear of the line's own."""
    found = await ada.world.use_cases.read_greeting(ada.id, ada.line_id)
    if found is None or found.sound is None:
        return None if found is None else found.words
    return await sound(ada.world, found)


async def rows(ada: Person) -> list[Greeting]:
    async with ada.world.store.begin(ada.id) as tx:
        return await tx.greetings.of_line(ada.line_id)


async def refusals(ada: Person) -> int:
    entries = await ada.world.use_cases.list_audit_log(ada.id, None, 99)
    return sum(entry.kind is AuditKind.RECORDING_REFUSED for entry in entries.items)


async def calls(ada: Person) -> list[Call]:
    return list((await ada.world.use_cases.list_calls(ada.id, None, None, None, 9)).items)


async def test_what_the_person_says_to_their_own_line_is_its_greeting_and_goes_at_the_carrier(
    world: InMemory,
) -> None:
    ada = await with_line(world)
    await upload(ada, BEFORE)
    ref = await says(ada, await calls_herself(ada))
    assert await heard(ada) == SAID
    assert await world.objects.count(ada.id) == 1, "the one before is gone"
    assert ref in world.recordings.recordings, "what is told of it may come twice within moments"
    assert [call.outcome for call in await calls(ada)] == [CallOutcome.ANSWERED], (
        "it was no missed one for a moment"
    )
    await world.advance(3 * MINUTE)
    assert world.recordings.recordings == {}
    assert [(each.ref, each.is_heard) for each in await rows(ada)] == [(None, True)]
    assert (await world.use_cases.list_voicemails(ada.id, None, None, 9)).items == []
    await world.advance(HOUR)
    [call] = await calls(ada)
    assert (call.direction, call.peer) == (CallDirection.OUTBOUND, Peer(ada.number))
    assert (call.outcome, call.talked_for, call.is_over) == (CallOutcome.ANSWERED, 20, True)
    assert world.voice.records == {}, "the carrier's record of the call goes as every other"
    assert await refusals(ada) == 0


async def test_a_call_that_we_place_rings_the_app_and_records_it_alone(world: InMemory) -> None:
    ada = await with_line(world)
    placed = await world.use_cases.place_call(ada.id, ada.line_id, ada.number, "once")
    again = await world.use_cases.place_call(ada.id, ada.line_id, ada.number, "once")
    assert (again.repeated, again.call.id) == (True, placed.call.id)
    ref = placed.call.ref
    assert ref is not None
    assert world.voice.calls.count("place_call") == 1
    picked_up = PickedUp(ref, ada.number, ada.line_id, placed.call.id)
    for _ in range(2):
        answer = await world.use_cases.connect_call(picked_up)
        assert answer.instructions == (RecordGreeting(),)
    await says(ada, ref)
    assert await heard(ada) == SAID
    assert [call.outcome for call in await calls(ada)] == [CallOutcome.ANSWERED]
    await world.advance(HOUR)
    assert await world.use_cases.connect_call(picked_up) == OVER


async def test_the_person_is_spoken_to_in_their_language(world: InMemory) -> None:
    ada = await with_line(world)
    await world.use_cases.change_profile(ada.id, None, Locale("he-IL"))
    app = await app_of(ada)
    answer = await world.use_cases.answer_app(AppCall(CarrierRef("call-9"), app, str(ada.number)))
    assert answer.language is Spoken.HEBREW
    assert await world.use_cases.answer_app(AppCall(CarrierRef("call-9"), app, STRANGER)) == answer, (
        "asked again"
    )


async def test_told_of_twice_and_late_it_is_one(world: InMemory) -> None:
    ada = await with_line(world)
    ref = await says(ada, await calls_herself(ada))
    [kept] = await rows(ada)
    for by in (timedelta(), MINUTE, HOUR):
        await world.use_cases.receive_voicemail(InboundVoicemail(ref))
        assert [each.id for each in await rows(ada)] == [kept.id]
        await world.advance(by)
    assert await heard(ada) == SAID
    assert len(await rows(ada)) == 1
    await world.use_cases.remove_greeting(ada.id, ada.line_id)
    await world.use_cases.receive_voicemail(InboundVoicemail(ref))
    await world.settle()
    assert await rows(ada) == [], "one that was taken away came back"


@pytest.mark.parametrize("seconds", [0, 1])
async def test_who_hangs_up_without_a_word_leaves_the_one_before(world: InMemory, seconds: int) -> None:
    assert timedelta(seconds=seconds) < SHORTEST
    ada = await with_line(world)
    await upload(ada, BEFORE)
    await says(ada, await calls_herself(ada), seconds=seconds)
    assert await heard(ada) == BEFORE
    assert world.recordings.recordings == {}
    assert await refusals(ada) == 0, "nobody did anything wrong"


async def test_callers_hear_the_one_before_until_the_new_one_is_whole(world: InMemory) -> None:
    ada = await with_line(world)
    await upload(ada, BEFORE)
    world.recordings.not_ready, world.recordings.breaks_off = 1, 1
    await says(ada, await calls_herself(ada))
    assert await heard(ada) == BEFORE
    for _ in range(5):
        await world.advance(MINUTE)
    assert await heard(ada) == SAID


async def test_what_is_no_sound_is_given_up_after_a_day_and_the_one_before_stays(world: InMemory) -> None:
    ada = await with_line(world)
    await upload(ada, BEFORE)
    await says(ada, await calls_herself(ada), HTML)
    assert world.recordings.recordings != {}
    for _ in range(int((PATIENCE + 8 * HOUR) / HOUR)):
        await world.advance(HOUR)
    assert await heard(ada) == BEFORE
    assert world.recordings.recordings == {}
    assert (len(await rows(ada)), await world.objects.count(ada.id)) == (1, 1)


async def test_one_that_is_taken_away_on_its_way_never_comes(world: InMemory) -> None:
    ada = await with_line(world)
    world.recordings.not_ready = 1
    await says(ada, await calls_herself(ada))
    await world.use_cases.remove_greeting(ada.id, ada.line_id)
    for _ in range(5):
        await world.advance(MINUTE)
    assert await heard(ada) is None
    assert (await rows(ada), world.recordings.recordings, await world.objects.count(ada.id)) == ([], {}, 0)


async def test_one_that_is_taken_away_while_it_is_fetched_is_not_heard(
    world: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, honest = await with_line(world), world.byte_store.write

    async def write(*given: Any, **named: Any) -> None:
        await honest(*given, **named)
        await world.use_cases.remove_greeting(ada.id, ada.line_id)

    monkeypatch.setattr(world.byte_store, "write", write)
    await says(ada, await calls_herself(ada))
    for _ in range(5):
        await world.advance(MINUTE)
    assert await heard(ada) is None
    assert (await rows(ada), world.recordings.recordings, await world.objects.count(ada.id)) == ([], {}, 0)


async def test_one_that_is_yet_to_come_is_purged_by_nobody(world: InMemory) -> None:
    ada = await with_line(world)
    world.recordings.not_ready = 10**6
    ref = await says(ada, await calls_herself(ada))
    [coming] = await rows(ada)

    async def purge(tx: Any) -> None:
        tx.queue(Job("purge_greeting", ada.id, coming.id))

    await world.store.update(ada.id, purge)
    await world.advance(MINUTE)
    assert [each.id for each in await rows(ada)] == [coming.id]
    assert ref in world.recordings.recordings


async def test_who_deletes_the_call_at_once_does_without_the_greeting(world: InMemory) -> None:
    ada = await with_line(world)
    call = await calls_herself(ada)
    [listed] = await calls(ada)
    await world.use_cases.delete_call(ada.id, listed.id)
    await says(ada, call)
    assert (await rows(ada), world.recordings.recordings, await refusals(ada)) == ([], {}, 1)


async def test_one_that_is_taken_away_at_once_is_deleted_at_the_carrier_though_that_lies(
    world: InMemory,
) -> None:
    ada = await with_line(world)
    await says(ada, await calls_herself(ada))
    world.recordings.lies = True
    await world.use_cases.remove_greeting(ada.id, ada.line_id)
    await world.settle()
    assert await heard(ada) is None, "gone for callers at once"
    assert world.recordings.recordings != {}
    world.recordings.lies = False
    for _ in range(9):
        await world.advance(HOUR)
    assert (await rows(ada), world.recordings.recordings, await world.objects.count(ada.id)) == ([], {}, 0)


async def test_what_was_made_later_stands(world: InMemory) -> None:
    ada = await with_line(world)
    world.recordings.not_ready = 1
    await says(ada, await calls_herself(ada))
    await world.advance(timedelta(seconds=1))
    await world.use_cases.write_greeting(ada.id, ada.line_id, GreetingText("This is Ada."))
    for _ in range(5):
        await world.advance(MINUTE)
    assert await heard(ada) == "This is Ada."
    assert (len(await rows(ada)), world.recordings.recordings, await world.objects.count(ada.id)) == (
        1,
        {},
        0,
    )


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


async def test_a_line_that_is_given_up_meanwhile_gets_none(world: InMemory) -> None:
    ada = await with_line(world)
    world.recordings.outage = True
    world.recordings.silent = True
    call = await calls_herself(ada)
    ref = await says(ada, call)
    world.recordings.outage = False
    await world.use_cases.receive_voicemail(InboundVoicemail(ref))

    async def gone(tx: Any) -> None:
        line = await tx.lines.get(ada.line_id)
        line.state = LineState.RELEASED
        tx.save(line)

    await world.store.update(ada.id, gone)
    for _ in range(3):
        await world.advance(3 * MINUTE)
    assert (await rows(ada), world.recordings.recordings, await world.objects.count(ada.id)) == ([], {}, 0)
    await world.use_cases.receive_voicemail(InboundVoicemail(ref))
    late = await world.recordings.speak(await app_of(ada), call, SAID)
    await world.use_cases.receive_voicemail(InboundVoicemail(late))
    await world.settle()
    assert (await rows(ada), world.recordings.recordings) == ([], {})


async def test_with_the_account_goes_what_the_carrier_holds_of_it(world: InMemory) -> None:
    ada = await with_line(world)
    call = await calls_herself(ada)
    world.recordings.not_ready = 10**6
    ref = await says(ada, call)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    assert ref in world.recordings.recordings
    world.recordings.lies = True
    await world.advance(30 * DAY)
    await world.advance(MINUTE)
    assert ref in world.recordings.recordings, "asked for, and not done: it is on the residue list"
    assert await world.ledger.receipt(await world.fingerprint(ada.id)) is None
    world.recordings.lies = False
    for _ in range(9):
        await world.advance(HOUR)
    assert not any((await world.store.count_rows(ada.id)).values())
    assert (world.recordings.recordings, world.voice.records, world.byte_store.kept) == ({}, {}, {})
    receipt = await world.ledger.receipt(await world.fingerprint(ada.id))
    assert receipt is not None
    assert receipt.facts["recordings_deleted"] == 1
    late = await world.recordings.speak(await app_of(ada), call, SAID)
    assert late not in world.recordings.recordings, "what is told of it after all that goes at once"


@pytest.mark.parametrize("record_gone", [False, True])
async def test_one_of_which_nobody_told_us_is_found_within_hours(
    world: InMemory, *, record_gone: bool
) -> None:
    ada = await with_line(world)
    world.recordings.silent = True
    call = await calls_herself(ada)
    ref = await says(ada, call)
    if record_gone:
        del world.voice.records[call]
        held = world.recordings.recordings[ref]
        known = Recorded(None, None, held.recorded.length, call=call)
        world.recordings.recordings[ref] = HeldRecording(known, held.type, held.content, call)
    for _ in range(8):
        await world.advance(HOUR)
    assert await heard(ada) == SAID
    assert world.recordings.recordings == {}
    assert (await world.use_cases.list_voicemails(ada.id, None, None, 9)).items == []
    assert await refusals(ada) == 0


async def test_one_that_is_yet_to_be_fetched_is_not_taken_for_a_leftover(world: InMemory) -> None:
    ada = await with_line(world)
    world.recordings.not_ready = 10**6
    ref = await says(ada, await calls_herself(ada))
    for _ in range(8):
        await world.advance(HOUR)
    assert ref in world.recordings.recordings
    world.recordings.not_ready = 0
    for _ in range(8):
        await world.advance(HOUR)
    assert await heard(ada) == SAID


async def test_such_a_call_costs_what_it_can_last_and_then_what_it_did(world: InMemory) -> None:
    ada = await with_line(world)
    await world.use_cases.block_number(ada.id, ada.number)
    call = await calls_herself(ada)
    [began] = await calls(ada)
    policy = world.use_cases.place_call.begin.costs.spend.policy
    minutes = int(GREETING_TAKES.total_seconds())
    assert began.reserved == policy.cost_of_call(ada.line.country if ada.line else None, minutes)  # type: ignore[arg-type]
    await says(ada, call)
    await world.advance(HOUR)
    assert [each.reserved for each in await calls(ada)] == [0]


class Dying:
    """Has the step of a number fail: before it is done, or after, so that nobody hears that it was."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.at, self.after, self.steps = at, after, 0

    def mine(self, of: Any, *names: str) -> None:
        for name in names:
            self._mine(of, name, getattr(of, name))

    def _mine(self, of: Any, name: str, honest: Any) -> None:
        async def step(*given: Any, **named: Any) -> Any:
            self.steps += 1
            dies = self.steps == self.at
            if dies and not self.after:
                raise StoreUnavailable
            done = await honest(*given, **named)
            if dies:
                raise StoreUnavailable
            return done

        setattr(of, name, step)


async def lives(at: int, *, after: bool) -> int:
    """Have a greeting be said and taken in though a step fails; return how many steps there were."""
    world, dying = InMemory(), Dying(at, after=after)
    ada = await with_line(world)
    await upload(ada, BEFORE)
    call = await calls_herself(ada)
    world.recordings.silent = True
    ref = await says(ada, call)
    dying.mine(world.store, "update")
    dying.mine(world.byte_store, "write", "delete")
    dying.mine(world.recordings, "look_up", "delete", "holds")
    for _ in range(2):  # what was not answered is told again
        with suppress(StoreUnavailable):
            await world.use_cases.receive_voicemail(InboundVoicemail(ref))
        await world.settle()
    for _ in range(4):
        await world.advance(HOUR)
    assert await heard(ada) == SAID, (at, after)
    assert [(each.ref, each.is_heard) for each in await rows(ada)] == [(None, True)]
    assert (world.recordings.recordings, await world.objects.count(ada.id)) == ({}, 1)
    return dying.steps


@pytest.mark.parametrize("after", [False, True])
async def test_whichever_step_fails_it_comes_whole_once_and_leaves_nothing(*, after: bool) -> None:
    steps = await lives(0, after=after)
    assert steps > 5
    for at in range(1, steps + 1):
        await lives(at, after=after)
