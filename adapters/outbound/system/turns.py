"""Waiting for one's turn: few run, a bounded number wait, and both are shared evenly among callers and accounts."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from random import randint

from application.ports.passwords import Overloaded

AGAIN_AFTER = 5, 20
"""Seconds, from and to: what a full line of hashes takes."""

Place = asyncio.Future[None]
Line = OrderedDict[str, deque[Place]]
"""Places by account, the oldest first; whose turn is next stands in front."""


class Turns:
    """Gives each caller its turn, and within a caller each account that it asks for.

    When all places are taken, a newcomer with fewer of them gets one of whoever has most: many requests from one
    caller, or for one account, shuts nobody else out.
    """

    def __init__(self, *, at_once: int, waiting: int) -> None:
        """Let `at_once` run, and `waiting` more wait."""
        self._free = at_once
        self._places = waiting
        self._lines: OrderedDict[str, Line] = OrderedDict()

    @asynccontextmanager
    async def turn(self, caller: str, account: str) -> AsyncIterator[None]:
        """Wait for a turn and hold it for the block. Raises Overloaded, also after having waited."""
        if self._free > 0:
            self._free -= 1
        else:
            await self._wait(caller, account)
        try:
            yield
        finally:
            self._hand_on()

    async def _wait(self, caller: str, account: str) -> None:
        if sum(map(held, self._lines.values())) >= self._places:
            self._make_room(caller, account)
        place: Place = asyncio.get_running_loop().create_future()
        self._lines.setdefault(caller, OrderedDict()).setdefault(account, deque()).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                self._leave(caller, account, place)
            elif place.exception() is None:
                self._hand_on()  # The turn had come at the same moment.
            raise

    def _make_room(self, caller: str, account: str) -> None:
        """Have somebody give up a place. Raises Overloaded when nobody holds more than the newcomer would."""
        mine = self._lines.get(caller, OrderedDict())
        crowd = max(self._lines, key=lambda name: held(self._lines[name]), default=caller)
        if held(self._lines.get(crowd, OrderedDict())) <= held(mine) + 1:
            crowd = caller
        line = self._lines.get(crowd, OrderedDict())
        longest = max(line, key=lambda name: len(line[name]), default=account)
        if longest not in line or (crowd == caller and len(line[longest]) <= len(line.get(account, ())) + 1):
            raise _refusal()
        newest = line[longest][-1]
        self._leave(crowd, longest, newest)
        if not newest.done():
            newest.set_exception(_refusal())

    def _hand_on(self) -> None:
        """Give the turn to whoever is next, or keep it free."""
        while self._lines:
            caller, line = next(iter(self._lines.items()))
            account, places = next(iter(line.items()))
            place = places[0]
            self._leave(caller, account, place)
            if account in line:
                line.move_to_end(account)
            if caller in self._lines:
                self._lines.move_to_end(caller)
            if not place.done():
                place.set_result(None)
                return
        self._free += 1

    def _leave(self, caller: str, account: str, place: Place) -> None:
        line = self._lines.get(caller, OrderedDict())
        with suppress(KeyError, ValueError):
            line[account].remove(place)
            if not line[account]:
                del line[account]
            if not line:
                del self._lines[caller]


def _refusal() -> Overloaded:
    """Return an error that says when to come back: each newcomer at another time, or all of them would at once."""
    error = Overloaded()
    error.retry_after = timedelta(seconds=randint(*AGAIN_AFTER))  # noqa: S311 - it keeps no secret
    return error


def held(line: Line) -> int:
    """Count the places in a line."""
    return sum(map(len, line.values()))
