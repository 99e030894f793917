"""The simulated Twilio itself: what it calls back, what it remembers, and how it fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

import pytest

from adapters.outbound.twilio.simulator import Faults, TwilioSimulator, UnknownNumber
from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable
from application.ports.message_carrier import OptedOut, Unreachable
from application.ports.numbers import NumberOrder, OrderFailure
from domain.segments import segments_of
from domain.values import MessageBody, Peer, PhoneNumber
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
from tests.support.provider_files import sample_webhooks
from tests.support.twilio_world import ACCOUNT, TwilioWorld


@pytest.fixture
async def world() -> AsyncIterator[TwilioWorld]:
    """A world with one number bought."""
    async with TwilioWorld().running() as world:
        await world.numbers.order(NUMBER, LINE)
        yield world


def words(world: TwilioWorld) -> list[str]:
    return [hook.form["MessageStatus"] for hook in world.hooks if "MessageStatus" in hook.form]


# -------------------------------------------------------------------------------------------------- webhooks


async def test_a_message_that_comes_in_tells_what_twilio_tells(world: TwilioWorld) -> None:
    await world.receive(Peer("+13105550178"), NUMBER, "Hi, is the apartment still available?")
    [hook] = world.hooks
    sample = next(
        r
        for r in sample_webhooks("twilio_inbound_messages.json")["requests"]
        if r["name"] == "inbound_sms_us"
    )
    ours = {name: value for name, value in hook.form.items() if not name.endswith("Sid")}
    assert ours == {name: value for name, value in sample["form"].items() if not name.endswith("Sid")}
    assert hook.form.keys() == sample["form"].keys()
    assert sample["headers"].keys() <= hook.headers.keys()
    assert hook.headers["Content-Type"] == sample["headers"]["Content-Type"]
    assert "#" not in hook.url


@pytest.mark.parametrize(
    ("sender", "country"), [("+447700900123", "GB"), ("242733", None), ("PICOTEST", None)]
)
async def test_of_a_sender_abroad_only_the_country_is_told(
    world: TwilioWorld, sender: str, country: str | None
) -> None:
    await world.receive(Peer(sender), NUMBER, "")
    form = world.hooks[0].form
    assert (form.get("FromCountry"), form.get("FromCity") or "", form["ToCity"]) == (
        country,
        "",
        "WASHINGTON",
    )


async def test_statuses_come_in_order_as_twilio_words_them(world: TwilioWorld) -> None:
    await world.sent()
    assert words(world) == ["sending", "sent", "delivered"]
    samples = sample_webhooks("twilio_message_status_sequences.json")["sequences"]["delivered_in_order"]
    assert world.hooks[-1].form.keys() == samples[-1]["form"].keys()


@pytest.mark.parametrize(
    ("outcome", "error", "last"), [("undelivered", 30003, "30003"), ("failed", 0, None), ("sent", 0, None)]
)
async def test_a_message_may_end_otherwise(
    world: TwilioWorld, outcome: str, error: int, last: str | None
) -> None:
    world.simulator.faults.set({"outcome": outcome, "outcome_error": error})
    await world.sent()
    assert words(world)[-1] == outcome
    assert world.hooks[-1].form.get("ErrorCode") == last


async def test_a_refused_webhook_is_repeated_as_its_address_asks_then_lost(world: TwilioWorld) -> None:
    world.answers = [500, 404, 500]
    await world.receive(PEER, NUMBER, "third time lucky")
    assert len(world.hooks) == 4
    assert len({hook.token for hook in world.hooks}) == 1
    world.answers = [500] * 9
    await world.receive(PEER, NUMBER, "lost")
    assert len(world.hooks) == 8
    assert [body for _, _, body in world.inbox] == ["third time lucky"]


async def test_without_a_wish_a_refused_webhook_is_lost_at_once(world: TwilioWorld) -> None:
    [number] = world.simulator.holdings()["numbers"]
    number["sms_url"] = number["sms_url"].partition("#")[0]
    world.answers = [500]
    await world.receive(PEER, NUMBER, "lost")
    assert len(world.hooks) == 1


async def test_duplicates_carry_the_same_token(world: TwilioWorld) -> None:
    world.simulator.faults.set({"duplicate": 2})
    await world.receive(PEER, NUMBER, "again and again")
    assert len(world.inbox) == 3
    assert len({hook.token for hook in world.hooks}) == 1
    assert len({hook.form["MessageSid"] for hook in world.hooks}) == 1


async def test_webhooks_can_be_reordered_dropped_and_delayed(world: TwilioWorld) -> None:
    world.simulator.faults.set({"reorder": True})
    await world.sent()
    assert words(world) == ["delivered", "sent", "sending"]
    world.simulator.faults.set({"reorder": False, "drop": True})
    await world.sent(OTHER_MESSAGE)
    assert len(world.hooks) == 3
    world.simulator.faults.set({"drop": False, "delay": 0.05})
    begun = asyncio.get_running_loop().time()
    await world.receive(PEER, NUMBER, "late")
    assert asyncio.get_running_loop().time() - begun >= 0.05


async def test_a_message_between_two_numbers_of_ours_arrives_with_a_sid_of_its_own(
    world: TwilioWorld,
) -> None:
    await world.numbers.order(OTHER_NUMBER, OTHER_LINE)
    sent = await world.carrier.send(MESSAGE, NUMBER, Peer(OTHER_NUMBER), BODY)
    await world.settle()
    assert world.inbox == [(NUMBER, OTHER_NUMBER, BODY)]
    [arrived] = [ref for ref in await world.carrier.list_message_refs(OTHER_NUMBER) if ref != sent.ref]
    await world.carrier.delete_copy(sent.ref)
    assert await world.carrier.look_up(arrived) is not None
    await world.carrier.send(OTHER_MESSAGE, OTHER_NUMBER, Peer(NUMBER), MessageBody("stop"))
    await world.settle()
    with pytest.raises(OptedOut):
        await world.carrier.send(MESSAGE, NUMBER, Peer(OTHER_NUMBER), BODY)


async def test_only_a_single_word_opts_out(world: TwilioWorld) -> None:
    await world.receive(PEER, NUMBER, "please stop by at 6")
    await world.sent()


async def test_nobody_can_message_a_number_that_is_not_ours(world: TwilioWorld) -> None:
    with pytest.raises(UnknownNumber):
        await world.receive(PEER, OTHER_NUMBER, BODY)


# -------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("+15005550002", 21612),
        ("+15005550003", 21408),
        ("+15005550009", 21614),
        ("PICOTEST", 21211),
        ("72345", 21265),
        (NUMBER, 21211),
    ],
)
async def test_test_destinations_are_out_of_reach(world: TwilioWorld, to: str, code: int) -> None:
    with pytest.raises(Unreachable) as refused:
        await world.carrier.send(MESSAGE, NUMBER, Peer(to), BODY)
    assert refused.value.provider_code == code


async def test_test_numbers_are_sold_as_twilio_documents(world: TwilioWorld) -> None:
    for number, code in (("+15005550000", 21422), ("+15005550001", 21421), ("+12125551234", 21422)):
        assert (await world.numbers.order(PhoneNumber(number), LINE)).provider_code == code
    assert await world.bought(PhoneNumber("+15005550006"), OTHER_LINE)


async def test_a_body_too_long_is_refused(world: TwilioWorld) -> None:
    with pytest.raises(CarrierRefused) as refused:
        await world.carrier.send(MESSAGE, NUMBER, PEER, MessageBody("x" * 1601))
    assert refused.value.provider_code == 21617


async def test_a_code_of_ones_choice_refuses_every_write(world: TwilioWorld) -> None:
    world.simulator.faults.set({"refuse": 30029})
    for _ in range(2):
        with pytest.raises(CarrierRefused) as refused:
            await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
        assert refused.value.provider_code == 30029
    assert await world.numbers.find_order(NUMBER, LINE) is not None


async def test_counting_knobs_count_down(world: TwilioWorld) -> None:
    world.simulator.faults.set({"lose_answer": 1, "number_taken": 1})
    taken = await world.numbers.order(OTHER_NUMBER, OTHER_LINE)
    assert taken == NumberOrder.failed(OrderFailure.TAKEN, 21422)
    with pytest.raises(CarrierUnavailable):
        await world.numbers.order(OTHER_NUMBER, OTHER_LINE)
    assert await world.numbers.find_order(OTHER_NUMBER, OTHER_LINE) is not None
    assert world.simulator.faults == Faults()


@pytest.mark.parametrize(
    "knobs",
    [{"outages": True}, {"outage": 1}, {"rate_limit": True}, {"delay": "1"}, {"outage": True, "x": 1}],
)
def test_an_unknown_knob_turns_nothing(knobs: dict[str, object]) -> None:
    faults = Faults()
    with pytest.raises(ValueError, match="knob"):
        faults.set(knobs)
    assert faults == Faults()


def test_knobs_are_json() -> None:
    faults = Faults()
    faults.set({"delay": 1, "outcome": "sent"})
    assert json.loads(json.dumps(asdict(faults))) == asdict(faults)


# ---------------------------------------------------------------------------------------------------- memory


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in folder.iterdir()}


async def test_a_number_has_the_same_sid_for_its_next_owner_and_tells_nothing(world: TwilioWorld) -> None:
    first = await world.numbers.find_order(NUMBER, LINE)
    assert first is not None
    assert first.ref is not None
    await world.numbers.release(first.ref, LINE)
    assert await world.bought(NUMBER, OTHER_LINE) == first.ref
    elsewhere = TwilioSimulator(account_sid=ACCOUNT, auth_token="another", now=lambda: world.now)
    assert elsewhere._account.buy({"PhoneNumber": NUMBER})["sid"] != first.ref, (
        "keyed: no list of numbers undoes it"
    )


async def test_every_change_is_on_disk_before_it_is_answered(tmp_path: Path) -> None:
    file = tmp_path / "twilio.json"
    async with TwilioWorld(state_file=file, pace=60).running() as world:
        bought = await world.numbers.order(NUMBER, LINE)
        sent = await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
        ref = await world.receive(PEER, NUMBER, "STOP")
        killed = json.loads(file.read_text("utf-8"))  # what a kill -9 at this very moment leaves
        assert (file.stat().st_mode & 0o777) == 0o600
    again = tmp_path / "again.json"
    again.write_text(json.dumps(killed), "utf-8")
    async with TwilioWorld(state_file=again).running() as world:
        assert await world.numbers.find_order(NUMBER, LINE) == bought
        assert set(await world.carrier.list_message_refs(NUMBER)) == {sent.ref, ref}
        with pytest.raises(OptedOut):
            await world.carrier.send(OTHER_MESSAGE, NUMBER, PEER, BODY)


async def test_what_a_killed_process_owed_is_sent_by_the_next(tmp_path: Path) -> None:
    file = tmp_path / "twilio.json"
    async with TwilioWorld(state_file=file, pace=60).running() as world:
        await world.numbers.order(NUMBER, LINE)
        await world.numbers.order(OTHER_NUMBER, OTHER_LINE)
        await world.carrier.send(MESSAGE, NUMBER, Peer(OTHER_NUMBER), BODY)
        former = world.public_url
    async with TwilioWorld(state_file=file).running() as world:
        world.simulator.move_webhooks(former[:-1], "http://elsewhere.example")
        world.simulator.move_webhooks(former, world.public_url)
        [text] = world.simulator._account.state.messages.values()
        assert text.owed
        world.simulator.resume()
        await world.settle()
        assert words(world) == ["sending", "sent", "delivered"]
        assert world.inbox == [(NUMBER, OTHER_NUMBER, BODY)]
        world.simulator.resume()
        await world.settle()
        assert len(world.hooks) == 4, "nothing is owed twice"
        assert world.public_url in file.read_text("utf-8")
        text.owed = True  # killed after the text was handed over, before its last report was heard
        world.simulator.resume()
        await world.settle()
        assert words(world)[3:] == ["delivered"]
        assert len(world.inbox) == 1


async def test_what_is_deleted_leaves_memory_and_file(tmp_path: Path) -> None:
    file = tmp_path / "twilio.json"
    async with TwilioWorld(state_file=file).running() as world:
        owned = await world.bought()
        await world.sent()
        await world.receive(PEER, NUMBER, "STOP")
        secrets = [NUMBER[1:], PEER[1:], "bring the keys", owned, str(MESSAGE)]
        assert all(secret in file.read_text("utf-8") for secret in secrets)
        for ref in await world.carrier.list_message_refs(NUMBER):
            await world.carrier.delete_copy(ref)
        assert "bring the keys" not in file.read_text("utf-8")
        await world.numbers.release(owned, LINE)
        assert not any(world.simulator.holdings().values())
        [everything] = contents(tmp_path).values()
        assert not any(secret in everything for secret in secrets)


async def test_the_file_is_whole_at_every_moment(tmp_path: Path) -> None:
    file = tmp_path / "twilio.json"
    async with TwilioWorld(state_file=file).running() as world:
        await world.numbers.order(NUMBER, LINE)
        before = file.stat().st_ino
        with file.open() as reader:
            await world.sent()
            assert json.loads(reader.read())["messages"] == {}, "an open file is never written over"
        assert file.stat().st_ino != before
        assert contents(tmp_path).keys() == {file.name}


def test_segments_are_counted_as_twilio_counts() -> None:
    for request in sample_webhooks("twilio_inbound_messages.json")["requests"]:
        count = segments_of(MessageBody(request["form"]["Body"])).count
        assert str(count) == request["form"]["NumSegments"], request["name"]


async def test_stopping_waits_for_no_webhook() -> None:
    async with asyncio.timeout(5), TwilioWorld().running() as world:
        await world.numbers.order(NUMBER, LINE)
        world.simulator.faults.set({"delay": 60})
        await world.carrier.send(MESSAGE, NUMBER, PEER, BODY)
        await asyncio.sleep(0)
