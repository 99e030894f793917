"""Limits: what was taken of each, by all processes together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.kernel import ErrorKind, PicoError
from domain.limits import Limit, Limited, Taking


class LimitsUnavailable(PicoError):
    """Nobody can say how often this was done: what costs money is refused meanwhile, and nothing else."""

    kind = ErrorKind.UNAVAILABLE
    code = "limits_unavailable"


class Limits(Protocol):
    """Keeps one instant per limit and key. Every method raises LimitsUnavailable when it cannot be looked up.

    `of` says whose limit it is: an id, an address, a prefix. At rest it is a keyed fingerprint and nothing else.
    """

    async def take(self, limit: Limit, of: str, now: datetime, cost: int = 1) -> Taking:
        """Take `cost`, or nothing when less is left: `Taking.wait` says which. Repeating takes again.

        However many take at the same time, together they get no more than the limit allows.
        """
        ...

    async def give_back(self, limit: Limit, of: str, now: datetime, cost: int = 1) -> None:
        """Give back what was taken and not used. Nothing happens where nothing is taken. Repeating gives more back.

        When all is back, nothing is kept: no instant is left that would be in the future of a clock set back.
        """
        ...

    async def purge(self, now: datetime, most: int) -> int:
        """Delete up to `most` instants that have passed by `now`; return how many went. Repeating is harmless."""
        ...


@dataclass(slots=True, kw_only=True)
class Charge:
    """What a unit of work takes of a limit with its commit: once, however often it is run again."""

    limits: Limits
    limit: Limit
    of: str
    at: datetime
    cost: int = 1
    refusal: type[Limited]
    taken: bool = False

    async def take(self) -> None:
        """Take it now, unless it was taken. Raises the refusal when less is left, and LimitsUnavailable."""
        if self.taken:
            return
        taking = await self.limits.take(self.limit, self.of, self.at, self.cost)
        if taking.wait is not None:
            raise self.refusal(self.limit, taking.wait)
        self.taken = True
