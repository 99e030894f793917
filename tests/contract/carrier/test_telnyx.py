"""The Telnyx adapter: the one contract over the simulator's wire, and what only this adapter promises."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import aiohttp
import pytest

from adapters.outbound.telnyx.content import MEDIA_HOSTS, TelnyxContent
from adapters.outbound.telnyx.simulator import Faults
from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable
from application.ports.message_carrier import MediaGone, MediaUnfit, OptedOut, SenderRefused, Unreachable
from application.ports.numbers import PENDING, NumberOrder, OrderFailure
from domain.failures import FailureReason
from domain.kernel import CarrierRef, LineId
from domain.messages import Status
from domain.values import MessageBody, PhoneNumber
from pico_testkit.contracts.carrier import (
    BODY,
    LINE,
    MESSAGE,
    NUMBER,
    OTHER_LINE,
    OTHER_MESSAGE,
    OTHER_NUMBER,
    PEER,
)
from pico_testkit.contracts.messages import MessageCarrierContract, fetched
from pico_testkit.contracts.numbers import NumberProviderContract
from tests.support.telnyx_world import TelnyxWorld


@pytest.fixture
async def world() -> AsyncIterator[TelnyxWorld]:
    async with TelnyxWorld().running() as world:
        yield world


class TestTelnyxNumbers(NumberProviderContract):
    @pytest.fixture
    def world(self, world: TelnyxWorld) -> TelnyxWorld:
        return world


class TestTelnyxMessages(MessageCarrierContract):
    @pytest.fixture
    def world(self, world: TelnyxWorld) -> TelnyxWorld:
        return world


# ------------------------------------------------------------------------------------------ a line's own profile


async def test_a_line_has_a_profile_of_its_own_whose_webhooks_name_it(world: TelnyxWorld) -> None:
    await world.bought()
    [profile] = world.simulator.state.profiles.values()
    assert profile["webhook_url"] == f"{world.public_url}/webhooks/telnyx?line={LINE}"
    assert profile["smart_encoding"] is profile["mms_fall_back_to_sms"] is False, "no word is rewritten"
    assert profile["url_shortener_settings"] is profile["number_pool_settings"] is None
    [number] = world.simulator.holdings()["numbers"]
    assert (number["customer_reference"], number["messaging_profile_id"]) == (f"pico-{LINE}", profile["id"])


async def test_a_stop_to_one_line_says_nothing_about_another(world: TelnyxWorld) -> None:
    """In a profile that lines share it would, and whoever sends from the other would learn of it."""
    await world.bought()
    await world.bought(OTHER_NUMBER, OTHER_LINE)
    await world.receive(PEER, NUMBER, "STOP")
    with pytest.raises(OptedOut):
        await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
    sent = await world.carrier.send(OTHER_MESSAGE, OTHER_NUMBER, PEER, BODY)
    assert sent.status is Status.QUEUED


async def test_a_stop_goes_with_the_line_it_was_said_to(world: TelnyxWorld) -> None:
    owned = await world.bought()
    await world.receive(PEER, NUMBER, "STOP")
    await world.numbers.release(owned, LINE)
    assert (world.simulator.state.profiles, world.simulator.holdings()["opted_out"]) == ({}, [])
    await world.bought(NUMBER, OTHER_LINE)
    assert (await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)).status is Status.QUEUED


async def test_a_profile_whose_answer_was_lost_is_found_and_not_made_twice(world: TelnyxWorld) -> None:
    world.simulator.faults.set({"lose_profile": 1})
    with pytest.raises(CarrierUnavailable):
        await world.numbers.order(NUMBER, LINE)
    assert await world.numbers.find_order(NUMBER, LINE) is None, "nothing was ordered"
    await world.bought()
    assert len(world.simulator.state.profiles) == 1


async def test_a_number_is_known_by_its_profile_should_its_reference_be_gone(world: TelnyxWorld) -> None:
    owned = await world.bought()
    [number] = world.simulator.state.numbers.values()
    number["customer_reference"] = None
    assert await world.numbers.owns(owned, LINE)
    assert await world.holds(NUMBER, LINE)
    assert not await world.numbers.owns(owned, OTHER_LINE)


async def test_a_number_that_was_just_bought_and_does_not_show_yet_is_pending(world: TelnyxWorld) -> None:
    await world.numbers.order(NUMBER, LINE)
    world.now += timedelta(days=3)  # it waited for papers
    await world.settle()
    world.simulator.state.numbers.clear()
    assert await world.numbers.find_order(NUMBER, LINE) == PENDING, (
        "nothing is ordered twice for a list that lags"
    )
    world.now += timedelta(minutes=6)
    assert await world.numbers.find_order(NUMBER, LINE) is None


async def test_numbers_are_listed_whole_or_not_at_all(
    world: TelnyxWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    owned = await world.bought()
    await world.bought(OTHER_NUMBER, OTHER_LINE)
    await world.bought(PhoneNumber("+13125550100"), LineId(UUID(int=3)))
    assert len(await world.numbers.list_numbers()) == 3
    [number] = [n for n in world.simulator.state.numbers.values() if n["phone_number"] == NUMBER]
    number["customer_reference"] = "renamed by hand"
    assert {one.ref: one.line_id for one in await world.numbers.list_numbers()}[owned] == LINE
    for profile in world.simulator.state.profiles.values():
        profile["webhook_url"] = "https://elsewhere.example/webhooks/telnyx?line=1"
    assert not any(one.reaches_us for one in await world.numbers.list_numbers())
    number["messaging_profile_id"] = None
    assert {one.ref: one.line_id for one in await world.numbers.list_numbers()}[owned] is None
    monkeypatch.setattr("adapters.outbound.telnyx.numbers.LONGEST_INVENTORY", 2)
    with pytest.raises(CarrierUnavailable):
        await world.numbers.list_numbers()


@pytest.mark.parametrize("status", ["purchase-pending", "requirement-info-pending"])
async def test_a_number_that_waits_for_something_is_pending(world: TelnyxWorld, status: str) -> None:
    owned = await world.bought()
    [number] = world.simulator.state.numbers.values()
    number["status"] = status
    assert await world.numbers.find_order(NUMBER, LINE) == PENDING
    assert not await world.numbers.owns(owned, LINE)


async def test_an_order_that_is_refused_says_why(world: TelnyxWorld) -> None:
    world.simulator.faults.set({"number_taken": 1})
    assert await world.ordered() == NumberOrder.failed(OrderFailure.TAKEN, 85006)
    world.now += timedelta(hours=1)
    refused = await world.numbers.order(PhoneNumber("+33639980042"), OTHER_LINE)
    assert refused == NumberOrder.failed(OrderFailure.REFUSED, 10002)


# ------------------------------------------------------------------------------------------------------ messages


async def test_a_message_is_sent_under_its_id_and_reported_to_its_own_address_only(
    world: TelnyxWorld,
) -> None:
    await world.bought()
    ref = await world.sent()
    again = await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
    assert again.ref == ref, "the same key and the same bytes are the same message"
    await world.settle()
    webhook = f"{world.public_url}/webhooks/telnyx?message={MESSAGE}"
    told = [(event["data"]["event_type"], event["meta"]["delivered_to"]) for event in world.events()]
    assert told == [("message.sent", webhook), ("message.finalized", webhook)]


async def test_a_key_that_was_used_with_other_bytes_is_no_refusal(world: TelnyxWorld) -> None:
    """A picture's address is another one at the next try: the message was sent, and is not to count as failed."""
    await world.bought()
    await world.sent()
    with pytest.raises(CarrierUnavailable):
        await world.carrier.send(MESSAGE, NUMBER, PEER, MessageBody("other words"))


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (40300, OptedOut),
        (40310, Unreachable),
        (40305, SenderRefused),
        (40322, CarrierRefused),
        (20100, CarrierUnavailable),
        (10009, CarrierUnavailable),
        (40312, CarrierUnavailable),
        (49999, CarrierUnavailable),
    ],
)
async def test_a_refusal_is_told_in_our_words(world: TelnyxWorld, code: int, error: type[Exception]) -> None:
    await world.bought()
    world.simulator.faults.set({"refuse": code})
    with pytest.raises(error) as raised:
        await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("outcome", "code", "status", "failure"),
    [
        ("delivery_failed", 40001, Status.FAILED, FailureReason.UNREACHABLE),
        ("delivery_failed", 40003, Status.FAILED, FailureReason.REJECTED),
        ("delivery_failed", 40008, Status.FAILED, FailureReason.UNKNOWN),
        ("sending_failed", 40010, Status.FAILED, FailureReason.UNSUPPORTED),
        ("expired", 0, Status.FAILED, FailureReason.CARRIER_OUTAGE),
        ("delivery_failed", 40300, Status.FAILED, FailureReason.OPTED_OUT),
        ("delivery_unconfirmed", 0, Status.UNCONFIRMED, None),
        ("something_new", 0, Status.QUEUED, None),
    ],
)
async def test_what_became_of_a_message_is_told_in_our_words(
    world: TelnyxWorld, outcome: str, code: int, status: Status, failure: FailureReason | None
) -> None:
    await world.bought()
    world.simulator.faults.set({"outcome": outcome, "outcome_error": code, "drop": True})
    found = await world.carrier.look_up(await world.sent())
    assert found is not None
    assert (found.status, found.failure) == (status, failure)


