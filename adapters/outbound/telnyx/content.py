"""Pictures and recordings at Telnyx: fetched from its hosts, without credentials, and from nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from yarl import URL

from adapters.outbound.telnyx.vocabulary import Gone
from application.ports.carrier_errors import CarrierUnavailable
from application.ports.message_carrier import MediaUnfit

MEDIA_HOSTS = frozenset({"https://media.telnyx.com", "https://s3.amazonaws.com"})
"""Where Telnyx has pictures lie, and recordings (Telnyx: send and receive MMS; recordings)."""
TIMEOUT = ClientTimeout(total=60, connect=5, sock_read=15)
PIECE = 64 << 10


@dataclass(frozen=True, slots=True)
class Content:
    """What lies somewhere: its media type as it is said to be, and its bytes."""

    type: str
    pieces: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class TelnyxContent:
    """Fetches content over the adapters' session. `hosts` are origins: scheme, name and port."""

    session: ClientSession
    hosts: frozenset[str]

    @asynccontextmanager
    async def open(self, address: str) -> AsyncIterator[Content]:
        """Open what lies at an address that Telnyx's API names.

        Raises Gone, MediaUnfit for an address that is not Telnyx's and for a redirect, CarrierUnavailable.
        """
        async with AsyncExitStack() as stack:
            response = await self._ask(stack, self.own(address))
            if response.status in {403, 404, 410}:  # addresses expire
                raise Gone
            if 300 <= response.status < 400:  # noqa: PLR2004 - HTTP
                raise MediaUnfit
            if response.status != 200:  # noqa: PLR2004 - HTTP
                raise CarrierUnavailable
            yield Content(response.headers.get("Content-Type", ""), pieces_of(response))

    def own(self, address: str) -> URL:
        """Return the address, if it is of one of the hosts and names nobody. Raises MediaUnfit."""
        with suppress(ValueError):
            url = URL(address, encoded=True)
            if url.is_absolute() and url.user is None and str(url.origin()) in self.hosts:
                return url
        raise MediaUnfit

    async def _ask(self, stack: AsyncExitStack, url: URL) -> ClientResponse:
        """Ask once. The client's own errors name the URL, so they end here."""
        asking = self.session.get(
            url,
            headers={"Accept-Encoding": "identity"},
            timeout=TIMEOUT,
            allow_redirects=False,
            auto_decompress=False,
        )
        with suppress(ClientError, TimeoutError, OSError):
            return await stack.enter_async_context(asking)
        raise CarrierUnavailable


async def pieces_of(response: ClientResponse) -> AsyncIterator[bytes]:
    """Yield a body as it comes. Raises CarrierUnavailable when it breaks off."""
    with suppress(ClientError, TimeoutError, OSError):
        async for piece in response.content.iter_chunked(PIECE):
            yield piece
        return
    raise CarrierUnavailable
