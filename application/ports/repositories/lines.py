"""Reading phone lines."""

from __future__ import annotations

from typing import Protocol

from domain.kernel import LineId
from domain.lines import LineState, PhoneLine


class Lines(Protocol):
    """The account's lines, in any state."""

    async def get(self, line_id: LineId) -> PhoneLine:
        """Return one line. Raises NotFound."""
        ...

    async def get_even_broken(self, line_id: LineId) -> PhoneLine:
        """Return one line, broken or not. Raises NotFound."""
        ...

    async def list_all(self) -> list[PhoneLine]:
        """Return all lines, broken ones too, newest first."""
        ...

    async def page(self, state: LineState | None, before: LineId | None, limit: int) -> list[PhoneLine]:
        """Return up to `limit` lines, of one state or of all, broken ones too, newest first; those before `before`."""
        ...
