"""Calls: list, read, delete, have one made; how an app calls, and where a line forwards to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pico_client.calls import Calls, new_key, part
from pico_client.lines import Line
from pico_client.results import Result


@dataclass(frozen=True, slots=True, repr=False)
class Call(Result):
    """A call; its other side is None where the number was withheld, or damaged."""

    id: str
    line_id: str
    direction: str
    outcome: str
    peer: str | None
    duration: int
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, repr=False)
class VoiceToken(Result):
    """What an app shows the carrier, and the name under which it is rung."""

    token: str
    identity: str
    expires_at: datetime


class PhoneCalls(Calls):
    """What one does with calls."""

    def list_calls(self, line_id: str | None = None, peer: str | None = None) -> Iterator[Call]:
        """List calls, newest first: of one line or of all, with one other side or with everybody."""
        return self._list(Call, "/v1/calls", line_id=line_id, peer=peer)

    def read_call(self, call_id: str) -> Call:
        """Read one call."""
        return self._ask(Call, "GET", f"/v1/calls/{part(call_id)}")

    def delete_call(self, call_id: str) -> None:
        """Delete a call; the carrier's record of it goes too."""
        self._send("DELETE", f"/v1/calls/{part(call_id)}")

    def place_call(self, line_id: str, to: str, *, key: str | None = None) -> Call:
        """Call somebody: the line's apps ring first. Under the same `key` they ring once. No emergency calls.

        To the line's own number: whoever answers in the app is recorded, as the line's greeting.
        """
        return self._ask(
            Call, "POST", f"/v1/lines/{part(line_id)}/calls", body={"to": to}, key=key or new_key()
        )

    def issue_voice_token(self, line_id: str) -> VoiceToken:
        """Get a token with which an app calls and is called as this line, for an hour."""
        return self._ask(VoiceToken, "POST", f"/v1/lines/{part(line_id)}/voice-tokens")

    def forward_line(self, line_id: str, to: str, when: Iterable[str]) -> Line:
        """Have a line's calls go on to another telephone, whose person presses a key to take one."""
        wanted = {"to": to, "when": list(when)}
        return self._ask(Line, "PUT", f"/v1/lines/{part(line_id)}/forwarding", body=wanted)

    def stop_forwarding(self, line_id: str) -> Line:
        """Have a line's calls go on to no other telephone."""
        return self._ask(Line, "DELETE", f"/v1/lines/{part(line_id)}/forwarding")
