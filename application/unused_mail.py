"""The two mails that warn whoever does not use their account (clause H35)."""

from __future__ import annotations

from typing import ClassVar

from application.job_type import NOW, JobType, Provider
from application.mail import SendMail
from application.ports.mail import MailKind
from domain.accounts import Account, AccountWarned, AccountWarnedAgain


class SendUnusedMail(SendMail):
    """Warns that an account which nobody uses will be deleted."""

    mail_kind: ClassVar[MailKind] = MailKind.UNUSED

    def is_called_for(self, account: Account) -> bool:
        """Tell whether nobody has used it since."""
        return account.is_active and account.warned_at is not None


class SendUnusedStillMail(SendUnusedMail):
    """Warns a second time."""

    mail_kind: ClassVar[MailKind] = MailKind.UNUSED_STILL


JOBS = (
    JobType("mail_unused", SendUnusedMail, after={AccountWarned: NOW}, attempts=None, asks=Provider.MAIL),
    JobType(
        "mail_unused_still",
        SendUnusedStillMail,
        after={AccountWarnedAgain: NOW},
        attempts=None,
        asks=Provider.MAIL,
    ),
)
