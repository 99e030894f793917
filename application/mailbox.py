"""What a caller meets who is to leave a message."""

from __future__ import annotations

from dataclasses import dataclass

from application.ports.store import Tx
from domain.call_instructions import TakeMessage
from domain.lines import PhoneLine


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Says how a message is taken for a line. It has no menu: nothing that a caller presses leads anywhere."""

    async def instruction(self, tx: Tx, line: PhoneLine) -> TakeMessage:
        """Return how a caller is greeted, and how long they may speak. Repeating is harmless."""
        return TakeMessage()
