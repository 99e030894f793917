"""Telnyx's webhooks: only what Telnyx signed, not long ago, and of that only what Pico keeps."""

from __future__ import annotations

import json
import os
import random
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from structlog.testing import capture_logs

from adapters.inbound.http_io import Webhooks
from adapters.inbound.webhooks.telnyx import TelnyxSignature, TelnyxWebhooks
from adapters.inbound.webhooks.telnyx.events import Event, inbound_message
from adapters.outbound.memory.system import HandClock
from adapters.outbound.telnyx.answers import ref_of
from adapters.outbound.telnyx.signature import public_key, sign
from adapters.outbound.telnyx.vocabulary import outcome_of
from application.ports.store import StoreUnavailable
from bootstrap.worlds import InMemory
from domain.kernel import AccountId, CarrierRef
from domain.messages import Status
from tests.support.http_world import OURS, PUBLIC_URL, STRANGER, Answer, HttpWorld
from tests.support.telnyx_events import BEFORE, EXPECTED, PATH, requests, sample_world, samples

SHUFFLES = int(os.environ.get("PICO_SHUFFLES", "8"))
"""Orders in which the samples are played, on top of their own and its reverse."""
KEY, OTHER_KEY = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
CANARY = "c4n4ry-7f3e"


def signed_by_either(world: InMemory) -> Webhooks:
    signature = TelnyxSignature([public_key(KEY), public_key(OTHER_KEY)], world.clock.now)
    return TelnyxWebhooks(world.use_cases, signature, outcome_of, ref_of, PUBLIC_URL)


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running(InMemory(clock=HandClock(BEFORE)), also=signed_by_either) as world:
        yield world


def event(kind: str = "message.received", query: str = "", **payload: Any) -> dict[str, Any]:
    """Return an event about a message from a stranger to a line of ours."""
    about: dict[str, Any] = {
        "record_type": "message",
        "id": "40385f64-5717-4562-b3fc-2c963f66afa6",
        "direction": "inbound",
        "from": {"phone_number": STRANGER, "carrier": CANARY, "line_type": CANARY},
        "to": [{"phone_number": OURS, "status": "webhook_delivered", "carrier": "Telnyx"}],
        "text": "hello",
        "media": [],
        "errors": [],
        "received_at": "2026-11-23T00:00:00.000+00:00",
    }
    return {
        "data": {
            "event_type": kind,
            "id": "e-1",
            "occurred_at": "2026-11-23T00:00:00+00:00",
            "payload": about | payload,
        },
        "meta": {"attempt": 1, "delivered_to": f"{PUBLIC_URL}{PATH}{query}"},
    }


async def deliver(
    http: HttpWorld,
    said: object,
    *,
    key: Ed25519PrivateKey = KEY,
    off: float = 0,
    raw: bytes | None = None,
    path: str = PATH,
    **headers: str,
) -> Answer:
    """Post what Telnyx says, signed `off` seconds from now."""
    body = json.dumps(said).encode() if raw is None else raw
    timestamp = str(int(http.world.clock.now().timestamp() + off))
    signed = {"telnyx-timestamp": timestamp, "telnyx-signature-ed25519": sign(key, timestamp, body)}
    return await http.call("POST", path, raw=body, headers=signed | headers)


def forbidden(answer: Answer) -> bool:
    return (answer.status, answer.body) == (403, b"forbidden\n")


async def bodies(http: HttpWorld, token: str) -> list[str]:
    """Return what every message of the person says."""
    found = []
    for chat in (await http.call("GET", "/v1/conversations", token=token)).json["items"]:
        page = await http.call("GET", f"/v1/conversations/{chat['id']}/messages", token=token)
        found += [each["body"] for each in page.json["items"]]
    return found


# ------------------------------------------------------------------------------------------------------- samples


async def test_every_sample_is_taken_and_those_about_calls_change_nothing() -> None:
    async with sample_world() as held:
        for sample in samples()["events"]:
            assert await held.post(sample["headers"], sample["raw_body"].encode()) == (204, b"")
        assert await held.state() == EXPECTED


async def test_the_samples_end_the_same_in_order_reversed_shuffled_and_repeated() -> None:
    """Any order ends the same; `PICO_SHUFFLES` says how many are tried."""
    in_order, seed = requests(), random.randrange(1 << 32)
    chance = random.Random(seed)
    orders = [in_order, in_order[::-1]]
    orders += [chance.sample(in_order * 2, 2 * len(in_order)) for _ in range(SHUFFLES)]
    for number, order in enumerate(orders):
        async with sample_world() as held:
            assert {await held.post(*request) for request in order} == {(204, b"")}
            assert await held.state() == EXPECTED, f"order {number} of seed {seed}"


@pytest.mark.parametrize("off", [-301, 301, 3600])
async def test_a_sample_is_refused_outside_its_window(off: int) -> None:
    async with sample_world() as held:
        before, (headers, body) = await held.state(), requests()[0]
        wanted = datetime.fromtimestamp(int(headers["telnyx-timestamp"]) + off, UTC)
        held.world.clock._now = wanted  # back, too
        assert await held.post(headers, body) == (403, b"forbidden\n")
        assert await held.state() == before


