"""Twilio as our carrier, through its SDK."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from aiohttp import ClientSession
from twilio.rest import Client

from adapters.outbound.twilio.http import TWILIO, HttpClient
from adapters.outbound.twilio.vocabulary import PATIENCE, Gone, TooEarly, status_of
from application.ports.carrier import AvailableNumber, CarrierRefused, CarrierUnavailable, Purchase, Sent
from domain.kernel import CarrierRef, LineId, MessageId
from domain.messages import Status
from domain.values import Capability, Country, MessageBody, Peer, PhoneNumber

NORTH_AMERICA = frozenset({"US", "CA"})
NOTHING_FITS = frozenset({20404, 21451, 21452})
"""Codes that answer a search in a country, kind or area that Twilio does not serve."""
RETRIES = "#rc=3&rp=all"
"""Twilio's own retries of a webhook: three, after any failure. By default it gives up at once."""
LARGEST_PAGE = 1000
CLOCK_SKEW = timedelta(seconds=30)
"""How far Twilio's clock may be from ours. Too wide costs nothing: callers know the texts they have."""


class TwilioCarrier:
    """Implements application.ports.carrier.Carrier; a Twilio SID is a CarrierRef."""

    name: ClassVar[str] = "twilio"

    def __init__(
        self,
        session: ClientSession,
        *,
        account_sid: str,
        auth_token: str,
        public_url: str,
        api_url: str = TWILIO,
        connect_timeout: float = 5.0,
        total_timeout: float = 20.0,
        read_pause: float = 0.25,
        page_size: int = LARGEST_PAGE,
    ) -> None:
        """Talk to `api_url` over `session`, which stays the caller's to close; webhooks come to `public_url`.

        Times are seconds: the limits of one request, and the longest first pause before a read is tried again.
        """
        self._client = Client(
            account_sid,
            auth_token,
            http_client=HttpClient(
                session, api_url, connect=connect_timeout, total=total_timeout, pause=read_pause
            ),
            # Only an empty mapping would make the SDK look into the process's own environment.
            environment={"TWILIO_EDGE": ""},
        )
        self._webhooks = f"{public_url.rstrip('/')}/webhooks/twilio"
        self._page_size = page_size

    async def search(
        self,
        country: Country,
        *,
        area_code: str | None,
        contains: str | None,
        capabilities: frozenset[Capability],
        limit: int,
    ) -> list[AvailableNumber]:
        """List numbers on offer that need no address on file. Area codes exist in North America only."""
        if not re.fullmatch("[A-Z]{2}", country) or (area_code and country not in NORTH_AMERICA):
            return []
        offers = self._client.available_phone_numbers(country)
        asked: dict[str, Any] = {f"{capability}_enabled": True for capability in capabilities}
        asked |= {"area_code": area_code} if area_code else {}
        asked |= {"contains": contains} if contains else {}
        found: list[AvailableNumber] = []
        # Outside North America texts go with mobile numbers; local ones seldom carry them.
        for kind in (offers.local,) if country in NORTH_AMERICA else (offers.mobile, offers.local):
            if len(found) < limit:
                try:
                    page = await kind.list_async(
                        exclude_all_address_required=True, limit=min(limit, LARGEST_PAGE), **asked
                    )
                except CarrierRefused as refusal:
                    if refusal.provider_code not in NOTHING_FITS:
                        raise
                    page = []
                found += [
                    AvailableNumber(
                        PhoneNumber.parse(n.phone_number), country, capabilities_of(n.capabilities)
                    )
                    for n in page
                ]
        return found[:limit]

    async def buy(self, number: PhoneNumber, line_id: LineId) -> Purchase:
        """Buy with the webhook in the same request, so that no text is lost, and our line in the friendly name."""
        return purchase_of(
            await self._client.incoming_phone_numbers.create_async(
                phone_number=number,
                friendly_name=mark(line_id),
                sms_url=f"{self._webhooks}/sms?line={line_id}{RETRIES}",
                sms_method="POST",
            )
        )

    async def find_purchase(self, number: PhoneNumber, line_id: LineId) -> Purchase | None:
        """List our numbers by this one; Twilio's filter also matches parts, so compare."""
        for owned in await self._client.incoming_phone_numbers.list_async(
            phone_number=number, page_size=self._page_size
        ):
            if owned.phone_number == number and owned.friendly_name == mark(line_id):
                return purchase_of(owned)
        return None

    async def release(self, ref: CarrierRef) -> None:
        """Delete the number from our account."""
        try:
            await self._client.incoming_phone_numbers(ref).delete_async()
        except Gone:
            return

    async def owns(self, ref: CarrierRef) -> bool:
        """Fetch the number."""
        try:
            await self._client.incoming_phone_numbers(ref).fetch_async()
        except Gone:
            return False
        return True

    async def send(self, message_id: MessageId, sender: PhoneNumber, to: Peer, body: MessageBody) -> Sent:
        """Create the message; its status callback carries our own id."""
        return sent_of(
            await self._client.messages.create_async(
                to=to,
                from_=sender,
                body=body,
                status_callback=f"{self._webhooks}/message-status?message={message_id}{RETRIES}",
            )
        )

    async def find_sent(
        self,
        sender: PhoneNumber,
        to: Peer,
        body: MessageBody | None,
        since: datetime,
        until: datetime | None = None,
    ) -> list[Sent]:
        """List the pair's messages and compare bodies. Twilio's clock is not ours: look a little before `since`.

        Not filtered by `DateSent`, which is empty until the text leaves: a queued one would be missed, then
        sent twice. The list stays short, because texts are purged once they have arrived.
        """
        listed = await self._client.messages.list_async(from_=sender, to=to, page_size=self._page_size)
        earliest = since - CLOCK_SKEW
        matching = [
            m
            for m in reversed(listed)
            if body in {None, m.body}
            and earliest <= created_at(m)
            and (until is None or created_at(m) <= until)
        ]
        return [sent_of(m) for m in sorted(matching, key=created_at)]

    async def look_up(self, ref: CarrierRef) -> Sent | None:
        """Fetch the message."""
        try:
            return sent_of(await self._client.messages(ref).fetch_async())
        except Gone:
            return None

    async def purge(self, ref: CarrierRef) -> timedelta | None:
        """Delete the message with its media. Twilio refuses until about a minute after its last status."""
        try:
            await self._client.messages(ref).delete_async()
        except Gone:
            return None
        except TooEarly:
            return PATIENCE
        return None

    async def list_message_refs(self, number: PhoneNumber) -> list[CarrierRef]:
        """List messages from the number, then to it. Twilio knows no text from a number to itself."""
        sent = await self._client.messages.list_async(from_=number, page_size=self._page_size)
        received = await self._client.messages.list_async(to=number, page_size=self._page_size)
        return [ref_of(message) for message in (*sent, *received)]


