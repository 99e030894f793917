"""Calls and voicemail of which nobody told us: they are taken in within hours, and nothing of them is left behind."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from itertools import count

import pytest

from adapters.outbound.telnyx.answers import ref_of
from adapters.outbound.telnyx.simulator import Script
from adapters.tones import tone
from application.call_progress import CallReport
from application.inbound_calls import IncomingCall
from bootstrap.worlds import InMemory
from domain.calls import Call, CallDirection, CallOutcome
from domain.kernel import CarrierRef
from domain.values import Peer, PhoneNumber
from domain.voicemail import Voicemail, VoicemailState
from tests.support.actors import STRANGER, Person, with_line
from tests.support.two_carriers import two_carriers

HOUR = timedelta(hours=1)
TELEPHONE = "+14155550126"


class Missed:
    """A line whose carrier tells of nothing."""

    def __init__(self, world: InMemory, ada: Person) -> None:
        self.world, self.ada = world, ada
        world.recordings.silent = True

    @classmethod
    async def of(cls) -> Missed:
        world = InMemory()
        return cls(world, await with_line(world))

    async def called(self, caller: str = STRANGER, *, seconds: int = 20, left: bool = True) -> CarrierRef:
        """Let somebody call, perhaps leave a message, and hang up."""
        ref = self.world.voice.ring(caller, self.ada.number)
        if left:
            peer = Peer(caller) if caller.startswith("+") else None
            await self.world.recordings.leave(peer, self.ada.number, tone(2), call=ref)
        self.world.voice.end(ref, CallOutcome.ANSWERED, seconds)
        return ref

    async def goes_by(self, by: timedelta = 8 * HOUR) -> None:
        for _ in range(int(by / HOUR)):
            await self.world.advance(HOUR)

    async def calls(self) -> list[Call]:
        return (await self.world.use_cases.list_calls(self.ada.id, None, None, None, 99)).items

    async def voicemails(self) -> list[Voicemail]:
        return (await self.world.use_cases.list_voicemails(self.ada.id, None, None, 99)).items


async def test_a_call_and_its_voicemail_of_which_nobody_told_us_are_taken_in_as_of_then() -> None:
    line = await Missed.of()
    began = line.world.clock.now()
    await line.called()
    await line.goes_by()
    [call] = await line.calls()
    assert (call.peer, call.direction, call.outcome) == (STRANGER, CallDirection.INBOUND, CallOutcome.MISSED)
    assert (call.started_at, call.ended_at) == (began, began + timedelta(seconds=20))
    [voicemail] = await line.voicemails()
    assert (voicemail.caller, voicemail.state) == (STRANGER, VoicemailState.KEPT)
    await line.goes_by(2 * HOUR)
    assert line.world.voice.records == {}
    assert line.world.recordings.recordings == {}


async def test_a_voicemail_is_taken_in_though_the_carriers_record_of_its_call_is_gone() -> None:
    line = await Missed.of()
    ref = await line.called()
    await line.world.use_cases.answer_call(IncomingCall(ref, line.ada.number, Peer(STRANGER)))
    report = CallReport(ref, line.ada.number, Peer(STRANGER), CallDirection.INBOUND, None, is_over=True)
    await line.world.use_cases.apply_call_report(report)
    await line.world.advance(timedelta(minutes=5))
    assert line.world.voice.records == {}
    [held] = line.world.recordings.recordings.values()
    [own] = line.world.recordings.recordings
    line.world.recordings.recordings[own] = type(held)(
        type(held.recorded)(None, None, held.recorded.length), held.type, held.content, ref
    )
    await line.goes_by()
    [voicemail] = await line.voicemails()
    assert (voicemail.caller, voicemail.state) == (STRANGER, VoicemailState.KEPT)


async def test_the_end_of_a_call_that_was_missed_is_made_up_for() -> None:
    line = await Missed.of()
    began, ref = line.world.clock.now(), line.world.voice.ring(STRANGER, line.ada.number)
    await line.world.use_cases.answer_call(IncomingCall(ref, line.ada.number, Peer(STRANGER)))
    line.world.voice.end(ref, CallOutcome.NO_ANSWER, 15)
    await line.goes_by(3 * HOUR)
    [call] = await line.calls()
    assert (call.is_over, call.ended_at) == (True, began + timedelta(seconds=15))


async def test_a_call_that_hangs_at_the_carrier_is_ended_there_and_here() -> None:
    line = await Missed.of()
    ref = line.world.voice.ring(STRANGER, line.ada.number)
    await line.world.use_cases.answer_call(IncomingCall(ref, line.ada.number, Peer(STRANGER)))
    await line.goes_by(16 * HOUR)
    assert line.world.voice.records == {}
    [call] = await line.calls()
    assert call.is_over


async def test_what_was_deleted_here_goes_at_the_carrier_should_it_be_there_again() -> None:
    line = await Missed.of()
    ref = await line.called()
    record = line.world.voice.records[ref]
    [own], [held] = line.world.recordings.recordings, list(line.world.recordings.recordings.values())
    await line.goes_by(10 * HOUR)
    [call], [voicemail] = await line.calls(), await line.voicemails()
    await line.world.use_cases.delete_call(line.ada.id, call.id)
    await line.world.use_cases.delete_voicemail(line.ada.id, voicemail.id)
    await line.goes_by(2 * HOUR)
    line.world.voice.records[ref], line.world.recordings.recordings[own] = record, held
    await line.goes_by()
    assert (line.world.voice.records, line.world.recordings.recordings) == ({}, {})
    assert (await line.calls(), await line.voicemails()) == ([], [])


@pytest.mark.parametrize("by_app", [False, True])
async def test_a_call_that_went_out_to_nobody_leaves_no_record_at_the_carrier(by_app: bool) -> None:
    line = await Missed.of()
    client = await line.world.call_clients.identity(line.ada.id, line.ada.line_id)
    ours = f"client:{client}" if by_app else str(line.ada.number)
    ref = line.world.voice.ring(ours, TELEPHONE)
    leg = line.world.voice.ring(str(line.ada.number), TELEPHONE, parent=ref)
    line.world.voice.end(ref, CallOutcome.FAILED)
    assert {ref, leg} == line.world.voice.records.keys()
    await line.goes_by()
    assert line.world.voice.records == {}
    assert await line.calls() == []


async def test_what_a_blocked_caller_left_unheard_is_not_kept() -> None:
    line = await Missed.of()
    await line.world.use_cases.block_number(line.ada.id, PhoneNumber(STRANGER))
    await line.called(left=False)
    await line.goes_by()
    assert await line.calls() == []
    assert line.world.voice.records == {}


async def test_calls_from_before_the_lease_are_nobodys() -> None:
    line = await Missed.of()
    ref = await line.called()
    line.world.voice.records[ref] = type(line.world.voice.records[ref])(
        ref, STRANGER, str(line.ada.number), datetime(2020, 1, 1, tzinfo=line.world.clock.now().tzinfo),
        CallOutcome.ANSWERED, is_over=True,
    )  # fmt: skip
    await line.goes_by()
    assert await line.calls() == []
    assert ref in line.world.voice.records


@pytest.mark.parametrize("seed", range(4))
async def test_nothing_older_than_a_day_is_at_the_carrier_that_we_do_not_hold(seed: int) -> None:
    """Whatever is missed, the first word, the last, all of them or none: within a day it is here, or gone there."""
    line, chance, serial = await Missed.of(), random.Random(seed), count(1)
    told = line.world.use_cases
    for _ in range(30):
        caller = chance.choice((STRANGER, "+13105550199", "anonymous"))
        ref = line.world.voice.ring(caller, line.ada.number)
        peer = Peer(caller) if caller.startswith("+") else None
        if chance.random() < 0.5:
            await told.answer_call(IncomingCall(ref, line.ada.number, peer))
        if chance.random() < 0.5:
            await line.world.recordings.leave(peer, line.ada.number, tone(2), call=ref)
        if chance.random() < 0.9:
            line.world.voice.end(ref, CallOutcome.ANSWERED, next(serial))
        if chance.random() < 0.3:
            report = CallReport(ref, line.ada.number, peer, CallDirection.INBOUND, None, is_over=True)
            await told.apply_call_report(report)
        line.world.voice.too_early = chance.randrange(3)
        await line.world.advance(timedelta(minutes=chance.randrange(300)))
        async with line.world.store.begin(line.ada.id) as tx:
            for old in list(line.world.voice.records.values()):
                if old.at < line.world.clock.now() - 24 * HOUR:
                    assert await tx.calls.by_ref(old.ref) is not None
    await line.goes_by(48 * HOUR)
    assert line.world.voice.records == {}
    assert line.world.recordings.recordings == {}


async def test_what_is_missed_at_telnyx_is_taken_in_from_its_own_lists() -> None:
    async with two_carriers() as both:
        ada = await both.british("ada")
        both.telnyx.faults.set({"drop": True})
        leg = await both.telnyx.inbound_call(STRANGER, ada.number, Script("hang_up"))
        both.telnyx.left(leg, 13)
        trunking = both.telnyx.left(leg, 13, "Trunking")
        both.telnyx.faults.set({"drop": False})
        for _ in range(8):
            await both.world.advance(HOUR)
        use_cases = both.world.use_cases
        [call] = (await use_cases.list_calls(ada.id, None, None, None, 9)).items
        assert (call.ref, call.peer, call.is_over) == (ref_of(leg), STRANGER, True)
        [voicemail] = (await use_cases.list_voicemails(ada.id, None, None, 9)).items
        assert (voicemail.caller, voicemail.state) == (STRANGER, VoicemailState.KEPT)
        assert trunking not in both.telnyx.state.recordings, "it is no message"
