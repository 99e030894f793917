"""What every push service promises, whichever stands behind the port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from application.ports.push import Push, PushRefused, PushTokenGone, PushUnavailable
from domain.push import DeviceToken, NotPushed, Platform

DEVICE, OTHER = DeviceToken("a1" * 32), DeviceToken("b2" * 32)
LONG_AGO = datetime(2026, 1, 5, 12, tzinfo=UTC)


class PushContract:
    """Subclass it, and give the fixtures `push`, `woken` and the knobs `outage`, `refusing`, `gone`."""

    @pytest.fixture
    def push(self) -> Push:
        raise NotImplementedError

    @pytest.fixture
    def woken(self) -> Callable[[], list[str]]:
        """Return which tokens were woken, oldest first."""
        raise NotImplementedError

    @pytest.fixture
    def outage(self) -> Callable[[], None]:
        """Make the service not answer."""
        raise NotImplementedError

    @pytest.fixture
    def refusing(self) -> Callable[[], None]:
        """Make the service refuse us, whichever the token."""
        raise NotImplementedError

    @pytest.fixture
    def gone(self) -> Callable[[DeviceToken, datetime], None]:
        """Make the service know a token no more, since then."""
        raise NotImplementedError

    @pytest.fixture
    def without(self) -> Callable[[], Awaitable[Push]]:
        """Make one that wakes nobody."""
        raise NotImplementedError

    async def test_a_device_is_woken_and_no_other(self, push: Push, woken: Callable[[], list[str]]) -> None:
        for platform in push.platforms:
            await push.wake(platform, DEVICE)
        assert woken() == [DEVICE] * len(push.platforms)
        assert push.platforms

    async def test_waking_again_wakes_again(self, push: Push, woken: Callable[[], list[str]]) -> None:
        platform = min(push.platforms)
        for device in (DEVICE, OTHER, DEVICE):
            await push.wake(platform, device)
        assert woken() == [DEVICE, OTHER, DEVICE]

    async def test_an_outage_is_told_from_everything_else(
        self, push: Push, outage: Callable[[], None], woken: Callable[[], list[str]]
    ) -> None:
        outage()
        for platform in push.platforms:
            with pytest.raises(PushUnavailable):
                await push.wake(platform, DEVICE)
        assert woken() == []

    async def test_what_is_our_fault_is_not_the_tokens(
        self, push: Push, refusing: Callable[[], None]
    ) -> None:
        refusing()
        for platform in push.platforms:
            with pytest.raises(PushRefused):
                await push.wake(platform, DEVICE)

    async def test_a_token_that_is_over_is_named_as_such(
        self, push: Push, gone: Callable[[DeviceToken, datetime], None], woken: Callable[[], list[str]]
    ) -> None:
        gone(DEVICE, LONG_AGO)
        for platform in push.platforms:
            with pytest.raises(PushTokenGone) as told:
                await push.wake(platform, DEVICE)
            assert told.value.at in {None, LONG_AGO}
            await push.wake(platform, OTHER)
        assert set(woken()) == {OTHER}

    async def test_a_platform_without_a_service_is_refused(self, without: Push) -> None:
        for platform in Platform:
            with pytest.raises(NotPushed):
                await without.wake(platform, DEVICE)
        assert without.platforms == frozenset()