# --------------------------------------------------------------------------------------------------- the signature


@pytest.mark.parametrize("off", [-300, 0, 300])
@pytest.mark.parametrize("key", [KEY, OTHER_KEY])
async def test_either_key_counts_while_they_are_rotated_within_five_minutes(
    http: HttpWorld, key: Ed25519PrivateKey, off: float
) -> None:
    token = await http.person()
    await http.line(token)
    assert (await deliver(http, event(), key=key, off=off)).status == 204
    assert await bodies(http, token) == ["hello"]


def altered() -> dict[str, dict[str, Any]]:
    good, now = json.dumps(event()).encode(), str(int(BEFORE.timestamp()))
    signature = sign(KEY, now, good)
    as_sent = {"telnyx-timestamp": now, "telnyx-signature-ed25519": signature}
    return {
        "no signature": {"telnyx-signature-ed25519": ""},
        "signature of nothing": {"telnyx-signature-ed25519": "AAAA"},
        "signature not Base64": {"telnyx-signature-ed25519": "é" + signature},
        "signature cut": {"telnyx-signature-ed25519": signature[:-4]},
        "signature with more behind it": {"telnyx-signature-ed25519": signature + "AAAA"},
        "another key": {
            "telnyx-signature-ed25519": sign(Ed25519PrivateKey.from_private_bytes(bytes(32)), now, good)
        },
        "another time": as_sent | {"telnyx-timestamp": str(int(now) + 1)},
        "no time": as_sent | {"telnyx-timestamp": ""},
        "time with a sign": as_sent | {"telnyx-timestamp": f"+{now}"},
        "time in other digits": as_sent | {"telnyx-timestamp": "١٧٩٥٣٩٢٠٠٠"},
        "time with a fraction": as_sent | {"telnyx-timestamp": f"{now}.0"},
        "time without end": as_sent | {"telnyx-timestamp": "9" * 400},
    }


@pytest.mark.parametrize("headers", altered().values(), ids=altered().keys())
async def test_what_telnyx_did_not_sign_is_403_and_leaves_nothing(
    headers: dict[str, Any], http: HttpWorld
) -> None:
    token = await http.person()
    await http.line(token)
    with capture_logs() as events:
        assert forbidden(await deliver(http, event(), **headers))
    assert events == []
    assert await bodies(http, token) == []


async def test_the_bytes_are_verified_as_they_came(http: HttpWorld) -> None:
    """The same JSON in other bytes is not what was signed; nor is it read again after it was verified."""
    token = await http.person()
    await http.line(token)
    body = json.dumps(event()).encode()
    timestamp = str(int(http.world.clock.now().timestamp()))
    headers = {"telnyx-timestamp": timestamp, "telnyx-signature-ed25519": sign(KEY, timestamp, body)}
    for other in (body + b" ", json.dumps(event(), indent=1).encode(), body.replace(b"hello", b"hellO")):
        assert forbidden(await http.call("POST", PATH, raw=other, headers=headers))
    spaced = json.dumps(event(text="שלום 🗝️"), indent=2, ensure_ascii=False).encode()
    assert (await deliver(http, None, raw=spaced)).status == 204
    assert await bodies(http, token) == ["שלום 🗝️"]


@pytest.mark.parametrize(
    "keys", [[], [""], ["AAAA"], [public_key(KEY), "not a key"], [b64encode(bytes(33)).decode()]]
)
def test_without_a_key_nothing_starts(keys: list[str]) -> None:
    with pytest.raises(ValueError, match="public key"):
        TelnyxSignature(keys, HandClock().now)


# -------------------------------------------------------------------------------------------------- what is kept


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"null", b"{}", b'{"data": 1}', b'{"data": {}}', b"\xff", b'{"data": {"payload": {}}}',
     b'{"data": {"payload": {}, "event_type": "message.received"}}', b'{"data": NaN}', b"[" * 60_000],
)  # fmt: skip
async def test_what_was_signed_and_makes_no_sense_is_400(http: HttpWorld, raw: bytes) -> None:
    answer = await deliver(http, None, raw=raw)
    assert (answer.status, answer.body) == (400, b"malformed\n")


async def test_a_kind_of_event_that_is_new_is_taken_and_dropped(http: HttpWorld) -> None:
    token = await http.person()
    await http.line(token)
    assert (await deliver(http, event("message.frobnicated"))).status == 204
    assert await bodies(http, token) == []


async def test_a_message_belongs_to_the_line_that_the_signed_address_names(http: HttpWorld) -> None:
    token = await http.person()
    line = await http.line(token)
    assert (await deliver(http, event(query=f"?line={UUID(int=7)}", text="to a former owner"))).status == 204
    assert (
        await deliver(http, event(query=f"?line={line}"), path=f"{PATH}?line={UUID(int=7)}")
    ).status == 204
    assert await bodies(http, token) == ["hello"], "what stands in the address that is called is not signed"


