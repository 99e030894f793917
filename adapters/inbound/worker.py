"""Runs jobs from the queue, and the sweep that time itself calls for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from adapters.error_report import report
from application.catching_up import CatchUp
from application.jobs import JOB_TYPES
from application.ports.clock import Clock
from application.ports.jobs import Again, Dead, Done, LeasedJob, Outcome
from application.ports.keyring import KeyGone
from application.ports.store import JobGone, VersionConflict
from application.retention import SweepResult
from application.use_cases import UseCases
from domain.erasure import NotYetGone
from domain.kernel import ErrorKind, NotFound, PicoError, SealBroken

log = structlog.get_logger()

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=2), timedelta(hours=6)
SWEEP_EVERY = timedelta(seconds=15)
"""An erasure that falls due starts within a minute (clause T2)."""

CATCH_UP_EVERY = timedelta(seconds=5)
"""How often a process asks whether it is its turn to catch up with the carriers."""

MAY_PASS = (ErrorKind.UNAVAILABLE, ErrorKind.BROKEN, ErrorKind.FULL)
"""A job waits for these as long as it takes: what is away comes back, what is damaged is mended by somebody."""
MAY_BE_MENDED = (SealBroken, VersionConflict)
"""A job waits for these, too, though whoever asked by hand need not."""


def backoff(attempt: int) -> timedelta:
    """Return the wait before the next attempt: doubling, bounded, with jitter so that retries spread out."""
    wait = min(FIRST_WAIT * (1 << min(attempt, 20)), LONGEST_WAIT)
    return wait * random.uniform(0.75, 1.25)  # noqa: S311 - jitter needs no secrecy


class Worker:
    """Does jobs by name. Whatever happens, the queue learns an outcome and never content."""

    def __init__(self, use_cases: UseCases, clock: Clock) -> None:
        """Do jobs with the handlers of `use_cases`; ages of jobs are told by `clock`."""
        self._handlers = use_cases.job_handlers
        self._clock = clock

    async def __call__(self, leased: LeasedJob) -> Outcome:
        """Do one job and say what came of it. Never raises."""
        job = leased.job
        try:
            await self._handlers[job.name](job.account_id, job.subject, leased.lease)
        except (NotFound, KeyGone, JobGone):
            return Done()  # the account, the subject or the job itself is gone: nothing is left to do
        except PicoError as error:
            if isinstance(error, SealBroken):
                report(error, "seal broken", job=job.name)
            self._alarm_if_old(leased, error)
            wait = max(error.retry_after or timedelta(), backoff(leased.attempt))
            if isinstance(error, NotYetGone) and error.within is not None:
                wait = min(wait, error.within)
            lasting = error.kind not in MAY_PASS and not isinstance(error, MAY_BE_MENDED)
            return self._give_up(leased, error, error.code) if lasting else Again(wait, error.code)
        except Exception as error:  # noqa: BLE001 - a job must never end the worker
            code = type(error).__name__
            report(error, "job failed", job=job.name, attempt=leased.attempt)
            self._alarm_if_old(leased, error)
            return self._give_up(leased, error, code)
        return Done()

    def _give_up(self, leased: LeasedJob, error: Exception, code: str) -> Outcome:
        """Set the job aside if it has used up its attempts; otherwise it is tried again."""
        attempts = JOB_TYPES[leased.job.name].attempts
        if attempts is None or leased.attempt < attempts:
            return Again(backoff(leased.attempt), code)
        report(error, "job dead", job=leased.job.name, attempt=leased.attempt)
        return Dead(code)

    def _alarm_if_old(self, leased: LeasedJob, error: Exception) -> None:
        """Report a job that has been waiting for longer than its kind should."""
        alarm_after = JOB_TYPES[leased.job.name].alarm_after
        if alarm_after is not None and self._clock.now() - leased.queued_at > alarm_after:
            report(error, "job overdue", job=leased.job.name, attempt=leased.attempt)


async def keep_sweeping(sweep: Callable[[], Awaitable[SweepResult]], every: timedelta = SWEEP_EVERY) -> None:
    """Sweep until cancelled; one that fails is noted by code, and the next one comes all the same."""
    while True:
        try:
            result = await sweep()
            if result.failed:
                log.error("sweep failed", failed=dict(result.failed))
            for error in result.unforeseen:
                report(error, "sweep failed")
            if result.counts["accounts"]:
                log.info("erasures begun", accounts=result.counts["accounts"])
        except Exception as error:  # noqa: BLE001 - retention must not stop because one sweep did
            report(error, "sweep failed")
        await asyncio.sleep(every.total_seconds())


async def keep_catching_up(catch_up: CatchUp, every: timedelta = CATCH_UP_EVERY) -> None:
    """Catch up with the carriers until cancelled, at moments that no two processes share for long."""
    while True:
        await asyncio.sleep(every.total_seconds() * random.uniform(0.5, 1.5))  # noqa: S311 - not a secret
        try:
            caught_up = await catch_up()
            if caught_up.taken_in:
                log.warning("messages without a webhook", messages=caught_up.taken_in)
            if caught_up.failed:
                log.error("catching up failed", failed=dict(caught_up.failed))
            for unforeseen in caught_up.unforeseen:
                report(unforeseen, "catching up failed")
        except PicoError as error:
            log.warning("catching up failed", error=error.code)
        except Exception as error:  # noqa: BLE001 - what is missed next must be found all the same
            report(error, "catching up failed")
