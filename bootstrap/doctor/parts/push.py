"""Google's and Apple's push services: each takes what we sign. It is asked to wake a device that does not exist."""

from __future__ import annotations

from collections.abc import Callable

from application.ports.push import PushRefused, PushTokenGone
from bootstrap.doctor.checks import Check, Part
from bootstrap.doctor.examined import Examined
from bootstrap.pushing import PushAccess
from bootstrap.settings import ProductionSettings
from domain.push import DeviceToken, Platform

NO_DEVICE = DeviceToken("0" * 64)
"""A token that neither service gave to anybody: whoever accepts us says that it knows no such device."""


def _part(name: str, platform: Platform, whose: str, access: Callable[[PushAccess], object]) -> Part[bool]:
    async def accepted(examined: Examined) -> bool:
        """Tell whether the service takes what we sign. Raises PushUnavailable."""
        async with examined.production.push.opened(examined.session) as push:
            try:
                await push.wake(platform, NO_DEVICE)
            except PushTokenGone:
                return True
            except PushRefused:
                return False
            return True

    def configured(examined: Examined) -> bool:
        settings = examined.settings
        return isinstance(settings, ProductionSettings) and access(settings.push) is not None

    def wrong(taken: bool) -> str | None:  # noqa: FBT001 - the facts
        return None if taken else f"{whose} refuses our pushes: the key, its id or the app is another."

    check = Check("credentials", ("S7",), f"{whose} takes our pushes.", wrong)
    return Part(name=name, read=accepted, configured=configured, checks=(check,))


FCM = _part("fcm", Platform.ANDROID, "Google", lambda push: push.fcm)
APNS = _part("apns", Platform.IOS, "Apple", lambda push: push.apns)
