"""What stands behind the API: the use cases, and in a Sandbox its controls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from adapters.inbound.http.policy_text import ShownPolicy
from adapters.inbound.http.reply import Json
from adapters.inbound.http.room import MOST_WEBHOOKS, Room
from application.request_limits import LimitRequests
from application.use_cases import UseCases


class Sandbox(Protocol):
    """What only the Sandbox can do: move time, read mails, play the carrier."""

    async def advance(self, by: timedelta) -> datetime:
        """Move the clock forward and let everything due happen; return the new now. Raises OverflowError."""
        ...

    def now(self) -> datetime:
        """Return the Sandbox's present."""
        ...

    async def mails(self) -> Sequence[Mapping[str, Any]]:
        """Return the mails sent so far, oldest first."""
        ...

    async def sms(self, from_: str, to: str, body: str, picture: str | None = None) -> str:
        """Let somebody message one of our numbers; return the carrier's reference. Raises LookupError.

        With a tiny picture, if `picture` says what is written into its file.
        """
        ...

    async def call(self, from_: str, to: str, outcome: str, voicemail: str | None = None) -> str:
        """Let somebody call one of our numbers, until the call is over; return the carrier's reference.

        `voicemail` is what they say where a message is taken: None, nothing. Raises LookupError.
        """
        ...

    def complete_checkout(self, checkout_id: UUID) -> None:
        """Let somebody pay on a page that was opened. Raises LookupError for one that is not open, or not any more."""
        ...

    def faults(self, wanted: Json) -> Json:
        """Set how the simulated providers misbehave; return what now holds. Raises ValueError."""
        ...

    def providers(self) -> Json:
        """Return what each simulated provider still holds."""
        ...


@dataclass(frozen=True, slots=True)
class EdgeContext:
    """What every handler can reach. `ready` raises a PicoError when the product cannot serve.

    `document` returns the API's, in JSON; `policy` is the privacy policy's text, in UTF-8.
    """

    use_cases: UseCases
    ready: Callable[[], Awaitable[None]]
    document: Callable[[], bytes]
    sandbox: Sandbox | None = None
    policy: bytes = b""
    published: Callable[[], ShownPolicy] | None = None
    """Reads the policy as it is published, some files the first time."""
    limits: LimitRequests | None = None
    """Counts requests; without it nobody does."""
    room: Room = field(default_factory=Room)
    webhook_room: Room = field(default_factory=lambda: Room(MOST_WEBHOOKS))
    """That of providers' calls."""
