"""What the simulated Telnyx remembers, in memory and, if asked, in a file that survives `kill -9`."""

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from adapters.outbound.telnyx.simulator.resources import Resource
from adapters.simulators import keep

Picture: TypeAlias = tuple[str, bytes]
"""Media type and content."""


@dataclass(slots=True)
class State:
    """Everything by id, as JSON; `blocked` are pairs (profile, other side) where the other side said STOP.

    `keys` are idempotency keys: the bytes they were used with, and the message made. `owed` are messages of which
    webhooks are still to be sent; `contents` are pictures by their path.
    """

    file: Path | None = None
    profiles: dict[str, Resource] = field(default_factory=dict)
    orders: dict[str, Resource] = field(default_factory=dict)
    numbers: dict[str, Resource] = field(default_factory=dict)
    messages: dict[str, Resource] = field(default_factory=dict)
    blocked: list[list[str]] = field(default_factory=list)
    keys: dict[str, list[str]] = field(default_factory=dict)
    owed: list[str] = field(default_factory=list)
    contents: dict[str, list[str]] = field(default_factory=dict)
    calls: dict[str, Resource] = field(default_factory=dict)
    call_events: list[Resource] = field(default_factory=list)
    recordings: dict[str, Resource] = field(default_factory=dict)
    transcriptions: dict[str, Resource] = field(default_factory=dict)
    portouts: list[Resource] = field(default_factory=list)
    credentials: dict[str, Resource] = field(default_factory=dict)

    KEPT = (
        "profiles", "orders", "numbers", "messages", "blocked", "keys", "owed", "contents", "calls", "call_events",
        "recordings", "transcriptions", "portouts", "credentials",
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Read the file if there is one."""
        if self.file is not None and self.file.exists():
            kept = json.loads(self.file.read_text("utf-8"))
            for name in self.KEPT:
                if name in kept:  # what a file from before calls does not have stays empty
                    setattr(self, name, kept[name])
        self.save()

    def save(self) -> None:
        """Put it on disk, if it is to be there."""
        if self.file is not None:
            keep(self.file, {name: getattr(self, name) for name in self.KEPT})

    def keep_content(self, path: str, picture: Picture) -> None:
        """Keep a picture."""
        self.contents[path] = [picture[0], base64.b64encode(picture[1]).decode()]

    def content(self, path: str) -> Picture | None:
        """Return a picture, if it is there."""
        held = self.contents.get(path)
        return None if held is None else (held[0], base64.b64decode(held[1]))

    def owned(self, number: str) -> Resource | None:
        """Find a number of ours by its digits."""
        return next((n for n in self.numbers.values() if n["phone_number"] == number), None)

    def forget_number(self, number_id: str) -> None:
        """Release a number. Telnyx keeps its order; this forgets it, too."""
        gone = self.numbers.pop(number_id)["phone_number"]
        self.orders = {
            order_id: order
            for order_id, order in self.orders.items()
            if order["phone_numbers"][0]["phone_number"] != gone or order["status"] == "pending"
        }

    def forget_profile(self, profile_id: str) -> None:
        """Delete a profile, with every STOP that was said to it."""
        del self.profiles[profile_id]
        self.blocked = [pair for pair in self.blocked if pair[0] != profile_id]

    def forget_message(self, message_id: str) -> None:
        """Show a message no more, its pictures included."""
        gone = self.messages.pop(message_id)
        for media in gone["media"]:
            self.contents.pop(f"/media/{media['url'].rpartition('/')[2]}", None)
        self.keys = {key: held for key, held in self.keys.items() if held[1] != message_id}
        self.owed = [owed for owed in self.owed if owed != message_id]

    def move_webhooks(self, old: str, new: str) -> None:
        """Point every webhook below `old` to the same path below `new`."""
        for held in (*self.profiles.values(), *self.messages.values()):
            url = held.get("webhook_url") or ""
            if url.startswith(f"{old}/"):
                held["webhook_url"] = new + url.removeprefix(old)
        self.save()

    def holdings(self) -> dict[str, Any]:
        """Everything held, as JSON."""
        return {
            "numbers": list(self.numbers.values()),
            "orders": list(self.orders.values()),
            "messages": list(self.messages.values()),
            "opted_out": [list(pair) for pair in sorted(self.blocked)],
            "recordings": list(self.recordings.values()),
            "transcriptions": list(self.transcriptions.values()),
        }