@pytest.mark.parametrize("address", ["https://evil.example/webhooks/telnyx?line={}", "?line={}", "", None, 7])
def test_an_address_that_is_not_ours_names_nothing(address: object) -> None:
    said = event()
    said["meta"] = {"delivered_to": address.format(UUID(int=7)) if isinstance(address, str) else address}
    read = Event.read(json.dumps(said).encode())
    message = inbound_message(read, ref_of, f"{PUBLIC_URL}{PATH}")
    assert message is not None
    assert message.line_id is None


async def test_a_message_from_before_the_lease_is_dropped(http: HttpWorld) -> None:
    token = await http.person()
    await http.line(token)
    assert (await deliver(http, event(received_at="2026-11-20T00:00:00+00:00"))).status == 204
    assert await bodies(http, token) == []


async def test_of_a_groups_message_only_our_own_number_counts(http: HttpWorld) -> None:
    token = await http.person()
    await http.line(token)
    others = {"phone_number": "+12125550111", "status": "unknown"}
    to = [others, {"phone_number": OURS, "status": "webhook_delivered"}]
    assert (await deliver(http, event(to=to))).status == 204
    assert await bodies(http, token) == ["hello"]


async def test_a_picture_is_counted_and_its_address_never_called(http: HttpWorld) -> None:
    token = await http.person()
    await http.line(token)
    media = [{"url": f"http://127.0.0.1:{http.port}/{CANARY}", "content_type": "image/png"}]
    assert (await deliver(http, event(media=media, text=None))).status == 204
    [chat] = (await http.call("GET", "/v1/conversations", token=token)).json["items"]
    page = await http.call("GET", f"/v1/conversations/{chat['id']}/messages", token=token)
    [message] = page.json["items"]
    shown = (await http.call("GET", f"/v1/messages/{message['id']}", token=token)).json
    assert (shown["body"], len(shown["media"])) == ("", 1)


async def test_a_receipt_that_overtakes_the_answer_finds_its_message_by_the_signed_address(
    http: HttpWorld,
) -> None:
    token = await http.person()
    line = await http.line(token)
    http.world.carrier.lose_answers = 1
    said = {"to": STRANGER, "body": "hi"}
    sent = await http.call("POST", f"/v1/lines/{line}/messages", said, token=token, headers=http.key())
    await http.world.settle()
    report = event(
        "message.finalized",
        f"?message={sent.json['id']}",
        direction="outbound",
        **{"from": {"phone_number": OURS}, "to": [{"phone_number": STRANGER, "status": "delivered"}]},
    )
    assert (await deliver(http, report)).status == 204
    shown = await http.call("GET", f"/v1/messages/{sent.json['id']}", token=token)
    assert shown.json["status"] == Status.DELIVERED
    me = AccountId(UUID((await http.call("GET", "/v1/account", token=token)).json["id"]))
    async with http.world.store.begin(me) as tx:
        found = await tx.messages.by_ref(CarrierRef("telnyx:40385f64-5717-4562-b3fc-2c963f66afa6"))
    assert found is not None


def test_nothing_that_comes_unasked_is_kept() -> None:
    said = json.dumps(event(tags=[CANARY], subject=CANARY, organization_id=CANARY)).encode()
    message = inbound_message(Event.read(said), ref_of, f"{PUBLIC_URL}{PATH}")
    assert message is not None
    assert {CANARY} & {str(getattr(message, field.name)) for field in fields(message)} == set()


async def test_what_cannot_be_stored_now_is_to_come_again(
    http: HttpWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await http.person()
    await http.line(token)

    async def away(*_: object) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(type(http.world.store), "update", away)
        answer = await deliver(http, event())
    assert (answer.status, answer.body) == (503, b"not now\n")
    assert (await deliver(http, event())).status == 204
    assert await bodies(http, token) == ["hello"]


async def test_an_order_is_a_hint_after_which_the_provider_is_asked(http: HttpWorld) -> None:
    http.world.carrier.orders_wait = True
    token = await http.person()
    http.offer()
    bought = await http.call("POST", "/v1/lines", {"number": OURS}, token=token, headers=http.key())
    assert bought.json["state"] == "ordering"
    ordered = event("number_order.complete", phone_numbers=[{"phone_number": OURS, "status": "success"}])
    assert (await deliver(http, ordered)).status == 204
    path = f"/v1/lines/{bought.json['id']}"
    assert (await http.call("GET", path, token=token)).json["state"] == "ordering", (
        "what it says is not believed"
    )
    http.world.carrier.decide()
    assert (await deliver(http, ordered)).status == 204
    assert (await http.call("GET", path, token=token)).json["state"] == "active"
    http.world.carrier.outage = True
    assert (await deliver(http, ordered)).status == 204, "and no outage has Telnyx call again"
