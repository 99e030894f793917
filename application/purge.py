"""Deleting one kind of thing that has been kept for its time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Protocol, TypeVar

from domain.kernel import PicoError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PurgeResult:
    """How many were purged; and by code how many could not be, which the next sweep tries again."""

    purged: int
    failed: Counter[str] = field(default_factory=Counter)


class Purge(Protocol):
    """Deletes, or begins to delete, what a retention rule says is due."""

    name: ClassVar[str]

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        """Purge up to `limit` that are due by `now`, the oldest first. Repeating is harmless."""
        ...


async def purge_each(due: Iterable[T], purge: Callable[[T], Awaitable[bool]]) -> PurgeResult:
    """Purge one after another; one that fails holds up no other. `purge` tells whether there was anything to do."""
    purged, failed = 0, Counter[str]()
    for one in due:
        try:
            purged += await purge(one)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next account must not wait for it
            failed[error.code if isinstance(error, PicoError) else type(error).__name__] += 1
    return PurgeResult(purged, failed)
