"""What the floor sees before it writes: the line, and the conversation that a message belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from benchmarks.floor.binding import conversation_data
from benchmarks.floor.sealing import Broken, Line, Vault

MILLISECOND = timedelta(milliseconds=1)


@dataclass(slots=True)
class Looked:
    """A line, its conversation with somebody (None: there is none yet), and since when a STOP of theirs has lasted."""

    line: Line
    conversation: Any
    sealed: Any
    opted_out_at: datetime | None
    version: Any
    last_at: Any
    stopped_at: datetime | None
    blocked: bool
    devices: list
    whole: bool = True

    @classmethod
    def at(cls, vault: Vault, line: bytes, row: tuple, peer: str) -> Looked:
        """Open a row of a look. Raises Broken for an altered line, and for a conversation with somebody else."""
        looked = cls(vault.line(line, row[:10]), *row[10:])
        if looked.conversation is None:
            return looked
        bound = conversation_data(looked.line.bound, looked.opted_out_at, looked.version)
        try:
            found = vault.open(vault.peer, looked.conversation.bytes, looked.sealed, bound)
        except Broken:
            looked.whole = False
        else:
            if found.decode() != peer:
                raise Broken
        return looked

    def goes_on(self, now: datetime) -> datetime:
        """Return when the conversation goes on: messages stay in order, also when the clock was set back."""
        return now if now >= self.last_at else self.last_at + MILLISECOND

    def sealed_with(self, vault: Vault, row: bytes, peer: str, since: datetime | None, version: int) -> bytes:
        """Seal the peer for a conversation that will stand like this."""
        bound = conversation_data(self.line.bound, since, version)
        return vault.seal(vault.peer, row, peer.encode(), bound)
