"""A kind of job: its name, the use case that does it, and the events that call for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol

from application.ports.jobs import JobLease
from domain.kernel import AccountId, Event

NOW = timedelta()


class Provider(StrEnum):
    """Whose answer a job waits for."""

    CARRIER = "carrier"
    PUSH = "push"
    MAIL = "mail"
    PAYMENTS = "payments"
    OBJECTS = "objects"
    """What moves pictures and recordings from a carrier to our own objects is here, whichever of both is slow."""
    RECEIVERS = "receivers"
    """Servers of our users', who hear of events by webhook."""


NO_EVENTS: Mapping[type[Event], timedelta] = MappingProxyType({})


class JobHandler(Protocol):
    """A use case that does one kind of job. `subject` is an id of whatever the job is about."""

    async def __call__(self, account_id: AccountId, subject: Any, lease: JobLease, /) -> None:  # noqa: ANN401 - each job type's own id
        """Do the job. Repeating is harmless: a job may be delivered twice."""
        ...


@dataclass(frozen=True, slots=True)
class JobType:
    """One row of a use case's table of jobs.

    `after` says how long after each event the job is due. `attempts` bounds the tries of a job that fails for no
    known reason, before it is set aside (outages are retried for ever); None: never set aside. A job older than
    `alarm_after` is reported at every further try. `asks` is the provider whose answer it waits for: a worker gives the
    jobs that ask the same one a part of its places and no more, so that a provider that hangs holds up no others.
    `at_once` is how many of its kind a worker does at the same time, where that is fewer than it has places for,
    `every` the least time between two of its kind that it begins.
    """

    name: str
    use_case: type[JobHandler]
    after: Mapping[type[Event], timedelta] = field(default_factory=lambda: NO_EVENTS)
    attempts: int | None = 20
    alarm_after: timedelta | None = None
    asks: Provider | None = None
    at_once: int | None = None
    every: timedelta | None = None
