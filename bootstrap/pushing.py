"""The services that wake devices, where they are configured."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import ClientSession

from adapters.outbound.push.apns import Apns, ProviderKey
from adapters.outbound.push.by_platform import PushByPlatform, Wake
from adapters.outbound.push.fcm import Fcm, FirebaseProject
from adapters.outbound.push.http2 import over_http2
from domain.push import Platform


@dataclass(frozen=True, slots=True)
class FcmAccess:
    """Whose project it is, and the address of Google's service or of what stands for it."""

    project: FirebaseProject
    url: str


@dataclass(frozen=True, slots=True)
class ApnsAccess:
    """What Apple gave us to sign with, and the addresses of its service, or of what stands for it."""

    key: ProviderKey
    url: str
    development_url: str


@dataclass(frozen=True, slots=True)
class PushAccess:
    """What each service is reached by; None: it is not configured, and its devices are not woken."""

    fcm: FcmAccess | None = None
    apns: ApnsAccess | None = None

    @property
    def is_any(self) -> bool:
        """Whether devices of any kind are woken."""
        return self.fcm is not None or self.apns is not None

    @asynccontextmanager
    async def opened(self, session: ClientSession) -> AsyncIterator[PushByPlatform]:
        """Open what is configured; nobody is connected to before the first push."""
        services: dict[Platform, Wake] = {}
        async with AsyncExitStack() as stack:
            if self.fcm is not None:
                services[Platform.ANDROID] = Fcm(session, self.fcm.project, self.fcm.url)
            if self.apns is not None:
                http = await stack.enter_async_context(over_http2())
                services[Platform.IOS] = Apns(http, self.apns.key, self.apns.url, self.apns.development_url)
            yield PushByPlatform(services)
