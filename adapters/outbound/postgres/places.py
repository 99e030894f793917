"""How a worker's places are shared out: jobs that ask one provider take a part of them and no more.

So a provider that keeps each request until it times out fills its part, and the jobs that do not ask it go on. Jobs of
a kind that takes much, such as erasures, have a part of their own, and are begun one after the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from application.job_type import Provider
from application.jobs import ASKED, AT_ONCE, EVERY, JOB_TYPES

PLACES = 64
"""The most jobs that one process does at the same time."""
OF_ONE = PLACES // 3
"""The most of them that ask the same provider: with two that hang, a third is left (docs/scale.md)."""


class DueJob(NamedTuple):
    """A job that is due, and not yet claimed."""

    account_id: UUID
    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Places:
    """Says what may be begun beside what is under way, which is told by the names of the jobs."""

    asked: Mapping[str, Provider]
    names: Collection[str]
    """Every name that jobs have."""
    of_one: int = OF_ONE
    at_once: Mapping[str, int] = field(default_factory=dict)
    """How many of a kind may be under way, where fewer may than there are places."""
    every: Mapping[str, timedelta] = field(default_factory=dict)
    """The least time between two of a kind that are begun, where there is one."""

    def open_to(self, under_way: Iterable[str]) -> list[str] | None:
        """Return the names of the jobs that may be begun; None where all may."""
        taken = self._taken(under_way)
        full = {part for part, jobs in taken.items() if jobs >= self._most(part)}
        return [name for name in self.names if full.isdisjoint(self._parts(name))] if full else None

    def begun(self, due: Iterable[DueJob], under_way: Iterable[str]) -> list[DueJob]:
        """Return which of the jobs that are due find a place, in their order."""
        taken, chosen = self._taken(under_way), []
        for job in due:
            parts = self._parts(job.name)
            if all(taken[part] < self._most(part) for part in parts):
                taken.update(parts)
                chosen.append(job)
        return chosen

    def made_room(self, before: Iterable[str], ended: str) -> bool:
        """Tell whether the end of a job lets one begin that could not: its provider's part was taken."""
        taken = self._taken(before)
        return any(taken[part] >= self._most(part) for part in self._parts(ended))

    def _parts(self, name: str) -> list[str]:
        """Return what a job of this name takes a part of: its provider's part, and its own kind's."""
        provider = self.asked.get(name)
        return [*([provider] if provider is not None else []), *([name] if name in self.at_once else [])]

    def _most(self, part: str) -> int:
        return self.at_once.get(part, self.of_one)

    def _taken(self, under_way: Iterable[str]) -> Counter[str]:
        return Counter(part for name in under_way for part in self._parts(name))


EVERY_JOB = Places(ASKED, JOB_TYPES, at_once=AT_ONCE, every=EVERY)
"""The places of a process that does every kind of job."""
