"""Several carriers behind the ports of one: the provider's contract over both, and what only several can get wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from adapters.outbound.memory.carrier import MemoryCarrier
from adapters.outbound.memory.recordings import MemoryRecordings
from adapters.outbound.memory.voice_carrier import CallRecord, MemoryVoiceCarrier
from adapters.outbound.several.messages import EveryCarrier
from adapters.outbound.several.numbers import EveryProvider
from adapters.outbound.several.recordings import EveryRecordings, EveryTranscriber
from adapters.outbound.several.references import owner_of
from adapters.outbound.several.voice import EveryVoice
from adapters.outbound.system.numbering import PhonenumbersPlan
from application.ports.carrier_errors import CarrierUnavailable, CarrierUnsupported
from application.ports.message_carrier import MessageAbilities, TooEarly
from application.ports.numbers import PENDING, NumberOrder, OrderFailure
from application.ports.voice_carrier import VoiceAbilities
from domain.kernel import CarrierRef
from domain.messages import Status
from domain.values import Country, Locale, PhoneNumber
from domain.voicemail import TranscriptAbsence
from pico_testkit.contracts.carrier import (
    BODY,
    LINE,
    MESSAGE,
    NUMBER,
    OTHER_LINE,
    PEER,
    SMS,
    START,
    error_of,
)
from pico_testkit.contracts.numbers import NumberProviderContract
from pico_testkit.contracts.recordings import RecordingsContract
from pico_testkit.contracts.voice import VoiceCarrierContract
from tests.contract.carrier.other_school import OtherSchool
from tests.contract.carrier.test_memory import MemoryWorld
from tests.contract.carrier.test_memory_voice import MemoryVoiceWorld
from tests.contract.carrier.test_recordings import InMemory as RecordingsInMemory

US, GB = Country("US"), Country("GB")
BRITISH = PhoneNumber("+447700900123")


class SeveralWorld(MemoryWorld):
    """The fake for most countries, and a carrier of the other school for the United Kingdom."""

    def __init__(self) -> None:
        super().__init__()
        self.other = OtherSchool(lambda: self.now)
        self.numbers = EveryProvider(
            {"memory": self.fake, "other": self.other}, {GB: "other"}, PhonenumbersPlan()
        )

    def outage(self, *, on: bool) -> None:
        self.fake.outage = self.other.outage = on

    async def settle(self) -> None:
        await self.other.decide()
        await super().settle()


@pytest.fixture
def several() -> SeveralWorld:
    return SeveralWorld()


class TestEveryProvider(NumberProviderContract):
    @pytest.fixture
    def world(self, several: SeveralWorld) -> SeveralWorld:
        # Orders are the fake's, which decides at once; that they may take time is true of the two together.
        several.numbers.number_abilities = replace(several.fake.number_abilities, can_list=False)
        return several


def test_what_they_offer_together_is_what_each_offers(several: SeveralWorld) -> None:
    abilities = several.numbers.number_abilities
    assert (abilities.has_area_codes, abilities.orders_take_time, abilities.has_line_webhooks) == (
        False,
        True,
        False,
    )


async def test_a_number_is_ordered_where_its_countrys_lines_are(several: SeveralWorld) -> None:
    await several.numbers.order(NUMBER, LINE)
    assert await several.numbers.order(BRITISH, OTHER_LINE) == PENDING
    assert (len(several.fake.numbers), len(several.other.orders)) == (1, 1)
    await several.other.decide()
    held = await several.numbers.held_for(OTHER_LINE)
    assert held is not None
    assert held.number == BRITISH
    assert await several.numbers.search(GB, area_code=None, contains=None, capabilities=SMS, limit=3) == []
    assert (
        len(await several.numbers.search(US, area_code=None, contains=None, capabilities=SMS, limit=3)) == 3
    )


async def test_what_was_ordered_elsewhere_that_day_is_found(several: SeveralWorld) -> None:
    """The setting may change between an order and its answer: nothing is bought twice for that."""
    await several.fake.order(NUMBER, LINE)
    several.numbers.countries = {US: "other"}  # type: ignore[attr-defined]
    found = await several.numbers.find_order(NUMBER, LINE)
    assert found is not None
    assert found.ref is not None
    assert await several.numbers.owns(found.ref, LINE)
    several.fake.outage = True
    with pytest.raises(CarrierUnavailable):
        await several.numbers.find_order(NUMBER, LINE)


async def test_of_two_orders_one_that_may_yet_be_filled_counts_before_a_refusal(
    several: SeveralWorld,
) -> None:
    several.fake.refused.add((BRITISH, LINE))
    refused = await several.numbers.find_order(BRITISH, LINE)
    assert refused == NumberOrder.failed(OrderFailure.TAKEN)
    await several.other.order(BRITISH, LINE)
    assert await several.numbers.find_order(BRITISH, LINE) == PENDING
    several.numbers.countries = {}  # type: ignore[attr-defined]
    assert await several.numbers.find_order(BRITISH, LINE) == PENDING


@pytest.mark.parametrize(
    ("ref", "owner"),
    [
        (None, 1),
        ("SM1", 1),
        ("two", 1),
        ("two:1", 2),
        ("three:two:1", 3),
        ("one:1", 1),
        ("four:1", 1),
        ("", 1),
    ],
)
def test_a_reference_says_whose_it_is(ref: str | None, owner: int) -> None:
    given = None if ref is None else CarrierRef(ref)
    assert owner_of(given, {"one": 1, "two": 2, "three": 3}) == owner


# ------------------------------------------------------------------------------------------------------- copies


async def received(carrier: MemoryCarrier, prefix: str = "") -> CarrierRef:
    """Have a carrier hold a copy under a reference with this prefix."""
    ref = await carrier.receive(PEER, NUMBER, BODY)
    held = carrier.messages.pop(ref)
    named = CarrierRef(f"{prefix}{ref}")
    carrier.messages[named] = type(held)(named, held.sender, held.to, held.body, held.status, held.at)
    return named


@pytest.fixture
def copies() -> tuple[EveryCarrier, MemoryCarrier, MemoryCarrier]:
    first, second = MemoryCarrier(lambda: START), MemoryCarrier(lambda: START)
    second.message_abilities = MessageAbilities(can_list=True, messages_live_for=timedelta(hours=30))
    return EveryCarrier({"memory": first, "second": second}), first, second


async def test_copies_are_listed_looked_up_and_deleted_where_they_are(
    copies: tuple[EveryCarrier, MemoryCarrier, MemoryCarrier],
) -> None:
    every, first, second = copies
    bare, named = await received(first), await received(second, "second:")
    assert await every.list_message_refs(NUMBER) == [bare, named]
    for ref in (bare, named):
        found = await every.look_up(ref)
        assert found is not None
        assert (found.ref, found.status) == (ref, Status.RECEIVED)
    await every.delete_copy(bare)
    assert await every.look_up(bare) is None
    assert first.calls.count("delete_copy") == 1


async def test_a_copy_that_nobody_deletes_is_too_young_until_it_is_gone(
    copies: tuple[EveryCarrier, MemoryCarrier, MemoryCarrier],
) -> None:
    every, _, second = copies
    named = await received(second, "second:")
    with pytest.raises(TooEarly) as early:
        await every.delete_copy(named)
    assert early.value.retry_after == timedelta(days=1)
    assert "delete_copy" not in second.calls, "it is not asked for what it does not offer"
    second.messages.clear()
    await every.delete_copy(named)


async def test_nothing_is_sent_or_fetched_for_an_account_as_a_whole(
    copies: tuple[EveryCarrier, MemoryCarrier, MemoryCarrier],
) -> None:
    every, first, _ = copies
    abilities = every.message_abilities
    assert abilities.can_delete_copies
    assert abilities.can_list
    assert {abilities.can_find_by_pair, abilities.carries_media} == {False}
    assert not abilities.sends_idempotent_for
    assert abilities.messages_live_for == timedelta(hours=30)
    for ask in (every.send(MESSAGE, NUMBER, PEER, BODY), every.find_by_pair(NUMBER, PEER, BODY, START)):
        assert isinstance(await error_of(ask), CarrierUnsupported)
    with pytest.raises(CarrierUnsupported):
        every.fetch_media(CarrierRef("x"), 0)
    assert first.calls == []


# ---------------------------------------------------------------------------------------------- calls and recordings


class SeveralVoices(MemoryVoiceWorld):
    """The fake behind the port for several, beside one that has nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.voice = EveryVoice({"memory": self.fake, "telnyx": NoRecords(lambda: self.now)})


