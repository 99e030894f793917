"""Limiting how often a password can be guessed, without letting anybody keep its owner out.

Of an account's password strangers together get ten guesses an hour: six at once, then one every quarter of an hour. A
pause that somebody else has caused lasts no longer than that. One stranger that can be told from others gets fewer, and
leaves some of the six to the rest. Whoever is or was signed in there, and has not been signed out, has guesses that no
stranger can use up. A right password costs nothing, and gives nothing back of what others have guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from application.limits import Counts
from application.ports.limits import Limits
from application.ports.passwords import ASKING
from domain.limits import Limit, Limited

HOUR = timedelta(hours=1)
GUESSES = Limit(name="guesses", most=10, within=HOUR, at_once=6)
"""Of one password, by all strangers together; and by all who are known there."""
OF_A_STRANGER = Limit(name="guesses_of_a_stranger", most=7, within=HOUR, at_once=3)
"""Of one password, by one stranger."""


class TooManyGuesses(Limited):
    """This password was guessed at too often: wait, or have a link mailed to you."""

    code = "too_many_guesses"


@dataclass(frozen=True, slots=True)
class LimitGuesses:
    """Counts guesses at passwords before they are checked. Who a stranger is never leaves the process: `here`."""

    counts: Counts
    here: Limits

    async def take(self, of: str, *, known: bool) -> None:
        """Count a guess at the password `of` an account, or of an address that may have none. Raises TooManyGuesses."""
        if not known and ASKING.get():
            now = self.counts.clock.now()
            taking = await self.here.take(OF_A_STRANGER, f"{ASKING.get()} {of}", now)
            if taking.wait is not None:
                raise TooManyGuesses(OF_A_STRANGER, taking.wait)
        taking = await self.counts.take(GUESSES, _whose(of, known=known))
        if taking.wait is not None:
            raise TooManyGuesses(GUESSES, taking.wait)

    async def give_back(self, of: str, *, known: bool) -> None:
        """Count it no longer: the password was right, or was not checked."""
        if not known and ASKING.get():
            await self.here.give_back(OF_A_STRANGER, f"{ASKING.get()} {of}", self.counts.clock.now())
        await self.counts.give_back(GUESSES, _whose(of, known=known))


def _whose(of: str, *, known: bool) -> str:
    return f"{of} known" if known else of
