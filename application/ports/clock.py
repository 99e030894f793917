"""What time it is, and whether that can be believed."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from domain.kernel import ErrorKind, PicoError


class ClocksDisagree(PicoError):
    """The clocks at hand differ by more than a minute: nothing may be destroyed for its age until they agree."""

    kind = ErrorKind.UNAVAILABLE
    code = "clocks_disagree"


class Clock(Protocol):
    """The one source of the present: nothing else in the product reads a clock."""

    def now(self) -> datetime:
        """Return the present instant, in UTC, aware, to the microsecond. No wrong setting of a clock moves it."""
        ...

    async def agreed(self) -> datetime:
        """Return the present instant once every clock at hand confirms it: what is destroyed for its age goes by it.

        Raises ClocksDisagree, and what asking a store for its time raises. Repeating is harmless.
        """
        ...
