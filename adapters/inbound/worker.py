"""The way in for work: jobs from the queue, and the sweep that time itself calls for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from adapters.inbound.http.problems import where
from application.ports.carrier import CarrierRefused, TooEarly
from application.ports.jobs import Again, Dead, Done, JobKind, LeasedJob, Outcome
from application.ports.keyring import KeyGone
from application.ports.mail import MailKind
from application.ports.store import JobGone, VersionConflict
from application.retention import Sweep
from application.use_cases import UseCases
from domain.exports import ExportNotReady
from domain.kernel import AccountId, ErrorKind, NotFound, PicoError

log = structlog.get_logger()

Handler = Callable[[AccountId, Any, int], Awaitable[object]]
"""A use case given account, subject (an id of the kind that its job is about) and lease."""

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=2), timedelta(hours=6)
ATTEMPTS = 20
"""Deliveries of a job that fails for no reason we know, before a person has to look. Outages are retried for ever."""
SWEEP_EVERY = timedelta(seconds=15)
"""An erasure that falls due starts within a minute."""


def backoff(attempt: int) -> timedelta:
    """Return the wait before the next attempt: doubling, bounded, with jitter so that retries do not march in step."""
    wait = min(FIRST_WAIT * (1 << min(attempt, 20)), LONGEST_WAIT)
    return wait * random.uniform(0.75, 1.25)  # noqa: S311 - jitter needs no secrecy


class Worker:
    """Does jobs. Whatever happens, the queue learns an outcome and never content."""

    def __init__(self, use_cases: UseCases) -> None:
        """Know which use case does which job."""
        self._handlers: dict[JobKind, Handler] = {
            JobKind.SEND_MESSAGE: use_cases.send_queued_message,
            JobKind.DELETE_CARRIER_COPY: use_cases.delete_carrier_copy,
            JobKind.COMPLETE_PURCHASE: use_cases.complete_purchase,
            JobKind.FINISH_RELEASE: use_cases.finish_release,
            JobKind.PURGE_CONVERSATION: use_cases.purge_conversation,
            JobKind.BUILD_EXPORT: use_cases.build_export,
            JobKind.MAIL_VERIFY: partial(_mail, use_cases, MailKind.VERIFY),
            JobKind.MAIL_KNOWN: partial(_mail, use_cases, MailKind.ALREADY_REGISTERED),
            JobKind.MAIL_DELETION: partial(_mail, use_cases, MailKind.DELETION_SCHEDULED),
            JobKind.MAIL_RECOVERED: partial(_mail, use_cases, MailKind.RECOVERED),
            JobKind.MAIL_EXPORT: partial(_mail, use_cases, MailKind.EXPORT_READY),
        }

    async def __call__(self, delivery: LeasedJob) -> Outcome:
        """Do one job and say what came of it. Never raises."""
        job = delivery.job
        try:
            await self._handlers[job.kind](job.account_id, job.subject, delivery.lease)
        except (NotFound, KeyGone, JobGone, ExportNotReady):
            return Done()  # the person, the thing, its time or the job itself is gone: nothing is left to do
        except TooEarly as early:
            return Again(max(early.after, backoff(delivery.attempt)), early.code)
        except PicoError as error:
            # A refusal to send or to sell ends in its use case; here it is one to delete or to release: ask again.
            if error.kind is ErrorKind.UNAVAILABLE or isinstance(error, VersionConflict | CarrierRefused):
                return Again(backoff(delivery.attempt), error.code)
            code = error.code
        except Exception as error:  # noqa: BLE001 - a job must never take the worker down
            code = type(error).__name__
            if delivery.attempt < ATTEMPTS:
                log.error(
                    "job failed", job=job.kind.value, error=code, where=where(error), attempt=delivery.attempt
                )
                return Again(backoff(delivery.attempt), code)
        else:
            return Done()
        log.error("job dead", job=job.kind.value, error=code, attempt=delivery.attempt)
        return Dead(code)


async def _mail(
    use_cases: UseCases, kind: MailKind, account_id: AccountId, _subject: UUID, _ticket: int
) -> None:
    await use_cases.send_mail(account_id, kind)


async def keep_sweeping(sweep: Sweep, every: timedelta = SWEEP_EVERY) -> None:
    """Sweep until cancelled; one that fails is noted by code, and the next one comes all the same."""
    while True:
        try:
            swept = await sweep()
            if swept.accounts or swept.failed:
                log.info("swept", accounts=swept.accounts, failed=swept.failed)
        except PicoError as error:
            log.error("sweep failed", error=error.code)
        except Exception as error:  # noqa: BLE001 - retention must not stop because one sweep did
            log.error("sweep failed", error=type(error).__name__, where=where(error))
        await asyncio.sleep(every.total_seconds())
