"""What every carrier of calls promises; what only some can, the others refuse."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any

import pytest

from application.ports.carrier_errors import CarrierUnavailable, CarrierUnsupported
from application.ports.message_carrier import TooEarly
from application.ports.voice_carrier import VoiceCarrier
from domain.call_instructions import ClientIdentity
from domain.calls import CallOutcome
from domain.kernel import CallId, CarrierRef
from pico_testkit.contracts.carrier import LINE, MESSAGE, NUMBER, OTHER_NUMBER, PEER, START, error_of

CALL = CallId(MESSAGE)
CLIENT = ClientIdentity("line_" + "a" * 77)


class VoiceWorld(ABC):
    """What the suite asks of the surroundings of a carrier of calls."""

    voice: VoiceCarrier

    def __init__(self) -> None:
        self.now = START

    @abstractmethod
    def outage(self, *, on: bool) -> None:
        """Let nothing be done and nothing be answered."""

    @abstractmethod
    def lose_next_answer(self) -> None:
        """Let the next write be done, and its answer be lost."""

    @abstractmethod
    def lie(self) -> None:
        """Let deletions be answered well and not be done."""

    @abstractmethod
    def too_early(self) -> None:
        """Let the next deletion of a record be put off."""

    @abstractmethod
    async def talk(self, caller: str, number: str, seconds: int) -> CarrierRef:
        """Let somebody call a number of ours, an app answer, and them talk for so long; return the call's reference."""

    @abstractmethod
    async def ring(self, caller: str, number: str) -> CarrierRef:
        """Let somebody call a number of ours, and go on ringing."""


