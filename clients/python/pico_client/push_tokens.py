"""Which devices are woken when something comes in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pico_client.calls import Calls, part
from pico_client.results import Result


@dataclass(frozen=True, slots=True, repr=False)
class PushToken(Result):
    """A device that is woken; `current`: it is the one that asks."""

    id: str
    platform: str
    registered_at: datetime
    current: bool


class PushTokens(Calls):
    """What one does with push tokens."""

    def register_push_token(self, platform: str, device_token: str) -> PushToken:
        """Have this device woken, by the token that its system gave out: `ios` or `android`."""
        body = {"platform": platform, "device_token": device_token}
        return self._ask(PushToken, "POST", "/v1/push-tokens", body=body)

    def list_push_tokens(self) -> Iterator[PushToken]:
        """List the devices that are woken, newest first."""
        return self._list(PushToken, "/v1/push-tokens")

    def delete_push_token(self, push_token_id: str) -> None:
        """Have a device not be woken any more."""
        self._send("DELETE", f"/v1/push-tokens/{part(push_token_id)}")