async def test_a_message_is_shown_and_listed_for_ten_days(world: TelnyxWorld) -> None:
    await world.bought()
    ref = await world.receive(PEER, NUMBER, BODY, [("image/gif", b"GIF89a")])
    world.now += timedelta(days=10)
    assert await world.carrier.list_message_refs(NUMBER) == [ref]
    world.now += timedelta(minutes=1)
    assert await world.carrier.look_up(ref) is None
    assert await world.carrier.list_message_refs(NUMBER) == []
    with pytest.raises(MediaGone):
        await fetched(world.carrier, ref, 0)


@pytest.mark.parametrize("ref", [f"SM{'a' * 32}", "telnyx:", "telnyx:../messages", "telnyx:a b", ""])
async def test_a_reference_that_is_not_telnyxs_is_asked_of_nobody(world: TelnyxWorld, ref: str) -> None:
    world.asked.clear()
    assert await world.carrier.look_up(CarrierRef(ref)) is None
    assert not await world.numbers.owns(CarrierRef(ref), LINE)
    assert world.asked == []


async def test_too_many_requests_are_waited_for_where_the_wait_is_short(world: TelnyxWorld) -> None:
    await world.bought()
    world.simulator.faults.set({"rate_limit": 2})
    assert await world.holds(NUMBER, LINE)


