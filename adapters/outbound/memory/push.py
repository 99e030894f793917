"""Pushes in memory."""

from __future__ import annotations

import asyncio
from datetime import datetime

from typing_extensions import override

from application.ports.push import Push, PushRefused, PushTokenGone, PushUnavailable
from domain.push import DeviceToken, NotPushed, Platform


class MemoryPush(Push):
    """`Push` that notes whom it woke. Knobs: `outage`, `refusing`, and `gone`, by token, since when."""

    def __init__(self, platforms: frozenset[Platform] = frozenset(Platform)) -> None:
        self.outage = self.refusing = False
        self.gone: dict[str, datetime | None] = {}
        self.woken: list[tuple[Platform, DeviceToken]] = []
        self._platforms = platforms

    @property
    @override
    def platforms(self) -> frozenset[Platform]:
        return self._platforms

    @override
    async def wake(self, platform: Platform, token: DeviceToken) -> None:
        await asyncio.sleep(0)
        if platform not in self._platforms:
            raise NotPushed
        if self.outage:
            raise PushUnavailable
        if self.refusing:
            raise PushRefused
        if token in self.gone:
            raise PushTokenGone(self.gone[token])
        self.woken.append((platform, token))
