"""The Apple Push Notification service, by token authentication.

The requests and answers are here; what carries them is handed in (`Http2`), because Apple takes HTTP/2 only.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from adapters.jwt import es256
from application.ports.push import PushRefused, PushTokenGone, PushUnavailable
from domain.push import DeviceToken

URL, DEVELOPMENT_URL = "https://api.push.apple.com", "https://api.sandbox.push.apple.com"
TOKEN_SECONDS = 2400
"""How long a provider token is used: Apple wants a new one every 20 to 60 minutes."""
PAYLOAD = json.dumps({"aps": {"alert": {"body": "New activity"}, "mutable-content": 1}}).encode()
"""The same for everybody and everything."""
GONE = {"Unregistered", "ExpiredToken"}
AWAY = {"TooManyRequests", "InternalServerError", "ServiceUnavailable", "Shutdown", "ExpiredProviderToken"}


class Answered(NamedTuple):
    """What came back."""

    status: int
    body: bytes


class Http2(Protocol):
    """What carries a request to Apple."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answered:
        """Send it and return the answer. Raises OSError, TimeoutError."""
        ...


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """What Apple gave us to sign with: the team, the key's id, the key in PEM; and the app's bundle id."""

    team: str
    key_id: str
    key: str = field(repr=False)
    topic: str


@dataclass(slots=True)
class Apns:
    """Wakes Apple's devices, with a fixed text."""

    http: Http2
    key: ProviderKey
    url: str = URL
    development_url: str = DEVELOPMENT_URL
    """Where devices are known that run a developer's build."""
    now: Callable[[], float] = time.time
    _token: str = field(default="", init=False, repr=False)
    _made: float = field(default=float("-inf"), init=False)

    async def __call__(self, token: DeviceToken) -> None:
        """Wake a device. Raises what `Push.wake` does.

        A token of the other kind of build is `BadDeviceToken`: that one is asked once before it counts as gone.
        """
        reason, at = await self._send(self.url, token)
        if reason == "BadDeviceToken":
            reason, at = await self._send(self.development_url, token)
        if not reason:
            return
        if reason in GONE or reason == "BadDeviceToken":
            raise PushTokenGone(at)
        if reason == "ExpiredProviderToken":
            self._made = float("-inf")
        raise PushUnavailable if reason in AWAY else PushRefused

    async def _send(self, url: str, token: DeviceToken) -> tuple[str, datetime | None]:
        """Return why it was refused, empty if it was not, and since when the token is over."""
        headers = {
            "authorization": f"bearer {self._provider_token()}",
            "apns-topic": self.key.topic,
            "apns-push-type": "alert",
            "apns-priority": "10",
            "apns-expiration": str(int(self.now()) + 3600),
            "apns-collapse-id": "sync",
        }
        try:
            status, body = await self.http.post(f"{url}/3/device/{token}", headers, PAYLOAD)
        except (OSError, TimeoutError):
            raise PushUnavailable from None
        if status == 200:  # noqa: PLR2004
            return "", None
        try:
            said = json.loads(body)
        except ValueError:
            said = None
        said = said if isinstance(said, dict) else {}
        known = "ServiceUnavailable" if status == 429 or status >= 500 else "Refused"  # noqa: PLR2004
        reason, since = said.get("reason"), said.get("timestamp")
        at = (
            datetime.fromtimestamp(since / 1000, UTC)
            if isinstance(since, int) and 0 < since < 1 << 42
            else None
        )
        return (reason if isinstance(reason, str) and reason else known), at

    def _provider_token(self) -> str:
        now = self.now()
        if now >= self._made + TOKEN_SECONDS:
            self._token = es256(self.key.key, self.key.key_id, {"iss": self.key.team, "iat": int(now)})
            self._made = now
        return self._token
