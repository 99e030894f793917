"""The Twilio adapter: the one contract over the simulator's wire, and what only this adapter promises."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
import types
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from adapters.outbound.twilio.api import LONGEST_LIST
from adapters.outbound.twilio.messages import TwilioMessages
from adapters.outbound.twilio.numbers import TwilioNumbers, capabilities_of
from adapters.outbound.twilio.vocabulary import SETTLES_AFTER, STATUSES, Gone, NotForSale, failure, status_of
from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable
from application.ports.message_carrier import OptedOut, SenderRefused, TooEarly, Unreachable
from application.ports.numbers import NumberOrder, OrderFailure
from domain.failures import FailureReason
from domain.kernel import CarrierRef
from domain.messages import Status
from domain.values import Capability, Country, MessageBody, PhoneNumber
from pico_testkit.contracts.carrier import BODY, LINE, MESSAGE, NUMBER, PEER, SMS, START
from pico_testkit.contracts.messages import MessageCarrierContract, every_message_method
from pico_testkit.contracts.numbers import NumberProviderContract, every_number_method
from tests.support.provider_files import is_there, specification
from tests.support.twilio_spec import DOCUMENT, Exchange, Specification, twilio_specification
from tests.support.twilio_world import TwilioWorld

TEXT, OWNED = CarrierRef(f"SM{'a' * 32}"), CarrierRef(f"PN{'a' * 32}")


@pytest.fixture(scope="module")
def spec() -> Specification:
    return twilio_specification()


def is_content(exchange: Exchange) -> bool:
    """Tell whether a picture itself was asked for: the document describes what is JSON."""
    path = exchange.url.path
    return path.startswith("/content/") or ("/Media/" in path and not path.endswith(".json"))


@pytest.fixture
async def world() -> AsyncIterator[TwilioWorld]:
    """Each promise is checked by what comes of it, and every exchange by Twilio's document where that is at hand."""
    async with TwilioWorld().running() as world:
        yield world
    if is_there(DOCUMENT):
        document = twilio_specification()
        told = [exchange for exchange in world.exchanges if not is_content(exchange)]
        assert [complaint for exchange in told for complaint in document.complaints(exchange)] == []


