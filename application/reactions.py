"""What each event sets in motion: event in, jobs out, nothing else."""

from __future__ import annotations

from datetime import timedelta

from application.ports.jobs import Job, JobKind
from domain.accounts import AccountDeletionRequested, AccountRecovered, AccountSignedUp
from domain.exports import ExportReady, ExportRequested
from domain.kernel import Event
from domain.lines import LineOrdered, LineReleaseRequested
from domain.messages import (
    ConversationDeleted,
    MessageAccepted,
    MessageDeleted,
    MessageFinal,
    MessageQueued,
    MessageReceived,
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
            | MessageFinal(account_id=account, message_id=message)
        ):
            return [Job(JobKind.DELETE_CARRIER_COPY, account, message, PURGE_AFTER)]
        case MessageQueued(account_id=account, message_id=message):
            return [Job(JobKind.SEND_MESSAGE, account, message)]
        case MessageDeleted(account_id=account, message_id=message):
            return [Job(JobKind.DELETE_CARRIER_COPY, account, message)]
        case ConversationDeleted(account_id=account, conversation_id=conversation):
            return [Job(JobKind.PURGE_CONVERSATION, account, conversation)]
        case LineOrdered(account_id=account, line_id=line):
            return [Job(JobKind.COMPLETE_PURCHASE, account, line, SETTLE_AFTER)]
        case LineReleaseRequested(account_id=account, line_id=line):
            return [Job(JobKind.FINISH_RELEASE, account, line)]
        case ExportRequested(account_id=account, export_id=export):
            return [Job(JobKind.BUILD_EXPORT, account, export)]
        case MessageAccepted(account_id=account, message_id=message):
            return [Job(JobKind.DELETE_CARRIER_COPY, account, message, LOST_AFTER)]
        case AccountSignedUp(account_id=account):
            return [Job(JobKind.MAIL_VERIFY, account, account)]
        case AccountDeletionRequested(account_id=account):
            return [Job(JobKind.MAIL_DELETION, account, account)]
        case AccountRecovered(account_id=account):
            return [Job(JobKind.MAIL_RECOVERED, account, account)]
        case ExportReady(account_id=account):
            return [Job(JobKind.MAIL_EXPORT, account, account)]
        case _:
            return []