def mark(line_id: LineId) -> str:
    """Name the line in a number's friendly name, where a purchase with a lost answer is found again."""
    return f"pico-{line_id}"


def ref_of(resource: Any) -> CarrierRef:  # noqa: ANN401 - the SDK has no types
    """Read the SID. An answer without one tells us nothing certain: raises CarrierUnavailable."""
    if not resource.sid:
        raise CarrierUnavailable
    return CarrierRef(resource.sid)


def purchase_of(resource: Any) -> Purchase:  # noqa: ANN401 - the SDK has no types
    """Translate an owned number."""
    ref = ref_of(resource)
    return Purchase(ref, PhoneNumber.parse(resource.phone_number), capabilities_of(resource.capabilities))


def sent_of(resource: Any) -> Sent:  # noqa: ANN401 - the SDK has no types
    """Translate a message. A status that Twilio has added since ranks lowest: it moves nothing."""
    status = status_of(resource.status) or Status.QUEUED
    return Sent(ref_of(resource), status, int(resource.error_code) if resource.error_code else None)


def capabilities_of(flags: Mapping[str, bool] | None) -> frozenset[Capability]:
    """Translate capability flags, whose keys come as `sms` or `SMS`."""
    able = {name.lower() for name, flag in (flags or {}).items() if flag}
    return frozenset(capability for capability in Capability if capability.value in able)


def created_at(message: Any) -> datetime:  # noqa: ANN401 - the SDK has no types
    """Read the instant of acceptance; one that cannot be read counts as the beginning of time."""
    at = message.date_created
    return at.replace(tzinfo=UTC) if isinstance(at, datetime) else datetime.min.replace(tzinfo=UTC)
