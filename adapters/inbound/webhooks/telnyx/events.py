"""Telnyx's events about messages and orders, cut down to what Pico keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from adapters.inbound.http_io import strict_json
from adapters.inbound.webhooks.answers import Malformed
from application.inbound_messages import DeliveryReceipt, InboundMessage
from domain.failures import FailureReason
from domain.kernel import CarrierRef, LineId, MessageId, PicoError
from domain.messages import Status
from domain.values import MessageBody, Peer, PhoneNumber

OutcomeOf: TypeAlias = Callable[[str, int | None], tuple[Status, FailureReason | None] | None]
"""Translates Telnyx's word for a message's status and its code; None for a word that is not known."""
RefOf: TypeAlias = Callable[[object], CarrierRef]
"""Makes our reference of Telnyx's id. Raises PicoError for what is none."""

RECEIVED = "message.received"
REPORTED = frozenset({"message.sent", "message.finalized"})
ORDERED = "number_order.complete"


@dataclass(frozen=True, slots=True)
class Event:
    """An event that was verified. `address` is where Telnyx sent it, as the signed bytes say."""

    type: str
    payload: Mapping[str, Any]
    occurred_at: object
    address: str
    id: str = ""

    @classmethod
    def read(cls, body: bytes) -> Event:
        """Read an event. Raises Malformed."""
        try:
            whole = strict_json(body)
        except (ValueError, RecursionError):
            raise Malformed from None
        data = _object(_object(whole).get("data"))
        payload, meta = _object(data.get("payload")), whole.get("meta")
        address = meta.get("delivered_to") if isinstance(meta, dict) else None
        event_type, event_id = data.get("event_type"), data.get("id")
        if not isinstance(event_type, str):
            raise Malformed
        address, event_id = (each if isinstance(each, str) else "" for each in (address, event_id))
        return cls(event_type, payload, data.get("occurred_at"), address, event_id)

    @property
    def happened_at(self) -> datetime | None:
        """When it happened, by Telnyx's clock; None where it does not say."""
        return instant(self.occurred_at)

    def named(self, name: str, webhooks: str) -> UUID | None:
        """Return the id that its address names, if that is an address of ours: what is not signed is not looked at."""
        parts = urlsplit(self.address)
        if parts._replace(query="", fragment="").geturl() != webhooks:
            return None
        values = parse_qs(parts.query).get(name, [])
        try:
            return UUID(values[0]) if len(values) == 1 else None
        except ValueError:
            return None


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Malformed
    return value


def inbound_message(event: Event, ref_of: RefOf, webhooks: str) -> InboundMessage | None:
    """Reduce a message that came in; None when it is not for a number that could be ours. Raises Malformed.

    Of a group's message only the addressee counts to whom this event was delivered: each of them gets one.
    """
    payload, line_id = event.payload, event.named("line", webhooks)
    to = payload.get("to")
    addressees = [_object(each) for each in to] if isinstance(to, list) else []
    ours = [each for each in addressees if each.get("status") == "webhook_delivered"] or addressees
    sender, media = _object(payload.get("from")).get("phone_number"), payload.get("media")
    if not ours or not isinstance(sender, str) or not sender:
        raise Malformed
    number = ours[0].get("phone_number")
    try:
        return InboundMessage(
            ref=ref_of(payload.get("id")),
            to=PhoneNumber.parse(number if isinstance(number, str) else ""),
            sender=Peer.of_sender(_readable(sender)),
            body=MessageBody(_readable(payload.get("text"))),
            attachments=min(len(media), 99) if isinstance(media, list) else 0,
            line_id=None if line_id is None else LineId(line_id),
            received_at=instant(payload.get("received_at")) or instant(event.occurred_at),
        )
    except PicoError:
        return None


def delivery_receipt(
    event: Event, ref_of: RefOf, outcome_of: OutcomeOf, webhooks: str
) -> DeliveryReceipt | None:
    """Reduce a report on a message of ours; None when it says nothing that is known. Raises Malformed."""
    payload, message_id = event.payload, event.named("message", webhooks)
    to = payload.get("to")
    word = _object(to[0]).get("status") if isinstance(to, list) and to else None
    sender = _object(payload.get("from")).get("phone_number")
    if not isinstance(word, str) or not isinstance(sender, str):
        raise Malformed
    outcome = outcome_of(word, _error_code(payload.get("errors")))
    if outcome is None:
        return None
    try:
        return DeliveryReceipt(
            sender=PhoneNumber.parse(sender),
            ref=ref_of(payload.get("id")),
            message_id=None if message_id is None else MessageId(message_id),
            status=outcome[0],
            failure=outcome[1],
        )
    except PicoError:
        return None


def ordered_numbers(event: Event) -> list[PhoneNumber]:
    """Return the numbers of an order that has changed. Raises Malformed."""
    listed = event.payload.get("phone_numbers")
    found = []
    for each in listed if isinstance(listed, list) else ():
        number = _object(each).get("phone_number")
        try:
            found.append(PhoneNumber.parse(number if isinstance(number, str) else ""))
        except PicoError:
            continue
    return found


def _readable(value: object) -> str:
    """Return a text; halves of characters in it are replaced, because nothing could keep them. Raises Malformed."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Malformed
    return value.encode("utf-8", "replace").decode()


def instant(value: object) -> datetime | None:
    """Return an instant (RFC 3339; without an offset it is in UTC); None for none."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def _error_code(errors: object) -> int | None:
    first = errors[0] if isinstance(errors, list) and errors else None
    code = first.get("code") if isinstance(first, dict) else None
    text = str(code) if type(code) in {int, str} else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else None  # noqa: PLR2004 - a code
