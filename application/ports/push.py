"""Waking a device. What is sent is the same for everybody and everything: nothing could be told with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from domain.kernel import ErrorKind, PicoError
from domain.push import DeviceToken, Platform


class PushUnavailable(PicoError):
    """The service did not take the push, now; asking again helps, and may wake the device twice."""

    kind = ErrorKind.UNAVAILABLE
    code = "push_unavailable"

    def __init__(self, retry_after: timedelta | None = None) -> None:
        """Say how long the service wants to be left alone, if it does."""
        super().__init__()
        self.retry_after = retry_after


class PushRefused(PicoError):
    """The service does not take our pushes: its credentials or our settings are wrong, and no token is at fault."""

    kind = ErrorKind.BROKEN
    code = "push_refused"


class PushTokenGone(PicoError):
    """The service knows no such device any more, since `at` where it says so: the token is to be forgotten."""

    kind = ErrorKind.NOT_FOUND
    code = "push_token_gone"

    def __init__(self, at: datetime | None = None) -> None:
        """Say since when."""
        super().__init__()
        self.at = at


class Push(Protocol):
    """The services that wake devices."""

    @property
    def platforms(self) -> frozenset[Platform]:
        """The kinds of devices that are woken."""
        ...

    async def wake(self, platform: Platform, token: DeviceToken) -> None:
        """Wake a device. Repeating wakes it again, or not if it was not awake in between.

        Raises PushTokenGone, PushUnavailable, PushRefused; NotPushed for a platform that is not among `platforms`.
        """
        ...
