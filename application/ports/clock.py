"""What time it is."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The one source of the present: nothing else in the product reads a clock."""

    def now(self) -> datetime:
        """Return the present instant, in UTC, aware, to the microsecond."""
        ...
