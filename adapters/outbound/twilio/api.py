"""What Twilio's two adapters share: the client, and our address for webhooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from aiohttp import ClientSession, FormData
from twilio.rest import Client

from adapters.outbound.twilio.content import TwilioContent
from adapters.outbound.twilio.http import TWILIO, HttpClient

RETRIES = "#rc=3&rp=all"
"""Twilio's own retries of a webhook: three, after any failure. By default it gives up at once."""
LARGEST_PAGE = 50
"""So many messages of 1,600 signs, each escaped as 12, stay well below the largest answer that is read."""

LONGEST_LIST = 10_000
"""Items of a list that are read: one without end is cut. What is beyond is seen once this part has been dealt with."""


@dataclass(frozen=True, slots=True)
class TwilioApi:
    """One Twilio account, reached through Twilio's SDK. `webhooks` is the address below which Twilio calls us."""

    client: Any
    content: TwilioContent
    webhooks: str
    page_size: int = LARGEST_PAGE

    async def upload(self, url: str, form: FormData) -> dict[str, Any]:
        """Send a file in a form, which the SDK cannot. Raises CarrierRefused, CarrierUnavailable."""
        sent: dict[str, Any] = await self.client.http_client.upload(
            url, form, (self.client.username, self.client.password)
        )
        return sent

    @classmethod
    def over(
        cls,
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
    ) -> Self:
        """Talk to `api_url` over `session`, which stays the caller's to close; webhooks come to `public_url`.

        Times are seconds: the limits of one request, and the longest first pause before a read is tried again.
        """
        http_client = HttpClient(
            session, api_url, connect=connect_timeout, total=total_timeout, pause=read_pause
        )
        # Only an empty mapping would make the SDK look into the process's own environment.
        client = Client(account_sid, auth_token, http_client=http_client, environment={"TWILIO_EDGE": ""})
        content = TwilioContent(session, api_url.rstrip("/"))
        return cls(client, content, f"{public_url.rstrip('/')}/webhooks/twilio", page_size)