async def test_too_many_requests_are_passed_on_with_the_time_to_wait(world: TelnyxWorld) -> None:
    await world.bought()
    world.asked.clear()
    world.simulator.faults.set({"rate_limit": 1, "retry_after": 90})
    with pytest.raises(CarrierUnavailable) as slow:
        await world.carrier.look_up(CarrierRef("telnyx:any"))
    assert slow.value.retry_after == timedelta(seconds=90)
    world.simulator.faults.set({"rate_limit": 1, "retry_after": 10**9})
    with pytest.raises(CarrierUnavailable) as slow:
        await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
    assert slow.value.retry_after == timedelta(hours=1), "a wish is believed so far"
    assert [method for method, _ in world.asked] == ["GET", "POST"], "neither was tried again here"


@pytest.mark.parametrize("media", ["redirect", "elsewhere"])
async def test_a_picture_is_fetched_from_telnyxs_hosts_only(world: TelnyxWorld, media: str) -> None:
    await world.bought()
    ref = await world.receive(PEER, NUMBER, BODY, [("image/gif", b"GIF89a")])
    world.simulator.faults.set({"media": media})
    with pytest.raises(MediaUnfit):
        await fetched(world.carrier, ref, 0)
    assert not any("meta-data" in path or path == "/picture" for _, path in world.asked)