@pytest.fixture
def no_documents(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A fresh checkout has none; a test that skipped for it fails here."""
    monkeypatch.setenv("PICO_SPECS", str(tmp_path))
    monkeypatch.setenv("CI", "true")


@pytest.mark.usefixtures("no_documents")
async def test_the_adapter_is_tested_without_the_vendors_documents(world: TwilioWorld) -> None:
    await world.numbers.order(NUMBER, LINE)
    assert await world.sent()


class TestTwilioNumbers(NumberProviderContract):
    @pytest.fixture
    def world(self, world: TwilioWorld) -> TwilioWorld:
        return world


class TestTwilioMessages(MessageCarrierContract):
    @pytest.fixture
    def world(self, world: TwilioWorld) -> TwilioWorld:
        return world


# ----------------------------------------------------------------------------------------------- what is asked


async def test_a_purchase_and_a_message_name_their_webhooks_with_retries(world: TwilioWorld) -> None:
    await world.numbers.order(NUMBER, LINE)
    [number] = world.simulator.holdings()["numbers"]
    assert number["sms_url"] == f"{world.public_url}/webhooks/twilio/sms?line={LINE}#rc=3&rp=all"
    assert (number["sms_method"], number["friendly_name"]) == ("POST", f"pico-{LINE}")
    assert world.paths() == ["IncomingPhoneNumbers.json"], "set in the purchase itself: no text is ever lost"
    await world.sent()
    assert {hook.url for hook in world.hooks} == {
        f"{world.public_url}/webhooks/twilio/message-status?message={MESSAGE}"
    }


async def test_lists_are_read_to_their_end(world: TwilioWorld) -> None:
    await world.numbers.order(NUMBER, LINE)
    refs = [await world.receive(PEER, NUMBER, str(n)) for n in range(5)]
    assert sorted(await world.carrier.list_message_refs(NUMBER)) == sorted(refs)
    assert [e.url.query["Page"] for e in world.exchanges if "Page" in e.url.query] == ["1", "2"]


async def test_a_number_is_not_taken_for_one_it_is_part_of(world: TwilioWorld) -> None:
    await world.numbers.order(NUMBER, LINE)
    assert await world.numbers.find_order(PhoneNumber(NUMBER[:-1]), LINE) is None


async def test_outside_north_america_mobile_numbers_come_first_and_area_codes_mean_nothing(
    world: TwilioWorld,
) -> None:
    gb, voice = Country("GB"), frozenset({Capability.VOICE})
    found = await world.numbers.search(gb, area_code=None, contains=None, capabilities=voice, limit=1002)
    assert [offer.number[:6] for offer in (found[0], found[-1])] == ["+44770", "+44207"]
    assert len(found) == 1002
    assert await world.numbers.search(gb, area_code="20", contains=None, capabilities=voice, limit=5) == []


async def test_numbers_that_need_an_address_on_file_are_not_offered(world: TwilioWorld) -> None:
    assert (
        await world.numbers.search(Country("FR"), area_code=None, contains=None, capabilities=SMS, limit=5)
        == []
    )
    order = await world.numbers.order(PhoneNumber("+33639980042"), LINE)
    assert order == NumberOrder.failed(OrderFailure.REFUSED, 21631)


async def test_a_message_that_has_not_left_is_found_and_cannot_be_purged_yet() -> None:
    async with TwilioWorld(pace=60).running() as world:
        await world.numbers.order(NUMBER, LINE)
        sent = await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
        assert await world.carrier.find_by_pair(NUMBER, PEER, BODY, world.now) == [sent]
        with pytest.raises(TooEarly) as early:
            await world.carrier.delete_copy(sent.ref)
        assert early.value.retry_after == SETTLES_AFTER == timedelta(seconds=60)


async def test_a_clock_a_little_ahead_of_twilios_loses_no_message(world: TwilioWorld) -> None:
    await world.numbers.order(NUMBER, LINE)
    sent = await world.sent()
    assert [
        s.ref for s in await world.carrier.find_by_pair(NUMBER, PEER, BODY, START + timedelta(seconds=20))
    ] == [sent]


async def test_a_message_that_fails_says_why(world: TwilioWorld) -> None:
    await world.numbers.order(NUMBER, LINE)
    world.simulator.faults.set({"outcome": "undelivered", "outcome_error": 30003})
    found = await world.carrier.look_up(await world.sent())
    assert found is not None
    assert (found.status, found.failure) == (Status.FAILED, FailureReason.UNREACHABLE)


def test_twilio_offers_what_the_policy_says_of_it() -> None:
    """H5, H19: its copies are deleted; H9: it is asked again; none of them holds for a carrier that cannot."""
    abilities = TwilioMessages.message_abilities
    assert abilities.can_delete_copies
    assert abilities.can_list
    assert abilities.can_find_by_pair
    assert not abilities.sends_idempotent_for
    assert abilities.copy_settles_after == SETTLES_AFTER
    assert not TwilioNumbers.number_abilities.orders_take_time
    assert TwilioNumbers.number_abilities.has_line_webhooks


# ---------------------------------------------------------------------------------------------- words


def test_every_status_of_twilio_has_a_meaning(spec: Specification) -> None:
    words = set(spec.document["components"]["schemas"]["message_enum_status"]["enum"])
    assert words - STATUSES.keys() == {"partially_delivered"}, "deprecated"
    assert status_of("partially_delivered") is None
    assert {word for word in words if status_of(word) is Status.FAILED} == {
        "undelivered",
        "failed",
        "canceled",
    }


def test_every_error_twilio_documents_has_its_meaning() -> None:
    meanings = {
        "NumberUnavailable": NotForSale,
        "RecipientOptedOut": OptedOut,
        "InvalidSender": SenderRefused,
        "NotFound": Gone,
        **dict.fromkeys(("InvalidDestination", "Unreachable", "DestinationNotAllowed"), Unreachable),
        **dict.fromkeys(("NotYetDeletable", "NotReady"), TooEarly),
        **dict.fromkeys(("RateLimited", "ProviderUnavailable", "ProviderAuthError"), CarrierUnavailable),
    }
    seen = 0
    for entry in specification("twilio_errors.json")["errors"]:
        if entry["where"] == "rest" and entry["port_error"] != "Conflict":
            error = failure(entry["http"] or 400, entry["code"])
            ours_to_mend = CarrierUnavailable if entry["http"] in {401, 403} else CarrierRefused
            assert type(error) is meanings.get(entry["port_error"], ours_to_mend), entry
            assert getattr(error, "provider_code", entry["code"]) == entry["code"]
            seen += 1
    assert seen > 40


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (400, 99999, CarrierRefused),
        (403, None, CarrierUnavailable),
        (401, 20003, CarrierUnavailable),
        (404, None, Gone),
        (429, None, CarrierUnavailable),
        (503, 99999, CarrierUnavailable),
        (502, None, CarrierUnavailable),
        (302, None, CarrierUnavailable),
        (400, 20429, CarrierUnavailable),
        (500, 21610, OptedOut),
    ],
)
def test_a_code_decides_and_else_the_status(status: int, code: int | None, meaning: type[Exception]) -> None:
    assert type(failure(status, code)) is meaning


def test_capability_keys_come_in_either_case() -> None:
    assert capabilities_of({"voice": True, "SMS": True, "MMS": False, "fax": True}) == {
        Capability.VOICE,
        Capability.SMS,
    }
    assert capabilities_of(None) == frozenset()


# ---------------------------------------------------------------------------------------------- the line


@asynccontextmanager
async def twilio_that(
    answers: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> AsyncIterator[TwilioWorld]:
    """Stand a handler of one's own in Twilio's place."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answers)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    async with TwilioWorld().running() as world:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        world.api_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        world.connect()
        try:
            yield world
        finally:
            await runner.cleanup()


async def test_reads_are_tried_again_and_writes_never(world: TwilioWorld) -> None:
    await world.numbers.order(NUMBER, LINE)
    world.simulator.faults.set({"rate_limit": 2})
    assert await world.numbers.find_order(NUMBER, LINE) is not None
    assert len(world.paths("GET")) == 3
    world.simulator.faults.set({"rate_limit": 3})
    with pytest.raises(CarrierUnavailable):
        await world.numbers.find_order(NUMBER, LINE)
    assert len(world.paths("GET")) == 6
    world.exchanges.clear()
    for ask in (
        world.carrier.send(MESSAGE, NUMBER, PEER, BODY),
        world.carrier.delete_copy(TEXT),
    ):
        world.simulator.faults.set({"rate_limit": 1})
        with pytest.raises(CarrierUnavailable):
            await ask
    assert len(world.exchanges) == 2
    assert await world.carrier.list_message_refs(NUMBER) == []


async def test_a_refused_read_is_not_tried_again(world: TwilioWorld) -> None:
    assert not await world.numbers.owns(OWNED, LINE)
    assert len(world.exchanges) == 1


async def test_a_lost_connection_is_no_answer(world: TwilioWorld) -> None:
    world.simulator.faults.set({"unreachable": True})
    for ask in every_number_method(world.numbers, OWNED) + every_message_method(world.carrier, TEXT):
        with pytest.raises(CarrierUnavailable) as raised:
            await ask
        assert raised.value.__context__ is None


async def test_nobody_listening_is_no_answer(world: TwilioWorld) -> None:
    world.connect(api_url="http://127.0.0.1:1")
    with pytest.raises(CarrierUnavailable):
        await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
    world.exchanges.clear()


async def test_silence_is_cut_short() -> None:
    async def silent(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async with twilio_that(silent) as world:
        world.connect(total_timeout=0.05)
        begun = time.monotonic()
        with pytest.raises(CarrierUnavailable):
            await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
        assert time.monotonic() - begun < 5


async def test_a_wish_to_wait_is_granted_up_to_a_point() -> None:
    came: list[float] = []
    wish = "1"

    async def busy(_: web.Request) -> web.Response:
        came.append(time.monotonic())
        return web.Response(status=503, headers={"Retry-After": wish} if len(came) == 1 else {})

    async with twilio_that(busy) as world:
        with pytest.raises(CarrierUnavailable):
            await world.numbers.owns(OWNED, LINE)
        assert came[1] - came[0] >= 1
        assert len(came) == 3
        came.clear()
        wish = "3600"
        with pytest.raises(CarrierUnavailable):
            await world.numbers.owns(OWNED, LINE)
        assert len(came) == 1


@pytest.mark.parametrize("status", [200, 201, 500])
@pytest.mark.parametrize("body", ["<html>", "[]", '{"code": "x"}', "{}"])
async def test_an_answer_that_cannot_be_read_is_no_certain_answer(status: int, body: str) -> None:
    async def odd(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    async with twilio_that(odd) as world:
        with pytest.raises(CarrierUnavailable) as raised:
            await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
        assert raised.value.__context__ is None
        with pytest.raises(CarrierUnavailable):
            await world.numbers.order(NUMBER, LINE)


async def test_a_listed_copy_says_how_many_attachments_it_has(world: TwilioWorld) -> None:
    await world.bought()
    ref = await world.receive(PEER, NUMBER, "")
    world.simulator._account.state.messages[ref].resource["num_media"] = "2"
    [copy] = await world.carrier.list_copies(NUMBER)
    assert (copy.attachments, copy.body) == (2, "")


async def test_a_list_without_end_is_cut() -> None:
    pages = 0

    async def endless(request: web.Request) -> web.Response:
        nonlocal pages
        pages += 1
        listed = [message_like(f"SM{pages:032x}") for _ in range(500)]
        return web.json_response({"messages": listed, "next_page_uri": f"{request.path}?Page={pages}"})

    async with twilio_that(endless) as world:
        assert len(await world.carrier.list_copies(NUMBER)) == LONGEST_LIST
    assert pages == 2 * LONGEST_LIST // 500, "what was sent, and what came in"


def message_like(sid: str) -> dict[str, object]:
    """Return a message as Twilio lists it, cut down to what is read of it."""
    return {
        "sid": sid, "direction": "inbound", "status": "received", "from": PEER, "to": NUMBER, "body": "",
        "num_media": "0", "date_created": "Mon, 01 Mar 2027 12:00:00 +0000", "error_code": None,
    }  # fmt: skip


async def test_an_answer_without_end_is_cut_short() -> None:
    written = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal written
        answer = web.StreamResponse()
        await answer.prepare(request)
        with suppress(ConnectionError):
            while written < 600 << 20:
                await answer.write(b"x" * (1 << 16))
                written += 1 << 16
        return answer

    async with twilio_that(endless) as world:
        with pytest.raises(CarrierUnavailable):
            await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
    assert written < 32 << 20


async def test_our_credentials_follow_no_redirect() -> None:
    paths: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.Response(
            status=302 if len(paths) == 1 else 200, text="{}", headers={"Location": "/elsewhere"}
        )

    async with twilio_that(elsewhere) as world:
        with pytest.raises(CarrierUnavailable):
            await world.carrier.delete_copy(TEXT)
    assert len(paths) == 1


async def test_wrong_credentials_give_nothing_up(world: TwilioWorld) -> None:
    world.connect(auth_token="wrong")
    with pytest.raises(CarrierUnavailable):
        await world.numbers.order(NUMBER, LINE)


async def test_the_environment_does_not_redirect_requests(
    world: TwilioWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    world.connect()
    await world.bought()


# ---------------------------------------------------------------------------------------------- privacy


async def test_nothing_is_logged_about_anybody(world: TwilioWorld, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await world.numbers.order(NUMBER, LINE)
    await world.sent()
    await world.receive(PEER, NUMBER, BODY)
    await world.carrier.find_by_pair(NUMBER, PEER, BODY, START)
    for secret in (NUMBER, PEER, BODY):
        assert secret.removeprefix("+") not in caplog.text


async def test_the_adapter_keeps_no_message(world: TwilioWorld) -> None:
    await world.numbers.order(NUMBER, LINE)
    await world.carrier.send(MESSAGE, NUMBER, PEER, MessageBody("kept by the SDK's own client"))
    held = reachable(world.carrier, beyond=world.session)
    assert any(isinstance(value, TwilioMessages) for value in held)
    assert not any("kept by the SDK" in value for value in held if isinstance(value, str))


def reachable(root: object, *, beyond: object) -> list[object]:
    """Collect whatever an object holds on to, except through `beyond`, modules and code."""
    seen, found, left = {id(beyond)}, [], [root]
    while left:
        value = left.pop()
        if id(value) not in seen and not isinstance(value, type | types.ModuleType | types.FunctionType):
            seen.add(id(value))
            found.append(value)
            left += gc.get_referents(value)
    return found
