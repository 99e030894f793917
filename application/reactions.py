"""What each event sets in motion: event in, jobs out, nothing else."""

from __future__ import annotations

from datetime import timedelta

from application.ports.jobs import Job, JobKind
from domain.accounts import DeletionRequested, Recovered, SignedUp
from domain.exports import ExportReady, ExportRequested
from domain.kernel import Event
from domain.lines import LineOrdered, LineReleasing
from domain.messaging import (
    ConversationDeleted,
    MessageAccepted,
    MessageDeleted,
    MessageQueued,
    MessageReceived,
    MessageSettled,
)

SETTLE_AFTER = timedelta(seconds=30)
"""An order is settled within the request; the job is for the times when that fails."""
PURGE_AFTER = timedelta(minutes=2)
"""Carriers refuse to delete a text younger than this (Twilio: error 20009)."""
LOST_AFTER = timedelta(hours=48)
"""A sent text that never reports a last status loses its carrier copy all the same."""


def react(event: Event) -> list[Job]:  # noqa: C901, PLR0911, PLR0912 - a table that reads as one
    """Return the jobs an event calls for."""
    match event:
        case (
            MessageReceived(account_id=account, message_id=message)
            | MessageSettled(account_id=account, message_id=message)
        ):
            return [Job(JobKind.PURGE_COPY, account, message, PURGE_AFTER)]
        case MessageQueued(account_id=account, message_id=message):
            return [Job(JobKind.SEND_MESSAGE, account, message)]
        case MessageDeleted(account_id=account, message_id=message):
            return [Job(JobKind.PURGE_COPY, account, message)]
        case ConversationDeleted(account_id=account, conversation_id=conversation):
            return [Job(JobKind.CLEAR_CONVERSATION, account, conversation)]
        case LineOrdered(account_id=account, line_id=line):
            return [Job(JobKind.SETTLE_ORDER, account, line, SETTLE_AFTER)]
        case LineReleasing(account_id=account, line_id=line):
            return [Job(JobKind.FINISH_RELEASE, account, line)]
        case ExportRequested(account_id=account, export_id=export):
            return [Job(JobKind.BUILD_EXPORT, account, export)]
        case MessageAccepted(account_id=account, message_id=message):
            return [Job(JobKind.PURGE_COPY, account, message, LOST_AFTER)]
        case SignedUp(account_id=account):
            return [Job(JobKind.MAIL_VERIFY, account, account)]
        case DeletionRequested(account_id=account):
            return [Job(JobKind.MAIL_DELETION, account, account)]
        case Recovered(account_id=account):
            return [Job(JobKind.MAIL_RECOVERED, account, account)]
        case ExportReady(account_id=account):
            return [Job(JobKind.MAIL_EXPORT, account, account)]
        case _:
            return []
