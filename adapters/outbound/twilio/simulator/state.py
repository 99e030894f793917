"""What the simulated Twilio remembers, in memory and, if asked, in a file that survives `kill -9`."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from adapters.outbound.twilio.simulator.resources import Resource
from adapters.simulators import keep

Picture: TypeAlias = tuple[str, bytes]
"""Media type and content."""


@dataclass(slots=True)
class Message:
    """A message, and what is still to be done about it.

    `callback` is where its statuses go. `owed`: webhooks are still to be sent. `relay`: it is still to be handed
    to the simulator's own number it is addressed to.
    """

    resource: Resource
    callback: str = ""
    owed: bool = True
    relay: bool = False
    media: list[Resource] = field(default_factory=list)


@dataclass(slots=True)
class State:
    """Numbers and messages by SID; pairs (our number, the other side) where the other side opted out.

    What is deleted is deleted: no list of former things is kept.
    """

    file: Path | None = None
    numbers: dict[str, Resource] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    opted_out: set[tuple[str, str]] = field(default_factory=set)
    calls: dict[str, Resource] = field(default_factory=dict)
    recordings: dict[str, Resource] = field(default_factory=dict)
    transcriptions: dict[str, Resource] = field(default_factory=dict)
    ports: dict[str, Resource] = field(default_factory=dict)
    unportable: set[str] = field(default_factory=set)
    """Numbers that cannot be ported; `mobile` ones need a PIN."""
    mobile: set[str] = field(default_factory=set)
    contents: dict[str, bytes] = field(default_factory=dict)
    """What pictures show and recordings sound like, by SID; with a file beside it, in a file each."""

    def __post_init__(self) -> None:
        """Read the file if there is one."""
        if self.file is not None and self.file.exists():
            kept = json.loads(self.file.read_text("utf-8"))
            self.numbers = kept["numbers"]
            self.messages = {sid: Message(**message) for sid, message in kept["messages"].items()}
            self.calls = kept.get("calls", {})
            self.recordings = kept.get("recordings", {})
            self.transcriptions = kept.get("transcriptions", {})
            self.ports = kept.get("ports", {})
            self.opted_out = {(ours, peer) for ours, peer in kept["opted_out"]}
        self.save()

    def save(self) -> None:
        """Put it on disk, if it is to be there."""
        if self.file is None:
            return
        kept = {
            "numbers": self.numbers,
            "messages": {
                sid: {name: getattr(message, name) for name in Message.__slots__}
                for sid, message in self.messages.items()
            },
            "opted_out": sorted(self.opted_out),
            "calls": self.calls,
            "recordings": self.recordings,
            "transcriptions": self.transcriptions,
            "ports": self.ports,
        }
        keep(self.file, kept)

    def keep_content(self, sid: str, content: bytes) -> None:
        """Keep what a picture shows."""
        if self.file is None:
            self.contents[sid] = content
        else:
            self._content_file(sid).parent.mkdir(mode=0o700, exist_ok=True)
            self._content_file(sid).touch(mode=0o600)
            self._content_file(sid).write_bytes(content)

    def content(self, sid: str) -> bytes:
        """Return what a picture shows."""
        return self.contents[sid] if self.file is None else self._content_file(sid).read_bytes()

    def _content_file(self, sid: str) -> Path:
        return Path(f"{self.file}.media") / sid

    def forget_message(self, sid: str) -> None:
        """Delete a message with its pictures."""
        for media in self.messages.pop(sid).media:
            self.forget_content(media["sid"])
        self.save()

    def forget_content(self, sid: str) -> None:
        """Delete what a picture shows, or a recording sounds like."""
        self.contents.pop(sid, None)
        if self.file is not None:
            self._content_file(sid).unlink(missing_ok=True)

    def owned(self, number: str) -> Resource | None:
        """Find an owned number by its digits."""
        return next((n for n in self.numbers.values() if n["phone_number"] == number), None)

    def forget_number(self, sid: str) -> None:
        """Release a number, with everything that was known of it but its messages."""
        number = self.numbers.pop(sid)["phone_number"]
        self.opted_out = {pair for pair in self.opted_out if pair[0] != number}
        self.save()

    def move_webhooks(self, old: str, new: str) -> None:
        """Point every webhook below `old` to the same path below `new`."""

        def moved(url: str) -> str:
            return new + url.removeprefix(old) if url.startswith(f"{old}/") else url

        for number in self.numbers.values():
            for name in ("sms_url", "voice_url", "status_callback"):
                number[name] = moved(number[name])
        for message in self.messages.values():
            message.callback = moved(message.callback)
        self.save()

    def holdings(self) -> dict[str, Any]:
        """Everything held, as JSON."""
        return {
            "numbers": list(self.numbers.values()),
            "messages": [message.resource for message in self.messages.values()],
            "media": [shape for message in self.messages.values() for shape in message.media],
            "opted_out": [list(pair) for pair in sorted(self.opted_out)],
            "calls": list(self.calls.values()),
            "recordings": list(self.recordings.values()),
            "transcriptions": list(self.transcriptions.values()),
            "ports": list(self.ports.values()),
        }