@pytest.mark.parametrize(
    "address",
    [
        "http://media.telnyx.com/a",
        "https://media.telnyx.com:8443/a",
        "https://media.telnyx.com.example/a",
        "https://media.telnyx.com@example.org/a",
        "https://us:er@media.telnyx.com/a",
        "//media.telnyx.com/a",
        "/a",
        "file:///etc/passwd",
        "",
    ],
)
async def test_no_other_address_passes_for_one_of_telnyxs(world: TelnyxWorld, address: str) -> None:
    content = TelnyxContent(world.session, MEDIA_HOSTS)
    assert content.own("https://media.telnyx.com/a").path == "/a"
    with pytest.raises(MediaUnfit):
        content.own(address)


async def test_a_picture_is_asked_for_without_credentials(world: TelnyxWorld) -> None:
    await world.bought()
    ref = await world.receive(PEER, NUMBER, BODY, [("image/gif", b"GIF89a")])
    sent: list[str | None] = []

    async def look(_session: object, _context: object, asked: aiohttp.TraceRequestStartParams) -> None:
        if asked.url.path.startswith("/media/"):
            sent.append(asked.headers.get("Authorization"))

    listening = aiohttp.TraceConfig()
    listening.on_request_start.append(look)
    async with aiohttp.ClientSession(trace_configs=[listening]) as world.session:
        world.connect()
        assert await fetched(world.carrier, ref, 0) == ("image/gif", b"GIF89a")
    assert sent == [None]


# ------------------------------------------------------------------------------------------------- the simulator


async def test_a_webhook_that_is_not_taken_is_tried_three_times_signed_anew(world: TelnyxWorld) -> None:
    await world.bought()
    world.answers = [500, 503]
    await world.receive(PEER, NUMBER, "third time lucky")
    assert [event["meta"]["attempt"] for event in world.events()] == [1, 2, 3]
    assert len(world.inbox) == 1
    world.answers = [500] * 3
    ref = await world.receive(PEER, NUMBER, "lost")
    assert len(world.inbox) == 1
    assert ref in await world.carrier.list_message_refs(NUMBER), "what reconciles takes it in"


async def test_the_simulator_survives_its_end(tmp_path: Path) -> None:
    file = tmp_path / "telnyx.json"
    async with TelnyxWorld(state_file=file, pace=60).running() as world:
        owned = await world.bought()
        ref = await world.receive(PEER, NUMBER, BODY, [("image/gif", b"GIF89a")])
        sent = await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
    assert file.stat().st_mode & 0o777 == 0o600
    async with TelnyxWorld(state_file=file).running() as again:
        again.simulator.move_webhooks(world.public_url, again.public_url)
        again.simulator.resume()
        await again.settle()
        assert await again.numbers.owns(owned, LINE)
        assert await fetched(again.carrier, ref, 0) == ("image/gif", b"GIF89a")
        assert again.receipts[-1] == (MESSAGE, sent.ref, Status.DELIVERED)
        again.connect(public_url=world.public_url)
        assert (await again.carrier.send(MESSAGE, NUMBER, PEER, BODY)).ref == sent.ref


def test_a_knob_there_is_not_is_named() -> None:
    with pytest.raises(ValueError, match="no such knob"):
        Faults().set({"outrage": True})
    with pytest.raises(ValueError, match="outage takes a value of type bool"):
        Faults().set({"outage": 1})


async def test_telnyx_says_that_another_carrier_took_a_number_over(world: TelnyxWorld) -> None:
    await world.bought()
    assert not await world.numbers.was_ported_out(NUMBER)
    world.simulator.port_out(NUMBER, "pending")
    assert not await world.numbers.was_ported_out(NUMBER)
    world.simulator.port_out(NUMBER)
    assert await world.numbers.was_ported_out(NUMBER)
    assert not await world.numbers.was_ported_out(OTHER_NUMBER)
    assert await world.numbers.find_order(NUMBER, LINE) is None