class NoRecords(MemoryVoiceCarrier):
    """A carrier that lists calls and deletes no record of one."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(now)
        self.voice_abilities = VoiceAbilities(can_list_calls=True)


class TestSeveralVoices(VoiceCarrierContract):
    @pytest.fixture
    def world(self) -> SeveralVoices:
        return SeveralVoices()


class SeveralRecordings(RecordingsInMemory):
    def __init__(self) -> None:
        super().__init__()
        both = {"memory": self.fake, "telnyx": MemoryRecordings()}
        self.recordings, self.transcriber = EveryRecordings(both), EveryTranscriber(both)


class TestSeveralRecordings(RecordingsContract):
    @pytest.fixture
    def world(self) -> SeveralRecordings:
        return SeveralRecordings()


async def test_a_record_at_a_carrier_that_deletes_none_is_too_young_until_it_shows_no_more() -> None:
    other = NoRecords(lambda: START)
    both = EveryVoice({"memory": MemoryVoiceCarrier(lambda: START), "telnyx": other})
    ref = CarrierRef("telnyx:1")
    other.records[ref] = CallRecord(ref, PEER, NUMBER, START)
    with pytest.raises(TooEarly):
        await both.delete_record(ref)
    del other.records[ref]
    await both.delete_record(ref)


def test_what_one_of_several_does_not_put_into_writing_is_not_promised() -> None:
    one, other = MemoryRecordings(), MemoryRecordings()
    other.declines = lambda *_: TranscriptAbsence.TOO_LONG  # type: ignore[method-assign]
    other.patience = timedelta(hours=3)
    both = EveryTranscriber({"one": one, "telnyx": other})
    assert one.declines(Locale("en"), timedelta(1)) is not None
    assert both.declines(Locale("en"), timedelta(seconds=5)) is TranscriptAbsence.TOO_LONG
    assert both.patience == timedelta(hours=3)
