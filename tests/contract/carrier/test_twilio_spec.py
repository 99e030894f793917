"""The simulator against Twilio's OpenAPI document, operation by operation; and the check against itself."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from yarl import URL

from pico_testkit.contracts.carrier import BODY, NUMBER, OTHER_NUMBER, PEER
from tests.support.twilio_spec import Exchange, Specification, twilio_specification
from tests.support.twilio_world import ACCOUNT, TOKEN, TwilioWorld

ROOT = f"/2010-04-01/Accounts/{ACCOUNT}"
SERVED = {
    "ListAvailablePhoneNumberLocal",
    "ListAvailablePhoneNumberMobile",
    "ListAvailablePhoneNumberTollFree",
    "ListIncomingPhoneNumber",
    "CreateIncomingPhoneNumber",
    "FetchIncomingPhoneNumber",
    "UpdateIncomingPhoneNumber",
    "DeleteIncomingPhoneNumber",
    "ListMessage",
    "CreateMessage",
    "FetchMessage",
    "UpdateMessage",
    "DeleteMessage",
}


@pytest.fixture
def spec() -> Specification:
    return twilio_specification()


@pytest.fixture
async def world() -> AsyncIterator[TwilioWorld]:
    async with TwilioWorld().running() as world:
        yield world


async def ask(world: TwilioWorld, method: str, path: str, /, **form: str) -> tuple[int, Any]:
    """Ask as a plain HTTP client would."""
    headers = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
    async with world.session.request(
        method, URL(f"{world.api_url}{ROOT}{path}", encoded=True), data=form or None, headers=headers
    ) as answer:
        return answer.status, json.loads(await answer.read() or "null")


async def test_every_operation_answers_as_the_document_says(world: TwilioWorld, spec: Specification) -> None:
    for search in (
        "US/Local.json?AreaCode=202&PageSize=3",
        "GB/Mobile.json",
        "US/TollFree.json?Contains=%2B1800",
    ):
        status, found = await ask(world, "GET", f"/AvailablePhoneNumbers/{search}")
        assert status == 200
        assert found["available_phone_numbers"]
    _, number = await ask(world, "POST", "/IncomingPhoneNumbers.json", PhoneNumber=NUMBER)
    await ask(world, "POST", "/IncomingPhoneNumbers.json", PhoneNumber=OTHER_NUMBER)
    at = f"/IncomingPhoneNumbers/{number['sid']}.json"
    _, changed = await ask(world, "POST", at, FriendlyName="x", SmsUrl="https://pico.example/sms#rc=1")
    assert (changed["friendly_name"], changed["sms_url"]) == ("x", "https://pico.example/sms#rc=1")
    assert (await ask(world, "GET", at))[1] == changed
    await ask(world, "GET", "/IncomingPhoneNumbers.json?PageSize=1&Page=1")
    _, text = await ask(world, "POST", "/Messages.json", From=NUMBER, To=PEER, Body=BODY)
    await world.settle()
    await ask(world, "GET", f"/Messages.json?From=%2B{NUMBER[1:]}&DateSent%3E=2027-03-01&PageSize=5")
    at_text = f"/Messages/{text['sid']}.json"
    assert (await ask(world, "GET", at_text))[1]["body"] == BODY
    assert (await ask(world, "POST", at_text, Body=""))[1]["body"] == ""
    assert (await ask(world, "DELETE", at_text))[0] == 204
    assert (await ask(world, "DELETE", at))[0] == 204
    for gone in (
        ("GET", at),
        ("DELETE", at_text),
        ("GET", "/Messages/none.json"),
        ("GET", "/AvailablePhoneNumbers/ZZ/Local.json"),
    ):
        assert (await ask(world, *gone))[1]["code"] == 20404
    assert [complaint for exchange in world.exchanges for complaint in spec.complaints(exchange)] == []
    assert {spec.operation(exchange)["operationId"] for exchange in world.exchanges} == SERVED


def message_answer(**changes: object) -> bytes:
    """A list of one message that the document accepts, but for `changes`."""
    example = twilio_specification().document["components"]["schemas"]["api.v2010.account.message"][
        "properties"
    ]
    message = {**dict.fromkeys(example), "status": "queued", "direction": "inbound", **changes}
    return json.dumps({"messages": [message], "page": 0}).encode()


@pytest.mark.parametrize(
    ("exchange", "complaint"),
    [
        (Exchange("GET", URL("http://t/elsewhere")), "no operation"),
        (Exchange("PUT", URL(f"http://t{ROOT}/Messages.json")), "no operation"),
        (Exchange("GET", URL(f"http://t{ROOT}/Messages.json?PageSize=0")), "minimum"),
        (Exchange("GET", URL(f"http://t{ROOT}/Messages.json?Sender=x")), "Sender"),
        (Exchange("POST", URL(f"http://t{ROOT}/Messages.json"), b"From=%2B1"), "To"),
        (Exchange("POST", URL(f"http://t{ROOT}/Messages.json"), b"To=1&Text=x"), "Text"),
        (Exchange("POST", URL(f"http://t{ROOT}/IncomingPhoneNumbers.json"), b"SmsMethod=PUT"), "PUT"),
        (
            Exchange("POST", URL(f"http://t{ROOT}/IncomingPhoneNumbers.json"), b"VoiceCallerIdLookup=yes"),
            "boolean",
        ),
        (Exchange("POST", URL(f"http://t{ROOT}/Messages.json"), b"To=1", 200, b"{}"), "status 200"),
        (Exchange("DELETE", URL(f"http://t{ROOT}/Messages/SM1.json"), b"", 204, b"x"), "body"),
        (Exchange("GET", URL(f"http://t{ROOT}/Messages.json"), b"", 404, b'{"message": "x"}'), "error"),
        (Exchange("GET", URL(f"http://t{ROOT}/Messages.json"), b"", 200, message_answer(extra=1)), "extra"),
        (Exchange("GET", URL(f"http://t{ROOT}/Messages.json"), b"", 200, message_answer(sid="X1")), "X1"),
        (
            Exchange(
                "GET", URL(f"http://t{ROOT}/Messages.json"), b"", 200, message_answer(status="on its way")
            ),
            "way",
        ),
        (
            Exchange("GET", URL(f"http://t{ROOT}/Messages.json"), b"", 200, message_answer(date_sent="2027")),
            "2027",
        ),
        (Exchange("GET", URL(f"http://t{ROOT}/Messages.json"), b"", 200, b'{"messages": [{}]}'), "sid"),
    ],
)
def test_the_check_sees_what_is_wrong(spec: Specification, exchange: Exchange, complaint: str) -> None:
    assert complaint in "".join(spec.complaints(exchange))


def test_the_check_passes_what_is_right(spec: Specification) -> None:
    right = Exchange("GET", URL(f"http://t{ROOT}/Messages.json"), b"", 200, message_answer(error_code=30003))
    assert spec.complaints(right) == []
