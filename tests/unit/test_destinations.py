"""Whom a line can send to: what numbering plans and the carrier rule out is refused, and nothing is queued."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import phonenumbers
import pytest

from adapters.outbound.system.numbering import PhonenumbersPlan
from bootstrap.worlds import InMemory
from domain.destinations import Destination, EmergencyNumber, UnreachableNumber
from domain.lines import LineNotActive
from domain.values import Country, Peer, PhoneNumber
from tests.support.actors import with_line

PLAN = PhonenumbersPlan()


@pytest.mark.parametrize(
    ("to", "country", "expected"),
    [
        ("+12025550143", "US", Destination.NUMBER),
        ("+15555550123", "US", Destination.NUMBER),  # 555 is for films and tests
        ("+15005550001", "US", Destination.NUMBER),  # Twilio's own tests
        ("+18005550199", "CA", Destination.NUMBER),
        ("+447700900461", "US", Destination.NUMBER),
        ("+393331234567", "US", Destination.NUMBER),
        ("+870773111632", "US", Destination.NUMBER),  # a satellite's
        ("72345", "US", Destination.SHORT_CODE),
        ("741741", "CA", Destination.SHORT_CODE),
        ("60800", "GB", Destination.SHORT_CODE),
        ("988", "US", Destination.SHORT_CODE),
        ("911", "US", Destination.EMERGENCY),
        ("911", "GB", Destination.EMERGENCY),
        ("112", "US", Destination.EMERGENCY),
        ("112", "DE", Destination.EMERGENCY),
        ("110", "DE", Destination.EMERGENCY),
        ("999", "GB", Destination.EMERGENCY),
        ("999", "US", Destination.EMERGENCY),
        ("000", "AU", Destination.EMERGENCY),
        ("9110", "US", Destination.EMERGENCY),  # what follows is not waited for
        ("5550178", "US", Destination.NOBODY),  # local: it lacks its area code
        ("12345678", "US", Destination.NOBODY),
        ("+266696687", "US", Destination.NOBODY),  # too short for Lesotho
        ("+1202555014", "US", Destination.NOBODY),
        ("+120255501433", "US", Destination.NOBODY),
        ("+12125551", "US", Destination.NOBODY),  # possible within an area only
        ("+11025550143", "US", Destination.NOBODY),  # no area code begins with 1
        ("+19115550143", "US", Destination.NOBODY),  # nor is 911 one
        ("+12020550143", "US", Destination.NOBODY),
        ("+999123456789", "US", Destination.NOBODY),  # no country has it
        ("+8612345678901", "US", Destination.NUMBER),
        ("72345", "XX", Destination.NOBODY),
        ("PICO BANK", "US", Destination.NOBODY),
        ("", "US", Destination.NOBODY),
    ],
)
def test_a_destination_is_judged_from_the_lines_country(to: str, country: str, expected: Destination) -> None:
    assert PhonenumbersPlan().destination(Peer(to), Country(country)) is expected


@pytest.mark.parametrize(
    ("to", "error"),
    [
        ("911", EmergencyNumber),
        ("112", EmergencyNumber),
        ("5550178", UnreachableNumber),
        ("+266696687", UnreachableNumber),
        ("+12025550143", UnreachableNumber),  # the line's own number
    ],
)
async def test_what_cannot_be_reached_is_refused_and_leaves_nothing(
    world: InMemory, to: str, error: type[Exception]
) -> None:
    ada = await with_line(world)
    before = await world.store.count_rows(ada.id)
    with pytest.raises(error):
        await ada.sends("help", Peer(to), key="k")
    assert await world.store.count_rows(ada.id) == before
    await ada.sends("help", key="k")


async def test_a_short_code_is_reached_where_the_carrier_declares_so(world: InMemory) -> None:
    ada = await with_line(world)
    await ada.sends("VOTE", Peer("72345"), key="k")
    world.carrier.message_abilities = replace(world.carrier.message_abilities, reaches_short_codes=False)
    await ada.sends("VOTE", Peer("72345"), key="k")  # the same request: it was accepted
    with pytest.raises(UnreachableNumber):
        await ada.sends("VOTE", Peer("72345"))


async def test_a_line_that_is_given_up_says_so_first(world: InMemory) -> None:
    ada = await with_line(world)
    await world.use_cases.release_line(ada.id, ada.line_id)
    with pytest.raises(LineNotActive):
        await ada.sends("help", Peer("911"))


def test_a_number_of_north_america_is_what_the_library_makes_of_it() -> None:
    random = Random(1)
    for area in range(200, 1_000):
        number = PhoneNumber(f"+1{area}{random.randrange(200, 1_000)}{random.randrange(10_000):04}")
        parsed = phonenumbers.parse(number)
        region = phonenumbers.region_code_for_number(parsed) or "US"
        assert PLAN.country(number) == (region if region.isalpha() else None), number
        known = PLAN.destination(Peer(number), Country("US")) is Destination.NUMBER
        assert not known or phonenumbers.is_possible_number(parsed), number
        assert known is (number[3:5] != "11"), number
