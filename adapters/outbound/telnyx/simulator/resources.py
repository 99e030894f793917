"""Shapes of the API v2, as Telnyx's OpenAPI document has them, and how it says no."""

from datetime import datetime
from typing import Any

from adapters.outbound.telnyx.simulator.inventory import FEATURES

Resource = dict[str, Any]
"""A resource as it goes over the wire."""

HTTP_STATUS = {10005: 404, 10007: 503, 10009: 401, 10011: 429, 40300: 403}
"""Where it is not 422."""
TITLES = {10005: "Resource not found", 10011: "Too many requests", 40300: "Blocked due to STOP message"}


class Refused(Exception):
    """Telnyx says no. Like Telnyx's, its sentence quotes values: it is for the wire only."""

    def __init__(self, code: int, detail: str = "The request was refused") -> None:
        """Take Telnyx's error code and sentence; 0 is an error that has no code."""
        self.code = code
        self.status = HTTP_STATUS.get(code, 422)
        title = TITLES.get(code, "Invalid")
        self.body = {"errors": [{"code": str(code), "title": title, "detail": detail}] if code else []}
        super().__init__(code)


def rfc3339(at: datetime) -> str:
    """Write an instant as the API v2 does."""
    return at.isoformat(timespec="milliseconds")


def offer(number: str, country: str) -> Resource:
    """Shape a number that may be ordered."""
    return {
        "record_type": "available_phone_number",
        "phone_number": number,
        "vanity_format": None,
        "best_effort": False,
        "quickship": True,
        "reservable": True,
        "region_information": [{"region_type": "country_code", "region_name": country}],
        "cost_information": {"upfront_cost": "1.00000", "monthly_cost": "1.00000", "currency": "USD"},
        "features": [{"name": name} for name in FEATURES[country]],
    }


def order(order_id: str, number: str, wish: Resource, at: datetime) -> Resource:
    """Shape an order that was placed."""
    return {
        "id": order_id,
        "record_type": "number_order",
        "phone_numbers_count": 1,
        "messaging_profile_id": wish.get("messaging_profile_id"),
        "connection_id": wish.get("connection_id"),
        "phone_numbers": [
            {"id": order_id, "record_type": "number_order_phone_number", "phone_number": number, "status": "pending"}
        ],
        "status": "pending",
        "customer_reference": wish.get("customer_reference"),
        "requirements_met": True,
        "created_at": rfc3339(at),
        "updated_at": rfc3339(at),
    }  # fmt: skip


def owned(number_id: str, order: Resource, country: str, at: datetime) -> Resource:
    """Shape a number that was bought."""
    return {
        "id": number_id,
        "record_type": "phone_number",
        "phone_number": order["phone_numbers"][0]["phone_number"],
        "country_iso_alpha2": country,
        "status": "active",
        "tags": [],
        "customer_reference": order["customer_reference"],
        "messaging_profile_id": order["messaging_profile_id"],
        "connection_id": order.get("connection_id"),
        "phone_number_type": "local" if country == "US" else "mobile",
        "source_type": "number_order",
        "purchased_at": rfc3339(at),
        "created_at": rfc3339(at),
    }


def settings(number: Resource) -> Resource:
    """Shape a number's messaging settings."""
    ways = {"domestic_two_way": True, "international_inbound": True, "international_outbound": True}
    able = FEATURES[number["country_iso_alpha2"]]
    return {
        "id": number["id"],
        "record_type": "messaging_settings",
        "phone_number": number["phone_number"],
        "messaging_profile_id": number["messaging_profile_id"],
        "country_code": number["country_iso_alpha2"],
        "type": "long-code",
        "features": {name: ways if name in able else None for name in ("sms", "mms")},
    }


def message(
    message_id: str, direction: str, from_: str, to: str, text: str, profile_id: str | None, at: datetime
) -> Resource:
    """Shape a message. The other side's carrier comes unasked."""
    outbound = direction == "outbound"
    return {
        "record_type": "message",
        "id": message_id,
        "direction": direction,
        "type": "SMS",
        "messaging_profile_id": profile_id,
        "from": {"phone_number": from_, "carrier": "" if outbound else "T-Mobile USA", "line_type": "Wireless"},
        "to": [
            {
                "phone_number": to,
                "status": "queued" if outbound else "webhook_delivered",
                "carrier": "Telnyx",
                "line_type": "Wireless" if outbound else "VoIP",
            }
        ],
        "cc": [],
        "text": text,
        "media": [],
        "encoding": "GSM-7" if text.isascii() else "UCS-2",
        "parts": 1,
        "tags": [],
        "cost": None,
        "received_at": rfc3339(at),
        "sent_at": None,
        "completed_at": None,
        "valid_until": None,
        "errors": [],
        "webhook_url": None,
    }  # fmt: skip


def detail_record(of: Resource) -> Resource:
    """Shape the record by which a message is billed."""
    return {
        "record_type": "message_detail_record",
        "uuid": of["id"],
        "direction": of["direction"],
        "cli": of["from"]["phone_number"],
        "cld": of["to"][0]["phone_number"],
        "message_type": of["type"],
        "created_at": of["received_at"],
        "status": of["to"][0]["status"],
        "parts": of["parts"],
    }
