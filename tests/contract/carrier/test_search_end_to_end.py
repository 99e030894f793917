"""A search from the API's door to Twilio's simulator: by country, area code, pattern and capabilities, with prices."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bootstrap.worlds import InMemory
from domain.money import Money
from domain.values import Country
from tests.support.actors import sign_up
from tests.support.twilio_world import TwilioWorld


@pytest.mark.parametrize(
    ("query", "begins", "holds", "can", "price"),
    [
        ("country=US", "+1", "", set(), {"amount": 115, "currency": "USD"}),
        ("country=GB", "+44", "", set(), None),
        ("country=GB&capabilities=sms", "+447700900", "", {"sms"}, None),
        ("country=US&area_code=415", "+1415", "", set(), {"amount": 115, "currency": "USD"}),
        ("country=US&contains=5550143", "+1", "5550143", set(), {"amount": 115, "currency": "USD"}),
        ("country=US&area_code=646&contains=01*9&capabilities=mms,voice", "+164655501", "", {"mms", "voice"},
         {"amount": 115, "currency": "USD"}),
    ],
)  # fmt: skip
async def test_each_way_to_search_narrows_what_is_found(
    query: str, begins: str, holds: str, can: set[str], price: object
) -> None:
    async with TwilioWorld().running() as twilio:
        world = InMemory(numbers=replace(twilio.numbers, prices={Country("US"): Money(115, "USD")}))
        ada = await sign_up(world)
        async with world.http() as client:
            answer = await client.ask("GET", f"/v1/available-numbers?{query}&limit=5", token=ada.token)
    assert answer.status == 200
    items = answer.json["items"]
    assert len(items) == 5
    for item in items:
        assert item["number"].startswith(begins)
        assert holds in item["number"]
        assert can <= set(item["capabilities"])
        assert item["price"] == price


@pytest.mark.parametrize(
    "query",
    ["country=GB&capabilities=mms", "country=GB&area_code=415", "country=US&contains=99999", "country=IL"],
)
async def test_what_nothing_fits_is_an_empty_page(query: str) -> None:
    async with TwilioWorld().running() as twilio:
        world = InMemory(numbers=twilio.numbers)
        ada = await sign_up(world)
        async with world.http() as client:
            answer = await client.ask("GET", f"/v1/available-numbers?{query}", token=ada.token)
    assert (answer.status, answer.json["items"]) == (200, [])
