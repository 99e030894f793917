"""What there is only in the Sandbox: move the clock, read the mails, play the carrier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pico_client.calls import Calls, given, part
from pico_client.results import Result


@dataclass(frozen=True, slots=True, repr=False)
class Clock(Result):
    """The Sandbox's present."""

    now: datetime


@dataclass(frozen=True, slots=True, repr=False)
class StoredMail(Result):
    """A mail that the Sandbox did not send."""

    to: str
    kind: str
    locale: str
    token: str | None
    at: datetime
    subject: str
    body: str
    link: str


@dataclass(frozen=True, slots=True, repr=False)
class MessageAccepted(Result):
    """The simulated carrier's reference of the message."""

    ref: str


@dataclass(frozen=True, slots=True, repr=False)
class CallPlayed(Result):
    """The simulated carrier's reference of the call."""

    ref: str


class Sandbox(Calls):
    """What the Sandbox can do."""

    def read_clock(self) -> Clock:
        """Read the Sandbox's clock."""
        return self._ask(Clock, "GET", "/sandbox/clock")

    def advance_clock(self, advance: str) -> Clock:
        """Move the clock forward by an ISO 8601 duration, such as `P30D`; everything due on the way happens."""
        return self._ask(Clock, "POST", "/sandbox/clock", body={"advance": advance})

    def list_mails(self) -> Iterator[StoredMail]:
        """Read the mails that would have been sent, oldest first."""
        return self._list(StoredMail, "/sandbox/mails")

    def receive_message(self, from_: str, to: str, body: str, picture: str | None = None) -> MessageAccepted:
        """Send a message to one of our numbers, as somebody outside; with a tiny picture, if it says what is in it."""
        sent = given(**{"from": from_, "to": to, "body": body, "picture": picture})
        return self._ask(MessageAccepted, "POST", "/sandbox/sms", body=sent)

    def play_call(self, from_: str, to: str, outcome: str, voicemail: str | None = None) -> CallPlayed:
        """Call one of our numbers, as somebody outside, who leaves a message where one is taken and they say one."""
        played = given(**{"from": from_, "to": to, "outcome": outcome, "voicemail": voicemail})
        return self._ask(CallPlayed, "POST", "/sandbox/calls", body=played)

    def complete_checkout(self, checkout_id: str) -> None:
        """Pay on a page that was opened, as its person."""
        self._send("POST", f"/sandbox/checkout/{part(checkout_id)}/complete")

    def set_faults(self, **knobs: object) -> Mapping[str, Any]:
        """Make the simulated providers misbehave."""
        return self._ask(dict, "POST", "/sandbox/faults", body=knobs)

    def read_providers(self) -> Mapping[str, Any]:
        """See what each simulated provider still holds."""
        return self._ask(dict, "GET", "/sandbox/providers")
