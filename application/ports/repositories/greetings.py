"""Reading greetings. Their recordings lie with `Objects`."""

from __future__ import annotations

from typing import Protocol

from domain.greetings import Greeting, GreetingId
from domain.kernel import LineId


class Greetings(Protocol):
    """The greetings of the account's lines."""

    async def get(self, greeting_id: GreetingId) -> Greeting:
        """Return one, heard or not, broken or not. Raises NotFound."""
        ...

    async def of_line(self, line_id: LineId) -> list[Greeting]:
        """Return a line's, newest first: the one that is heard and those that are being uploaded; broken ones too."""
        ...

    async def with_carrier_copy(self) -> list[Greeting]:
        """Return those that the carrier may still hold, of every line; broken ones too."""
        ...
