"""Live events: what apps are told as it happens, by ids only, and in which order.

Commits of one account run side by side: a number given out before the commit may become visible after a higher one,
and whoever follows by number would pass over it. So an event is written without a place, and given one only when it is
there for everybody to see.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar, NewType, Self
from uuid import UUID

from domain.classification import held
from domain.kernel import AccountId, Aggregate
from domain.live_kinds import LiveKind

LiveEventId = NewType("LiveEventId", UUID)

_PLACELESS = 1 << 127
"""Set in the id of an event that has no place yet: it sorts after all that have one."""
_MARK_BITS = 64
BEGINNING = LiveEventId(UUID(int=0))
"""Where a stream begins: before its first event."""
NOWHERE = LiveEventId(UUID(int=(1 << 128) - 1))
"""A place that no event ever has."""


def place_of(event: LiveEventId) -> int:
    """Return where an event stands in its stream, counted from 1; 0 is the beginning."""
    return event.int >> _MARK_BITS


def first_at(place: int) -> LiveEventId:
    """Return the least id that an event at a place can have."""
    return LiveEventId(UUID(int=place << _MARK_BITS))


def placed(event: LiveEventId, place: int) -> LiveEventId:
    """Return the id of an event once it has its place: that first, then what tells it from any other at this place.

    The same place is given twice only where a backup was restored: whoever saw the former one is not taken for having
    seen the latter.
    """
    return LiveEventId(UUID(int=place << _MARK_BITS | event.int & (1 << _MARK_BITS) - 1))


def shows(first: LiveEventId, seen: LiveEventId) -> bool:
    """Tell whether nothing is missing behind `seen`, given the first event that is kept at its place or behind it."""
    if not place_of(seen) and seen != BEGINNING:
        return False
    return first == seen or place_of(first) == place_of(seen) + 1


@dataclass(slots=True, kw_only=True)
class LiveEvent(Aggregate):
    """Something that happened to one subject. `id` says where it stands in its account's stream, or that it waits."""

    stored_as: ClassVar[str] = "live_events"
    clause: ClassVar[str] = "C18"

    account_id: AccountId
    id: Annotated[LiveEventId, held(exported=False)]
    kind: Annotated[LiveKind, held(exported=False)]
    subject: Annotated[UUID, held(exported=False)]
    at: Annotated[datetime, held(exported=False)]

    @classmethod
    def of(cls, account_id: AccountId, made: UUID, kind: LiveKind, subject: UUID, at: datetime) -> Self:
        """Return a new event, which has no place yet. `made` is an id of its own: those made later sort later."""
        waiting = LiveEventId(UUID(int=made.int | _PLACELESS))
        return cls(account_id=account_id, id=waiting, kind=kind, subject=subject, at=at)

    @property
    def has_place(self) -> bool:
        """Whether it stands in its stream."""
        return self.id.int < _PLACELESS

    def follows(self, event: LiveEventId) -> bool:
        """Tell whether it stands right behind another, so that nothing is missing between them."""
        return place_of(self.id) == place_of(event) + 1


@dataclass(slots=True, kw_only=True)
class LiveStream(Aggregate):
    """An account's live events in their order, once somebody followed them. `last` is the latest that has its place."""

    stored_as: ClassVar[str] = "live_streams"
    clause: ClassVar[str] = "C18"

    account_id: AccountId
    id: Annotated[AccountId, held(exported=False)]
    last: Annotated[LiveEventId, held(exported=False)] = BEGINNING
