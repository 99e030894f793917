"""Greetings that are said on the telephone: heard once they are whole, and gone at the carrier."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from application.outbound_calls import AppCall, PickedUp
from application.ports.jobs import Job
from application.recorded_audio import PATIENCE
from application.voicemail_receiving import InboundVoicemail
from bootstrap.worlds import InMemory
from domain.call_instructions import (
    OVER,
    RecordGreeting,
)
from domain.call_words import Spoken
from domain.calls import CallDirection, CallOutcome
from domain.greetings import GreetingText
from domain.kernel import CarrierRef
from domain.values import Locale, Peer
from domain.voicemail import SHORTEST
from tests.support.actors import STRANGER, with_line
from tests.support.spoken_greetings import (
    BEFORE,
    HOUR,
    HTML,
    MINUTE,
    SAID,
    app_of,
    calls,
    calls_herself,
    heard,
    refusals,
    rows,
    says,
)
from tests.unit.test_greetings import upload


@pytest.fixture
def world() -> InMemory:
    return InMemory()


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
