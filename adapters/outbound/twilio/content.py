"""Content at Twilio, such as a picture: fetched as it comes, from Twilio's own hosts and from no other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, encode_basic_auth
from yarl import URL

from adapters.outbound.twilio.vocabulary import failure
from application.ports.carrier_errors import CarrierUnavailable
from application.ports.message_carrier import MediaUnfit

HOSTS = frozenset({"https://media.twiliocdn.com", "https://mms.twiliocdn.com"})
"""Where Twilio has pictures lie (Twilio: HTTP basic authentication for media)."""
MOST_HOPS = 2
TIMEOUT = ClientTimeout(total=60, connect=5, sock_read=15)
PIECE = 64 << 10


@dataclass(frozen=True, slots=True)
class Content:
    """What lies somewhere: its media type as it is said to be, and its bytes."""

    type: str
    pieces: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class TwilioContent:
    """Fetches content over the adapters' session. `api_url` is Twilio's, or of what stands for it."""

    session: ClientSession
    api_url: str

    @asynccontextmanager
    async def open(self, path: str, auth: tuple[str, str]) -> AsyncIterator[Content]:
        """Open the content at a path of Twilio's. Raises CarrierRefused, CarrierUnavailable.

        Twilio answers with a short-lived address of its own content hosts (Twilio: Media resource). Such a hop is made
        without credentials; one to anywhere else is refused with MediaUnfit.
        """
        url, headers = URL(self.api_url + path, encoded=True), {"Accept-Encoding": "identity"}
        asked = {**headers, "Authorization": encode_basic_auth(*auth)}
        for _ in range(1 + MOST_HOPS):
            async with AsyncExitStack() as stack:
                response = await self._ask(stack, url, asked)
                if response.status == 200:  # noqa: PLR2004 - HTTP
                    yield Content(response.headers.get("Content-Type", ""), pieces_of(response))
                    return
                if not 300 <= response.status < 400:  # noqa: PLR2004 - HTTP
                    raise failure(response.status, None)
                url, asked = self.next(url, response.headers.get("Location", "")), headers
        raise MediaUnfit

    async def _ask(self, stack: AsyncExitStack, url: URL, headers: Mapping[str, str]) -> ClientResponse:
        """Ask once. The client's own errors name URL and credentials, so they end here."""
        asking = self.session.get(
            url, headers=headers, timeout=TIMEOUT, allow_redirects=False, auto_decompress=False
        )
        with suppress(ClientError, TimeoutError, OSError):
            return await stack.enter_async_context(asking)
        raise CarrierUnavailable

    def next(self, url: URL, location: str) -> URL:
        """Return where a redirect leads, if that is a host of Twilio's. Raises MediaUnfit."""
        with suppress(ValueError):
            target = url.join(URL(location, encoded=True))
            if location and target.user is None and str(target.origin()) in {*HOSTS, self.api_url}:
                return target
        raise MediaUnfit


async def pieces_of(response: ClientResponse) -> AsyncIterator[bytes]:
    """Yield a body as it comes. Raises CarrierUnavailable when it breaks off."""
    with suppress(ClientError, TimeoutError, OSError):
        async for piece in response.content.iter_chunked(PIECE):
            yield piece
        return
    raise CarrierUnavailable
