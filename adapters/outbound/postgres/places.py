"""How a worker's places are shared out: jobs that ask one provider take a part of them and no more.

So a provider that keeps each request until it times out fills its part, and the jobs that do not ask it go on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from application.job_type import Provider
from application.jobs import ASKED, JOB_TYPES

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

    def open_to(self, under_way: Iterable[str]) -> list[str] | None:
        """Return the names of the jobs that may be begun; None where all may."""
        full = {provider for provider, jobs in self._asking(under_way).items() if jobs >= self.of_one}
        return [name for name in self.names if self.asked.get(name) not in full] if full else None

    def begun(self, due: Iterable[DueJob], under_way: Iterable[str]) -> list[DueJob]:
        """Return which of the jobs that are due find a place, in their order."""
        asking, chosen = self._asking(under_way), []
        for job in due:
            provider = self.asked.get(job.name)
            if provider is not None:
                if asking[provider] >= self.of_one:
                    continue
                asking[provider] += 1
            chosen.append(job)
        return chosen

    def made_room(self, before: Iterable[str], ended: str) -> bool:
        """Tell whether the end of a job lets one begin that could not: its provider's part was taken."""
        provider = self.asked.get(ended)
        return provider is not None and self._asking(before)[provider] >= self.of_one

    def _asking(self, under_way: Iterable[str]) -> Counter[Provider]:
        return Counter(self.asked[name] for name in under_way if name in self.asked)


EVERY_JOB = Places(ASKED, JOB_TYPES)
"""The places of a process that does every kind of job."""
