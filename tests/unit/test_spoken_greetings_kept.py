"""What becomes of a spoken greeting that nobody told us of, of a line or an account that goes, and what it costs."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.outbound.memory.recordings import HeldRecording
from application.call_costs import GREETING_TAKES
from application.ports.recordings import Recorded
from application.voicemail_receiving import InboundVoicemail
from bootstrap.worlds import InMemory
from domain.lines import LineState
from tests.support.actors import PASSWORD, with_line
from tests.support.spoken_greetings import (
    DAY,
    HOUR,
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


@pytest.fixture
def world() -> InMemory:
    return InMemory()


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
