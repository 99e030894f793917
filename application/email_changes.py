"""Use cases of another address: asked for with the password, confirmed at the new one, told to the one before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from application.credentials import VerifyPassword
from application.hold import HoldOfJob
from application.job_type import NOW, JobType, Provider
from application.mail import EraseMailAddress, SendMail
from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.jobs import JobLease, Queue
from application.ports.mail import MailKind
from application.ports.store import Store, Tx
from application.ports.tokens import Purpose, Tokens
from application.sign_up import BadToken
from domain.accounts import Account, EmailChangeAsked, EmailChanged, EmailTaken, LinkUsed
from domain.kernel import AccountId
from domain.values import Email, Password

LINK_LIVES = timedelta(hours=1)
FORMER_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class AskEmailChange:
    """Has a link mailed to another address. Whether that has an account makes no difference to the answer."""

    store: Store
    verify_password: VerifyPassword
    clock: Clock

    async def __call__(self, account_id: AccountId, email: Email, password: Password) -> None:
        """Remember the address to be confirmed. Raises EmailChangedLately, PendingDeletion, and as `of_caller` does.

        Repeating with the same address mails another link.
        """
        await self.verify_password.of_caller(account_id, password)

        async def change(tx: Tx) -> None:
            account = await tx.accounts.get()
            account.must_be_active()
            account.ask_email_change(email, self.clock.now())
            tx.save(account)

        await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class VerifyEmailChange:
    """Puts the new address in the place of the one before, for whoever is signed in and reads mail there."""

    store: Store
    directory: Directory
    tokens: Tokens
    clock: Clock

    async def __call__(self, account_id: AccountId, token: str) -> Account:
        """Return the account. Raises BadToken, LinkUsed, PendingDeletion; EmailTaken when somebody was faster."""
        named = await self.tokens.read(Purpose.EMAIL_CHANGE, token, self.clock.now())
        if named is None or named[0] != account_id:
            raise BadToken

        async def change(tx: Tx) -> Account:
            account = await tx.accounts.get()
            account.must_be_active()
            if account.new_email is None:
                raise LinkUsed
            holder = await self.directory.account_by_email(account.new_email.canonical)
            if holder not in {None, account_id}:
                raise EmailTaken
            account.change_email(named[1], self.clock.now())
            tx.save(account)
            return account

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class SendEmailChangeMail(SendMail):
    """Sends the link that confirms another address. It is of no use to whoever is not signed in to this account."""

    mail_kind: ClassVar[MailKind] = MailKind.EMAIL_CHANGE
    limited_as: ClassVar[str] = "email_change"

    tokens: Tokens
    clock: Clock

    def address(self, account: Account) -> Email | None:
        """Return the address that is to be confirmed."""
        return account.new_email

    async def link_token(self, account: Account) -> str:
        """Return a token that works until password or address change."""
        expires_at = self.clock.now() + LINK_LIVES
        return await self.tokens.mailed(
            Purpose.EMAIL_CHANGE, account.id, account.email_change_mark, expires_at
        )


class SendEmailChangeAskedMail(SendMail):
    """Tells the present address that another one was asked for."""

    mail_kind: ClassVar[MailKind] = MailKind.EMAIL_CHANGE_ASKED


class SendEmailChangedMail(SendMail):
    """Tells the former address that another one has taken its place."""

    mail_kind: ClassVar[MailKind] = MailKind.EMAIL_CHANGED

    def address(self, account: Account) -> Email | None:
        """Return the address before."""
        return account.former_email


@dataclass(frozen=True, slots=True)
class ForgetAddress:
    """Forgets an address that is the account's no more, or never became so; the mail provider does first."""

    field: ClassVar[str]

    store: Store
    queue: Queue
    erase_mail_address: EraseMailAddress

    async def __call__(self, account_id: AccountId, _subject: UUID, lease: JobLease) -> None:
        """Have it forgotten. Raises NotYetGone, MailUnavailable. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            address: Email | None = getattr(await tx.accounts.get(), self.field)
        if address is None:
            return
        hold = HoldOfJob(self.queue, account_id, lease)
        await self.erase_mail_address.forget(account_id, address, hold)

        async def change(tx: Tx) -> None:
            account = await tx.accounts.get()
            if getattr(account, self.field) == address:
                setattr(account, self.field, None)
                tx.save(account)

        await self.store.update(account_id, change, completing=lease)


class ForgetNewAddress(ForgetAddress):
    """Forgets an address that was not confirmed in its time."""

    field: ClassVar[str] = "new_email"


class ForgetFormerAddress(ForgetAddress):
    """Forgets the address before."""

    field: ClassVar[str] = "former_email"


JOBS = (
    JobType("mail_email_change", SendEmailChangeMail, after={EmailChangeAsked: NOW}, asks=Provider.MAIL),
    JobType(
        "mail_email_change_asked", SendEmailChangeAskedMail, after={EmailChangeAsked: NOW}, asks=Provider.MAIL
    ),
    JobType("mail_email_changed", SendEmailChangedMail, after={EmailChanged: NOW}, asks=Provider.MAIL),
    JobType("forget_new_address", ForgetNewAddress, after={EmailChangeAsked: LINK_LIVES}, asks=Provider.MAIL),
    JobType(
        "forget_former_address", ForgetFormerAddress, after={EmailChanged: FORMER_KEPT}, asks=Provider.MAIL
    ),
)
