"""Lines: bought, called by a name, told when not to disturb, and what cannot be sent from them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.outbound.system.entitlements import FixedPlan
from bootstrap.worlds import InMemory
from domain.entitlements import Plan
from domain.values import Capability, Country
from tests.support.http_world import STRANGER, HttpWorld

HOURS = {"starts": "22:00", "ends": "07:00", "time_zone": "Asia/Jerusalem"}


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running(sandbox=True) as world:
        yield world


async def test_a_line_is_labelled_as_its_person_writes(http: HttpWorld) -> None:
    token = await http.person()
    line = f"/v1/lines/{await http.line(token)}"
    for label in ("👨‍👩‍👧", "נועה", "نیم‌فاصله"):
        assert (await http.call("PATCH", line, {"label": label}, token=token)).json["label"] == label
    for label in ("\u200b", "a\x85b", "\u202ea", "a\u2069"):
        refused = await http.call("PATCH", line, {"label": label}, token=token)
        assert (refused.status, refused.flaws) == (422, {("/label", "invalid_label")})


async def test_a_line_that_carries_no_messages_says_so(http: HttpWorld) -> None:
    token = await http.person()
    voice = frozenset({Capability.VOICE})
    http.world.carrier.on_offer = [
        replace(offer, capabilities=voice) for offer in http.world.carrier.on_offer
    ]
    wanted = {"number": "+12025550144"}
    bought = await http.call("POST", "/v1/lines", wanted, token=token, headers=http.key("buy"))
    path = f"/v1/lines/{bought.json['id']}/messages"
    refused = await http.call(
        "POST", path, {"to": STRANGER, "body": "a"}, token=token, headers=http.key("voice")
    )
    assert (refused.status, refused.code) == (409, "line_without_messages")
    assert (await http.call("GET", "/v1/conversations", token=token)).json["items"] == []


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("911", "emergency_number"),
        ("112", "emergency_number"),
        ("5550178", "unreachable_number"),
        ("+266696687", "unreachable_number"),
    ],
)
async def test_what_no_message_can_reach_is_422(to: str, code: str, http: HttpWorld) -> None:
    token = await http.person()
    line = await http.line(token)
    answer = await http.call(
        "POST", f"/v1/lines/{line}/messages", {"to": to, "body": "help"}, token=token, headers=http.key()
    )
    assert (answer.status, answer.code) == (422, code)
    assert (await http.call("GET", "/v1/conversations", token=token)).json["items"] == []


async def test_an_open_order_is_202_however_often_it_is_asked_for(http: HttpWorld) -> None:
    token = await http.person()
    http.world.carrier.lose_answers = 1
    wanted = {"number": "+12025550144"}
    first = await http.call("POST", "/v1/lines", wanted, token=token, headers=http.key("buy"))
    again = await http.call("POST", "/v1/lines", wanted, token=token, headers=http.key("buy"))
    assert (first.status, first.json["state"]) == (202, "ordering")
    assert (again.status, again.body) == (202, first.body)
    assert [one.headers["Idempotency-Replayed"] for one in (first, again)] == ["false", "true"]
    await http.world.advance(timedelta(minutes=5))
    line = await http.call("GET", first.headers["Location"], token=token)
    last = await http.call("POST", "/v1/lines", wanted, token=token, headers=http.key("buy"))
    assert (last.status, last.body, line.json["state"]) == (201, line.body, "active")


async def test_a_number_is_bought_at_the_price_that_was_shown_or_not_at_all(http: HttpWorld) -> None:
    token = await http.person()
    (offer,) = (await http.call("GET", "/v1/available-numbers?country=US&limit=1", token=token)).json["items"]
    assert offer["price"] == {"amount": 115, "currency": "USD"}
    wanted = {"number": offer["number"], "price": offer["price"]}
    dear = wanted | {"price": {"amount": 114, "currency": "USD"}}
    refused = await http.call("POST", "/v1/lines", dear, token=token, headers=http.key("dear"))
    assert (refused.status, refused.code) == (409, "price_changed")
    bought = await http.call("POST", "/v1/lines", wanted, token=token, headers=http.key("buy"))
    assert bought.status == 201


async def test_past_the_plan_the_answer_says_so() -> None:
    fixed = FixedPlan(Plan(1, frozenset({Country("US")})))
    async with HttpWorld.running(InMemory(entitlements=fixed)) as http:
        token = await http.person()
        for number, status, code in (
            ("+12025550144", 201, None),
            ("+12025550145", 403, "line_limit_reached"),
            ("+442079460001", 403, "country_not_in_plan"),
        ):
            answer = await http.call(
                "POST", "/v1/lines", {"number": number}, token=token, headers=http.key(number)
            )
            assert (answer.status, answer.json.get("code")) == (status, code)


async def test_a_line_is_told_when_not_to_disturb(http: HttpWorld) -> None:
    token = await http.person()
    path = f"/v1/lines/{await http.line(token)}"
    before = (await http.call("GET", path, token=token)).json
    assert before["do_not_disturb"] is None
    for hours in (HOURS, HOURS | {"starts": "00:00", "ends": "24:00"}, None):
        changed = await http.call("PATCH", path, {"do_not_disturb": hours}, token=token)
        assert changed.json == before | {"do_not_disturb": hours}
        assert (await http.call("GET", path, token=token)).json == changed.json


@pytest.mark.parametrize(
    ("hours", "pointer", "code"),
    [
        (HOURS | {"starts": "24:00"}, "/do_not_disturb/starts", "malformed"),
        (HOURS | {"ends": "7:00"}, "/do_not_disturb/ends", "malformed"),
        (HOURS | {"ends": "22:00"}, "/do_not_disturb", "no_quiet_hours"),
        (HOURS | {"time_zone": "Europe"}, "/do_not_disturb/time_zone", "unknown_time_zone"),
        ({"starts": "22:00", "ends": "07:00"}, "/do_not_disturb/time_zone", "missing"),
        ("always", "/do_not_disturb", "wrong_type"),
    ],
)
async def test_hours_that_are_none_are_refused(
    http: HttpWorld, hours: object, pointer: str, code: str
) -> None:
    token = await http.person()
    path = f"/v1/lines/{await http.line(token)}"
    refused = await http.call("PATCH", path, {"do_not_disturb": hours}, token=token)
    assert (refused.status, refused.json["errors"]) == (422, [{"pointer": pointer, "code": code}])
