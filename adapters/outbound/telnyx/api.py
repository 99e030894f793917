"""What Telnyx's two adapters share: the client, the pictures' hosts, our address for webhooks, and the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from aiohttp import ClientSession

from adapters.outbound.telnyx.content import MEDIA_HOSTS, TelnyxContent
from adapters.outbound.telnyx.http import LARGEST_PAGE, TELNYX, TelnyxHttp


@dataclass(frozen=True, slots=True)
class TelnyxApi:
    """One Telnyx account. `webhooks` is the address that Telnyx calls."""

    http: TelnyxHttp
    content: TelnyxContent
    webhooks: str
    now: Callable[[], datetime]

    @classmethod
    def over(
        cls,
        session: ClientSession,
        *,
        api_key: str,
        public_url: str,
        now: Callable[[], datetime],
        api_url: str = TELNYX,
        media_hosts: frozenset[str] = MEDIA_HOSTS,
        connect_timeout: float = 5.0,
        total_timeout: float = 20.0,
        read_pause: float = 0.25,
        page_size: int = LARGEST_PAGE,
    ) -> Self:
        """Talk to `api_url` over `session`, which stays the caller's to close; webhooks come to `public_url`.

        Times are seconds: the limits of one request, and the longest first pause before a read is tried again.
        """
        http = TelnyxHttp(
            session,
            api_url.rstrip("/"),
            api_key,
            connect=connect_timeout,
            total=total_timeout,
            pause=read_pause,
            page_size=page_size,
        )
        content = TelnyxContent(session, media_hosts)
        return cls(http, content, f"{public_url.rstrip('/')}/webhooks/telnyx", now)
