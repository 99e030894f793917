"""Every kind of job, gathered from the use cases that do them, and which of them an event calls for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta

from application import (
    account_deletion,
    call_reconciliation,
    call_records,
    credentials,
    email_changes,
    erasure,
    exports,
    greetings,
    lines,
    mail,
    media,
    media_upload,
    message_deletion,
    message_following,
    outbound_messages,
    porting,
    push,
    reconciliation,
    renewal,
    search,
    sign_up,
    spoken_greetings,
    subscription_following,
    unused_mail,
    voicemail_audio,
    voicemail_deletion,
    voicemail_transcripts,
    webhook_deliveries,
)
from application.job_type import JobType, Provider
from application.ports.jobs import Job
from domain.kernel import Event

JOBS: tuple[JobType, ...] = (
    *outbound_messages.JOBS,
    *message_following.JOBS,
    *message_deletion.JOBS,
    *call_records.JOBS,
    *call_reconciliation.JOBS,
    *media.JOBS,
    *media_upload.JOBS,
    *voicemail_audio.JOBS,
    *greetings.JOBS,
    *spoken_greetings.JOBS,
    *voicemail_transcripts.JOBS,
    *voicemail_deletion.JOBS,
    *lines.JOBS,
    *porting.JOBS,
    *reconciliation.JOBS,
    *exports.JOBS,
    *push.JOBS,
    *webhook_deliveries.JOBS,
    *search.JOBS,
    *sign_up.JOBS,
    *subscription_following.JOBS,
    *renewal.JOBS,
    *account_deletion.JOBS,
    *credentials.JOBS,
    *mail.JOBS,
    *unused_mail.JOBS,
    *email_changes.JOBS,
    *erasure.JOBS,
)

JOB_TYPES: dict[str, JobType] = {job.name: job for job in JOBS}

ASKED: Mapping[str, Provider] = {job.name: job.asks for job in JOBS if job.asks is not None}
"""The provider that each kind of job asks; those that ask none, or several in turn, are not in it."""

AT_ONCE: Mapping[str, int] = {job.name: job.at_once for job in JOBS if job.at_once is not None}
"""How many of a kind a worker does at the same time, of the kinds that say so."""

EVERY: Mapping[str, timedelta] = {job.name: job.every for job in JOBS if job.every is not None}
"""The least time between two of a kind that a worker begins, of the kinds that say so."""

_CALLED_FOR: dict[type[Event], list[tuple[str, timedelta]]] = defaultdict(list)
for _job in JOBS:
    for _event, _delay in _job.after.items():
        _CALLED_FOR[_event].append((_job.name, _delay))


def jobs_for(event: Event) -> list[Job]:
    """Return the jobs an event calls for."""
    called_for = _CALLED_FOR.get(type(event), ())
    return [Job(name, event.account_id, event.subject, delay) for name, delay in called_for]
