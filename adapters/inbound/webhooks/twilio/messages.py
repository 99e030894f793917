"""Twilio's webhooks about messages: one came in, one we sent has a new status."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import parse_qsl
from uuid import UUID

from aiohttp import web

from adapters.inbound.webhooks.answers import malformed, noted
from adapters.inbound.webhooks.twilio.form import Form, FormHandler, empty_twiml, message_sid
from application.inbound_messages import DeliveryReceipt, InboundMessage
from domain.failures import FailureReason
from domain.kernel import CarrierRef, LineId, MessageId, PicoError
from domain.keywords import OptOut
from domain.messages import Status
from domain.values import MessageBody, Peer, PhoneNumber

SMS = "/webhooks/twilio/sms"
MESSAGE_STATUS = "/webhooks/twilio/message-status"

BESIDE = ("FromCity", "FromCountry", "FromState", "FromZip", "MediaContentType0", "MediaUrl0")
"""Twilio's fields of a message between the sender and the message's id, in its order of signing."""
NAMED_SENDER = re.compile(r"From(\+?[0-9]{3,15})")
COUNT = re.compile(r"[0-9]{1,2}\Z")
ERROR_CODE = re.compile(r"[0-9]{1,9}\Z")
OutcomeOf: TypeAlias = Callable[[str, int | None], tuple[Status, FailureReason | None] | None]
"""Translates Twilio's word for a message's status and its code; None for a word that is not known."""
OPT_OUT = {"STOP": OptOut.STOP, "START": OptOut.START}


@dataclass(frozen=True, slots=True)
class TwilioMessages:
    """Accepts messages and delivery receipts. Redelivery is harmless."""

    receive: Callable[[InboundMessage], Awaitable[None]]
    apply_receipt: Callable[[DeliveryReceipt], Awaitable[None]]
    outcome_of: OutcomeOf

    def handlers(self) -> dict[str, FormHandler]:
        """Return the handlers of verified forms, by path."""
        return {SMS: self.sms, MESSAGE_STATUS: self.message_status}

    async def sms(self, form: Form, query: str) -> web.Response:
        """Accept a message. Redelivery, an unknown number, an erased account: the same empty TwiML."""
        if message_sid(form) is None or not has_its_sender(form) or not form.get("To"):
            return malformed()
        message = inbound_message(form, query)
        if message is not None:
            await self.receive(message)
        return empty_twiml()

    async def message_status(self, form: Form, query: str) -> web.Response:
        """Apply a delivery receipt. An unknown status or message changes nothing."""
        if message_sid(form) is None or not form.get("From") or not form.get("MessageStatus"):
            return malformed()
        outcome = self.outcome_of(form["MessageStatus"], error_code(form))
        receipt = outcome and delivery_receipt(form, *outcome, query)
        if receipt:
            await self.apply_receipt(receipt)
        return noted()


def has_its_sender(form: Form) -> bool:
    """Tell whether the sender is the one that was signed.

    A form that was cut elsewhere may come before its original: with fields in the sender that belong beside it, or
    with the sender in another field, while the body, which a sender writes, spells one of its own.
    """
    if "From" not in form:
        return False
    sender, others = form["From"], {name: value for name, value in form.items() if name != "Body"}
    swallowed = [
        name for name in BESIDE if name not in form and any(name in each for each in (sender, *form))
    ]
    named = NAMED_SENDER.findall("".join([name + value for name, value in sorted(others.items())]))
    return not swallowed and all(sender.startswith(number) for number in named)


def inbound_message(form: Form, query: str) -> InboundMessage | None:
    """Reduce a form to what Pico keeps; None when it is not for a number that could be ours."""
    lease = dict(parse_qsl(query)).get("line") if query else None
    try:
        return InboundMessage(
            ref=CarrierRef(form["MessageSid"]),
            to=PhoneNumber.parse(form["To"]),
            sender=Peer.of_sender(form["From"]),
            body=MessageBody(form.get("Body", "")),
            opt_out=OPT_OUT.get(form.get("OptOutType", "")),
            attachments=int(form["NumMedia"]) if COUNT.match(form.get("NumMedia", "")) else 0,
            line_id=LineId(UUID(lease)) if lease else None,
        )
    except (ValueError, PicoError):
        return None


def error_code(form: Form) -> int | None:
    """Read Twilio's code for what went wrong; None where there is none, or nonsense."""
    code = form.get("ErrorCode", "")
    return int(code) if ERROR_CODE.match(code) else None


def delivery_receipt(
    form: Form, status: Status, failure: FailureReason | None, query: str
) -> DeliveryReceipt | None:
    """Reduce a form to what Pico keeps; None when its sender cannot be a number of ours."""
    tag = dict(parse_qsl(query)).get("message")
    try:
        return DeliveryReceipt(
            sender=PhoneNumber.parse(form["From"]),
            ref=CarrierRef(form["MessageSid"]),
            message_id=MessageId(UUID(tag)) if tag else None,
            status=status,
            failure=failure,
        )
    except (ValueError, PicoError):
        return None
