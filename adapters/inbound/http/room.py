"""How many requests are being answered at a time: a bounded number, so that whoever is let in is answered soon."""

from __future__ import annotations

from types import TracebackType

from adapters.inbound.http_io import Refused

MOST = 512
"""Requests in work. They wait for a dozen connections to the database: half a second where it serves a thousand."""
MOST_WEBHOOKS = 256
"""Calls of providers in work, beside them: however many an app asks, and however many a provider calls, neither shuts
the other out. Providers repeat what was not taken."""
AGAIN_AFTER = 1
"""Seconds."""


class Busy(Refused):
    """This server has as much to do as it can: ask again in a moment."""

    status = 503
    code = "busy"

    def __init__(self) -> None:
        """Say when."""
        super().__init__({"Retry-After": str(AGAIN_AFTER)})


class Room:
    """Room for work. Whoever waits for a client, to send the rest of a body or to take an answer, takes up none."""

    __slots__ = ("_free",)

    def __init__(self, most: int = MOST) -> None:
        """Have room for so many."""
        self._free = most

    def __enter__(self) -> None:
        """Take a place for the block. Raises Busy."""
        if self._free <= 0:
            raise Busy
        self._free -= 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back."""
        self._free += 1
