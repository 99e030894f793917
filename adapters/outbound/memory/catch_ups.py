"""Turns to catch up with carriers, in memory."""

from __future__ import annotations

from datetime import datetime

from typing_extensions import override

from application.ports.catch_ups import CatchUps, CatchUpTurn


class MemoryCatchUps(CatchUps):
    """`CatchUps` in a dictionary: the latest turn of each carrier, and until when it lasts."""

    def __init__(self) -> None:
        """Begin with no turn taken."""
        self.turns: dict[str, tuple[CatchUpTurn, datetime]] = {}

    @override
    async def take(self, carrier: str, now: datetime, until: datetime) -> CatchUpTurn | None:
        before, held_until = self.turns.get(carrier, (CatchUpTurn(carrier, 0, None), now))
        if held_until > now:
            return None
        turn = before._replace(number=before.number + 1)
        self.turns[carrier] = turn, until
        return turn

    @override
    async def keep(self, turn: CatchUpTurn, until: datetime, caught_up_to: datetime | None = None) -> bool:
        latest, _ = self.turns[turn.carrier]
        if latest.number != turn.number:
            return False
        self.turns[turn.carrier] = latest._replace(caught_up_to=caught_up_to or latest.caught_up_to), until
        return True
