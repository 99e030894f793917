"""Each device by the service of its platform."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from typing_extensions import override

from application.ports.push import Push
from domain.push import DeviceToken, NotPushed, Platform

Wake = Callable[[DeviceToken], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class PushByPlatform(Push):
    """`Push` over the services that are configured; without any, no device is woken."""

    services: Mapping[Platform, Wake] = field(default_factory=dict)

    @property
    @override
    def platforms(self) -> frozenset[Platform]:
        return frozenset(self.services)

    @override
    async def wake(self, platform: Platform, token: DeviceToken) -> None:
        if platform not in self.services:
            raise NotPushed
        await self.services[platform](token)
