"""Shapes of the 2010-04-01 API, as Twilio's OpenAPI document has them."""

from datetime import datetime
from email.utils import format_datetime
from typing import Any

from adapters.outbound.twilio.simulator.inventory import Range, range_of
from domain.segments import segments_of
from domain.values import MessageBody

Resource = dict[str, Any]
"""A resource as it goes over the wire."""

VERSION = "2010-04-01"
HTTP_STATUS = {20003: 401, 20404: 404, 20429: 429, 20500: 500, 20503: 503}
"""Where it is not 400. Twilio does not document the status of 20009: branch on the code."""


class Refused(Exception):
    """Twilio says no. Like Twilio's, its sentence quotes values: it is for the wire only."""

    def __init__(self, code: int, message: str = "The request was refused") -> None:
        """Take Twilio's error code and sentence."""
        self.status = HTTP_STATUS.get(code, 400)
        self.body = {
            "code": code,
            "message": message,
            "status": self.status,
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
        }
        super().__init__(code)


def uri(account_sid: str, *path: str) -> str:
    """Return the path of a resource."""
    return f"/{VERSION}/Accounts/{'/'.join((account_sid, *path))}.json"


def rfc2822(at: datetime) -> str:
    """Write an instant as the 2010 API does."""
    return format_datetime(at.replace(microsecond=0))


def on_offer(number: str, numbers: Range) -> Resource:
    """Shape a number that may be bought."""
    return {
        "phone_number": number,
        "friendly_name": number,
        "iso_country": numbers.country,
        "region": numbers.region,
        "locality": numbers.locality,
        "postal_code": numbers.postal_code,
        "rate_center": None,
        "lata": None,
        "latitude": None,
        "longitude": None,
        "address_requirements": "any" if numbers.needs_address else "none",
        "beta": False,
        "capabilities": numbers.capabilities,
    }


def owned(account_sid: str, sid: str, number: str, at: datetime) -> Resource:
    """Shape a number that was bought, before its owner's wishes."""
    numbers = range_of(number)
    return {
        "sid": sid,
        "account_sid": account_sid,
        "phone_number": number,
        "friendly_name": number,
        "capabilities": numbers.capabilities if numbers else {"voice": True, "sms": True, "mms": True},
        "type": {"TollFree": "toll-free"}.get(numbers.kind, numbers.kind.lower()) if numbers else "local",
        "address_requirements": "none",
        "beta": False,
        "origin": "twilio",
        "status": "in-use",
        "api_version": VERSION,
        "date_created": rfc2822(at),
        "date_updated": rfc2822(at),
        "sms_url": "",
        "sms_method": "POST",
        "sms_fallback_url": "",
        "sms_fallback_method": "POST",
        "sms_application_sid": None,
        "voice_url": "",
        "voice_method": "POST",
        "voice_fallback_url": "",
        "voice_fallback_method": "POST",
        "voice_application_sid": None,
        "voice_caller_id_lookup": False,
        "voice_receive_mode": "voice",
        "status_callback": "",
        "status_callback_method": "POST",
        "trunk_sid": None,
        "identity_sid": None,
        "address_sid": None,
        "bundle_sid": None,
        "emergency_status": "Inactive",
        "emergency_address_sid": None,
        "emergency_address_status": "unregistered",
        "uri": uri(account_sid, "IncomingPhoneNumbers", sid),
    }


def media(account_sid: str, message_sid: str, sid: str, media_type: str, at: datetime) -> Resource:
    """Shape a picture of a message. Its content is at the same address without an extension."""
    return {
        "sid": sid,
        "account_sid": account_sid,
        "parent_sid": message_sid,
        "content_type": media_type,
        "date_created": rfc2822(at),
        "date_updated": rfc2822(at),
        "uri": uri(account_sid, "Messages", message_sid, "Media", sid),
    }


def message(
    account_sid: str, sid: str, direction: str, status: str, from_: str, to: str, body: str, at: datetime
) -> Resource:
    """Shape a message. One that we send has no `date_sent` until it leaves."""
    return {
        "sid": sid,
        "account_sid": account_sid,
        "direction": direction,
        "status": status,
        "from": from_,
        "to": to,
        "body": body,
        "num_segments": str(segments_of(MessageBody(body)).count),
        "num_media": "0",
        "date_created": rfc2822(at),
        "date_updated": rfc2822(at),
        "date_sent": rfc2822(at) if direction == "inbound" else None,
        "error_code": None,
        "error_message": None,
        "price": None,
        "price_unit": "USD",
        "api_version": VERSION,
        "messaging_service_sid": None,
        "subresource_uris": {"media": uri(account_sid, "Messages", sid, "Media")},
        "uri": uri(account_sid, "Messages", sid),
    }
