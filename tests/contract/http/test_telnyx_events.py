"""Telnyx's events about messages and orders, one by one: all that Pico keeps of them, and what it makes of odd ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from adapters.inbound.webhooks.answers import Malformed
from adapters.inbound.webhooks.telnyx.events import (
    Event,
    delivery_receipt,
    inbound_message,
    instant,
    ordered_numbers,
)
from adapters.outbound.telnyx.answers import ref_of
from adapters.outbound.telnyx.vocabulary import outcome_of
from application.inbound_messages import DeliveryReceipt, InboundMessage
from domain.failures import FailureReason
from domain.kernel import CarrierRef, LineId, MessageId
from domain.messages import Status
from domain.values import MessageBody, Peer, PhoneNumber

WEBHOOKS = "https://api.example/webhooks/telnyx"
OURS, THEIRS = PhoneNumber("+12025550143"), PhoneNumber("+13105550178")
ID = UUID(int=7)
AT = datetime(2027, 3, 1, 12, tzinfo=UTC)
EARLIER = datetime(2027, 3, 1, 11, tzinfo=UTC)


def event(query: str, **payload: Any) -> Event:
    about = {
        "id": "m-1", "from": {"phone_number": THEIRS}, "to": [{"phone_number": OURS, "status": "webhook_delivered"}],
        "text": "hello", "media": [{}, {}], "received_at": EARLIER.isoformat(),
    }  # fmt: skip
    return Event("message.received", about | payload, AT.isoformat(), f"{WEBHOOKS}{query}", "e-1")


def test_all_that_is_kept_of_a_message_that_came_in() -> None:
    kept = InboundMessage(
        ref=CarrierRef("telnyx:m-1"), to=OURS, sender=Peer(THEIRS), body=MessageBody("hello"), attachments=2,
        line_id=LineId(ID), received_at=EARLIER,
    )  # fmt: skip
    assert inbound_message(event(f"?line={ID}"), ref_of, WEBHOOKS) == kept
    for odd in ("", "?line=x", f"?line={ID}&line={ID}", f"?message={ID}"):
        assert inbound_message(event(odd), ref_of, WEBHOOKS) == InboundMessage(
            kept.ref, OURS, kept.sender, kept.body, attachments=2, received_at=EARLIER
        )
    bare = inbound_message(event("", media=None, text=None, received_at=None), ref_of, WEBHOOKS)
    assert bare == InboundMessage(kept.ref, OURS, kept.sender, MessageBody(""), received_at=AT)
    many = inbound_message(event("", media=[{}] * 100), ref_of, WEBHOOKS)
    assert many is not None
    assert many.attachments == 99
    halves = inbound_message(event("", text="a\ud800"), ref_of, WEBHOOKS)
    assert halves is not None
    assert halves.body == "a?"


@pytest.mark.parametrize(
    "odd", [{"to": [{"phone_number": 7}]}, {"to": [{"phone_number": "sip:x"}]}, {"id": "a/b"}]
)
def test_a_message_that_is_not_for_a_number_of_ours_is_none(odd: dict[str, Any]) -> None:
    assert inbound_message(event("", **odd), ref_of, WEBHOOKS) is None


@pytest.mark.parametrize(
    "odd",
    [{"to": []}, {"to": None}, {"to": ["x"]}, {"from": None}, {"from": {}}, {"from": {"phone_number": ""}},
     {"from": {"phone_number": 7}}, {"text": 7}],
)  # fmt: skip
def test_a_message_that_makes_no_sense_is_malformed(odd: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        inbound_message(event("", **odd), ref_of, WEBHOOKS)


def report(query: str, **payload: Any) -> DeliveryReceipt | None:
    about = {
        "from": {"phone_number": OURS},
        "to": [{"status": "delivery_failed"}],
        "errors": [{"code": "40001"}],
    }
    return delivery_receipt(event(query, **about | payload), ref_of, outcome_of, WEBHOOKS)


def test_all_that_is_kept_of_what_became_of_a_message() -> None:
    ref = CarrierRef("telnyx:m-1")
    kept = DeliveryReceipt(OURS, ref, MessageId(ID), Status.FAILED, FailureReason.UNREACHABLE)
    assert report(f"?message={ID}") == kept
    for code in (40001, "40001"):
        assert report(f"?message={ID}", errors=[{"code": code}, {"code": "1"}]) == kept
    of_no_code = outcome_of("delivery_failed", None)
    assert of_no_code is not None
    codes: list[object] = [None, True, "-1", "\u0664", "4000140001"]
    odd_errors: list[object] = [None, [], {}, ["x"], [{}], *([{"code": code}] for code in codes)]
    for errors in odd_errors:
        assert report("", errors=errors) == DeliveryReceipt(OURS, ref, None, *of_no_code)
    delivered = report("", to=[{"status": "delivered"}], errors=[])
    assert delivered == DeliveryReceipt(OURS, ref, None, Status.DELIVERED)
    for nothing in ({"to": [{"status": "new"}]}, {"from": {"phone_number": "x"}}, {"id": None}):
        assert report("", **nothing) is None
    malformed: list[dict[str, Any]] = [
        {"to": None}, {"to": []}, {"to": [{}]}, {"to": ["x"]}, {"from": {}}, {"from": None},
    ]  # fmt: skip
    for odd in malformed:
        with pytest.raises(Malformed):
            report("", **odd)


def test_of_an_order_each_number_is_asked_about_whatever_stands_beside_it() -> None:
    def ordered(listed: object) -> list[PhoneNumber]:
        return ordered_numbers(Event("number_order.complete", {"phone_numbers": listed}, None, "", "e-1"))

    listed = [{"phone_number": each} for each in (7, None, "x", THEIRS, "", OURS)]
    assert ordered([{}, *listed]) == [THEIRS, OURS]
    unlisted: list[object] = [None, {}, 7, "+12025550143", []]
    for none in unlisted:
        assert ordered(none) == []
    for odd in ([THEIRS], [None]):
        with pytest.raises(Malformed):
            ordered(odd)


def test_an_instant_is_in_utc_unless_it_says_otherwise() -> None:
    assert instant("2027-03-01T12:00:00") == instant("2027-03-01T14:00:00+02:00") == AT
    for odd in (None, 7, "", "yesterday"):
        assert instant(odd) is None


def test_an_event_is_read_as_it_came() -> None:
    said = b'{"data": {"event_type": "x", "id": "e-1", "occurred_at": "2027-03-01T12:00:00Z", "payload": {"a": 1}},'
    read = Event.read(said + b'"meta": {"delivered_to": "https://x/"}}')
    assert read == Event("x", {"a": 1}, "2027-03-01T12:00:00Z", "https://x/", "e-1")
    assert read.happened_at == AT
    for meta in (b'"meta": 7}', b'"meta": {"delivered_to": 7}}', b'"meta": {}}'):
        assert Event.read(said + meta).address == ""
    assert Event.read(b'{"data": {"event_type": "x", "id": 7, "payload": {}}}') == Event(
        "x", {}, None, "", ""
    )
