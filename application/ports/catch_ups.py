"""Whose turn it is to catch up with a carrier, and how far that has come."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Protocol


class CatchUpTurn(NamedTuple):
    """A process's turn with one carrier. `number` rises with each turn: an earlier one notes nothing any more."""

    carrier: str
    number: int
    caught_up_to: datetime | None
    """Everything that the carrier received before this instant was taken in; None: nobody has caught up yet."""


class CatchUps(Protocol):
    """One turn at a time for each carrier, by the carrier's name. Every method raises StoreUnavailable."""

    async def take(self, carrier: str, now: datetime, until: datetime) -> CatchUpTurn | None:
        """Take the turn until `until`; None while somebody has it at `now`. Whoever dies in it loses it in time."""
        ...

    async def keep(self, turn: CatchUpTurn, until: datetime, caught_up_to: datetime | None = None) -> bool:
        """Let nobody else have a turn before `until`, and note how far it came, if told. False: the turn is over.

        Repeating is harmless.
        """
        ...