class VoiceCarrierContract:
    """Subclass it, and give the fixture `world`."""

    @pytest.fixture
    def world(self) -> VoiceWorld:
        raise NotImplementedError

    async def test_a_call_that_is_over_is_known_with_its_outcome_and_its_legs(
        self, world: VoiceWorld
    ) -> None:
        ref = await world.talk(PEER, NUMBER, 50)
        found = await world.voice.look_up_call(ref)
        assert found is not None
        assert (found.ref, found.is_over) == (ref, True)
        [leg] = await world.voice.legs(ref)
        assert (leg.is_over, leg.outcome, leg.duration) == (True, CallOutcome.ANSWERED, 50)
        assert leg.ref != ref
        assert abs(found.at - world.now) <= timedelta(minutes=1)

    async def test_a_call_that_nobody_knows_is_none_and_has_no_legs(self, world: VoiceWorld) -> None:
        unknown = CarrierRef(f"CA{'0' * 32}")
        assert await world.voice.look_up_call(unknown) is None
        assert await world.voice.legs(unknown) == []
        await world.voice.end_call(unknown)

    async def test_a_call_that_rings_is_not_over_until_it_is_ended(self, world: VoiceWorld) -> None:
        ref = await world.ring(PEER, NUMBER)
        found = await world.voice.look_up_call(ref)
        assert found is not None
        assert not found.is_over
        await world.voice.end_call(ref)
        await world.voice.end_call(ref)
        found = await world.voice.look_up_call(ref)
        assert found is not None
        assert found.is_over

    async def test_the_calls_of_a_number_are_listed_and_nobody_elses(self, world: VoiceWorld) -> None:
        if not world.voice.voice_abilities.can_list_calls:
            with pytest.raises(CarrierUnsupported):
                await world.voice.list_calls(NUMBER)
            return
        refs = [await world.talk(PEER, NUMBER, 5), await world.talk(PEER, NUMBER, 6)]
        await world.talk(PEER, OTHER_NUMBER, 7)
        calls = await world.voice.list_calls(NUMBER)
        listed = [call.ref for call in calls]
        came_in = [call for call in calls if call.ref in refs]
        assert [(call.is_inbound, call.peer, call.parent, call.is_over) for call in came_in] == [
            (True, PEER, None, True)
        ] * 2
        assert all(call.parent in refs for call in calls if call.ref not in refs), "legs say whose they are"
        assert set(refs) <= set(listed)
        assert len(listed) == len(set(listed))
        assert not set(listed) & {call.ref for call in await world.voice.list_calls(OTHER_NUMBER)}

    async def test_a_deleted_record_is_gone_and_deleting_may_be_repeated(self, world: VoiceWorld) -> None:
        ref = await world.talk(PEER, NUMBER, 5)
        if not world.voice.voice_abilities.can_delete_records:
            with pytest.raises(CarrierUnsupported):
                await world.voice.delete_record(ref)
            return
        [leg] = await world.voice.legs(ref)
        await world.voice.delete_record(leg.ref)
        await world.voice.delete_record(ref)
        await world.voice.delete_record(ref)
        assert await world.voice.look_up_call(ref) is None
        assert await world.voice.legs(ref) == []

    async def test_a_record_is_deleted_once_the_call_is_over_and_not_too_early(
        self, world: VoiceWorld
    ) -> None:
        if not world.voice.voice_abilities.can_delete_records:
            return
        ref = await world.ring(PEER, NUMBER)
        assert isinstance(await error_of(world.voice.delete_record(ref)), TooEarly)
        await world.voice.end_call(ref)
        world.too_early()
        early = await error_of(world.voice.delete_record(ref))
        assert isinstance(early, TooEarly)
        assert early.retry_after is not None
        await world.voice.delete_record(ref)
        assert await world.voice.look_up_call(ref) is None

    async def test_a_deletion_that_is_a_lie_shows(self, world: VoiceWorld) -> None:
        if not world.voice.voice_abilities.can_delete_records:
            return
        ref = await world.talk(PEER, NUMBER, 5)
        world.lie()
        await world.voice.delete_record(ref)
        assert await world.voice.look_up_call(ref) is not None

    async def test_a_call_of_ours_rings_the_apps_from_the_line(self, world: VoiceWorld) -> None:
        if not world.voice.voice_abilities.can_place_calls:
            with pytest.raises(CarrierUnsupported):
                await world.voice.place_call(CALL, LINE, CLIENT, NUMBER)
            return
        ref = await world.voice.place_call(CALL, LINE, CLIENT, NUMBER)
        found = await world.voice.look_up_call(ref)
        assert found is not None
        assert found.ref == ref

    async def test_a_call_whose_answer_was_lost_may_ring_all_the_same(self, world: VoiceWorld) -> None:
        if not world.voice.voice_abilities.can_place_calls:
            return
        world.lose_next_answer()
        with pytest.raises(CarrierUnavailable):
            await world.voice.place_call(CALL, LINE, CLIENT, NUMBER)
        if world.voice.voice_abilities.can_list_calls:
            assert len(await world.voice.list_calls(NUMBER)) == 1

    async def test_nothing_is_known_during_an_outage(self, world: VoiceWorld) -> None:
        ref = await world.talk(PEER, NUMBER, 5)
        world.outage(on=True)
        asked: list[Coroutine[Any, Any, object]] = [
            world.voice.look_up_call(ref),
            world.voice.legs(ref),
            world.voice.end_call(ref),
        ]
        abilities = world.voice.voice_abilities
        if abilities.can_list_calls:
            asked.append(world.voice.list_calls(NUMBER))
        if abilities.can_delete_records:
            asked.append(world.voice.delete_record(ref))
        if abilities.can_place_calls:
            asked.append(world.voice.place_call(CALL, LINE, CLIENT, NUMBER))
        for each in asked:
            assert isinstance(await error_of(each), CarrierUnavailable)
        world.outage(on=False)
        assert await world.voice.look_up_call(ref) is not None

    async def test_a_token_is_for_the_apps_of_one_line_and_ends(self, world: VoiceWorld) -> None:
        now, life = datetime.fromisoformat("2027-03-01T12:00:00+00:00"), timedelta(hours=1)
        if not world.voice.voice_abilities.has_app_clients:
            with pytest.raises(CarrierUnsupported):
                await world.voice.client_token(CLIENT, now, life)
            return
        made = await world.voice.client_token(CLIENT, now, life)
        assert made.expires_at == now + life
        other = await world.voice.client_token(ClientIdentity("line_" + "b" * 77), now, life)
        assert made.token != other.token
