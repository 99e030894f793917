"""Deleting one kind of thing that has been kept for its time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, Protocol, TypeVar

from domain.kernel import PicoError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PurgeResult:
    """How many were purged; and by code how many could not be, which the next sweep tries again.

    `unforeseen` are those of the errors that nobody foresaw, for whoever reports them.
    """

    purged: int
    failed: Counter[str] = field(default_factory=Counter)
    unforeseen: list[Exception] = field(default_factory=list)


class Purge(Protocol):
    """Deletes, or begins to delete, what a retention rule says is due."""

    name: ClassVar[str]

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        """Purge up to `limit` that are due by `now`, the oldest first. Repeating is harmless."""
        ...


async def purge_each(due: Iterable[T], purge: Callable[[T], Awaitable[bool]]) -> PurgeResult:
    """Purge one after another; one that fails holds up no other. `purge` tells whether there was anything to do."""
    result, purged = PurgeResult(0), 0
    for one in due:
        try:
            purged += await purge(one)
        except PicoError as error:
            result.failed[error.code] += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, the next account must not wait for it
            result.failed[type(error).__name__] += 1
            result.unforeseen.append(error)
    return replace(result, purged=purged)
