"""Twilio's webhooks: verify, take the few fields Pico keeps, hand them on."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl
from uuid import UUID

from aiohttp import web
from multidict import CIMultiDict

from adapters.inbound.http.problems import COMMON_HEADERS
from adapters.inbound.http.transfer import read_body
from application.inbound_messages import DeliveryReceipt, InboundMessage
from domain.kernel import CarrierRef, LineId, MessageId, PicoError
from domain.messages import OptOut, Status
from domain.values import MessageBody, Peer, PhoneNumber

SMS = "/webhooks/twilio/sms"
MESSAGE_STATUS = "/webhooks/twilio/message-status"

MOST_FIELDS = 200
ERROR_CODE = re.compile(r"[0-9]{1,9}\Z")
OPT_OUT = {"STOP": OptOut.STOP, "START": OptOut.START}

XML = CIMultiDict({**COMMON_HEADERS, "Content-Type": "text/xml; charset=utf-8"})
PLAIN = CIMultiDict({**COMMON_HEADERS, "Content-Type": "text/plain; charset=utf-8"})
BARE = CIMultiDict(COMMON_HEADERS)

Form = Mapping[str, str]


class Verify(Protocol):
    """Whether Twilio signed a form sent to a URL."""

    def __call__(self, url: str, form: Sequence[tuple[str, str]], signature: str, settings: str, /) -> bool:
        """Check `signature`, made as `settings` says, over the decoded pairs of `form`."""
        ...


@dataclass(frozen=True, slots=True)
class TwilioWebhooks:
    """The endpoints Twilio calls at `public_url`. What cannot be verified is 403, whatever else is wrong with it.

    City, state, ZIP and the like come unasked; only the fields named below are ever looked at.
    """

    receive: Callable[[InboundMessage], Awaitable[None]]
    note: Callable[[DeliveryReceipt], Awaitable[None]]
    verify: Verify
    status_of: Callable[[str], Status | None]
    public_url: str

    def hooks(self) -> dict[str, Callable[[web.BaseRequest, str, UUID], Awaitable[web.Response]]]:
        """Return the endpoints by path."""
        return {SMS: self.sms, MESSAGE_STATUS: self.message_status}

    async def sms(self, request: web.BaseRequest, query: str, _id: UUID) -> web.Response:
        """Take in a text. Redelivery, an unknown number, an erased account: the same empty TwiML."""
        form = await self._verified(request, SMS, query)
        if form is None:
            return forbidden()
        if not all(form.get(name) for name in ("MessageSid", "From", "To")):
            return malformed()
        text = inbound_message(form, query)
        if text is not None:
            await self.receive(text)
        return web.Response(headers=XML, body=b"<Response/>")

    async def message_status(self, request: web.BaseRequest, query: str, _id: UUID) -> web.Response:
        """Take in what became of a text. A word or a text we do not know changes nothing."""
        form = await self._verified(request, MESSAGE_STATUS, query)
        if form is None:
            return forbidden()
        if not all(form.get(name) for name in ("MessageSid", "From", "MessageStatus")):
            return malformed()
        status = self.status_of(form["MessageStatus"])
        report = status and delivery_receipt(form, status, query)
        if report:
            await self.note(report)
        return web.Response(status=204, headers=BARE)

    async def _verified(self, request: web.BaseRequest, path: str, query: str) -> Form | None:
        """Return the form, if Twilio signed it for the address we gave it, whatever `Host` says."""
        headers = request.headers
        signature = headers.get("X-Twilio-Signature")
        if not signature:
            return None
        raw = await read_body(request)
        try:
            pairs = parse_qsl(
                raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
            )
        except ValueError:
            return None
        url = f"{self.public_url}{path}?{query}" if query else f"{self.public_url}{path}"
        settings = headers.get("X-Twilio-Webhooks-Signature-Settings", "")
        return dict(pairs) if self.verify(url, pairs, signature, settings) else None


def inbound_message(form: Form, query: str) -> InboundMessage | None:
    """Cut a form down to what Pico keeps; None when it is not between somebody and a number that could be ours."""
    lease = dict(parse_qsl(query)).get("line", "") if query else ""
    try:
        return InboundMessage(
            ref=CarrierRef(form["MessageSid"]),
            to=PhoneNumber.parse(form["To"]),
            sender=Peer.parse(form["From"]),
            body=MessageBody(form.get("Body", "")),
            opt_out=OPT_OUT.get(form.get("OptOutType", "")),
            line_id=LineId(UUID(lease)) if lease else None,
        )
    except (ValueError, PicoError):
        return None


def delivery_receipt(form: Form, status: Status, query: str) -> DeliveryReceipt | None:
    """Cut a form down to what Pico keeps; None when its sender cannot be a number of ours."""
    tag = dict(parse_qsl(query)).get("message", "")
    error = form.get("ErrorCode", "")
    try:
        return DeliveryReceipt(
            sender=PhoneNumber.parse(form["From"]),
            ref=CarrierRef(form["MessageSid"]),
            message_id=MessageId(UUID(tag)) if tag else None,
            status=status,
            error=int(error) if ERROR_CODE.match(error) else None,
        )
    except (ValueError, PicoError):
        return None


def forbidden() -> web.Response:
    """Refuse, without a word about why."""
    return web.Response(status=403, headers=PLAIN, body=b"forbidden\n")


def malformed() -> web.Response:
    """Refuse what was signed and still makes no sense."""
    return web.Response(status=400, headers=PLAIN, body=b"malformed\n")
