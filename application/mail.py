"""Use cases of mail: each is sent by a job, so an outage of the provider delays it and loses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from application.erasure_step import ErasureStep
from application.hold import Hold, HoldOfJob
from application.job_type import NOW, JobType, Provider
from application.limits import Counts
from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.jobs import JobLease, Queue
from application.ports.mail import ASKED_FOR, Mail, MailKind, MailUnavailable
from application.ports.store import Store, Tx
from application.ports.tokens import Purpose, Tokens
from domain.accounts import (
    Account,
    AccountDeletionRequested,
    AccountRecovered,
    PasswordChanged,
    PasswordReset,
)
from domain.billing import PaymentFailed, ReleaseAnnounced, SubscriptionLapsed
from domain.erasure import Erasure, NotYetGone
from domain.exports import ExportReady
from domain.kernel import AccountId
from domain.limits import Limit
from domain.lines import LineLost
from domain.retention import Retention
from domain.values import Email, SignUpPlace
from domain.webhook_endpoints import WebhookEndpointDisabled, WebhookState

MAIL_PASSWORD_RESET = "mail_password_reset"  # noqa: S105 - a name, no password
"""The job that a person's request queues."""
MAILS = Limit(name="mails", most=5, within=timedelta(days=1), at_once=3)
"""Of one kind to one address, however many ask for them."""


@dataclass(frozen=True, slots=True)
class SendMail:
    """Sends one of the fixed mails to an account's address. Each kind is a subclass that names it."""

    mail_kind: ClassVar[MailKind]
    limited_as: ClassVar[str] = ""
    """Under which name it is counted per address, if strangers can have it sent: kinds of one name count together."""

    store: Store
    queue: Queue
    mail: Mail
    counts: Counts

    async def __call__(self, account_id: AccountId, _subject: UUID, lease: JobLease) -> None:
        """Send the mail, if it is still called for and the address has not had too many like it.

        Raises JobGone, MailUnavailable. Repeating sends it again.
        """
        async with self.store.begin(account_id) as tx:
            account = await tx.accounts.get()
            still = await self.is_still_so(tx)
        to = self.address(account)
        if to is None or not self._may_go_to(to, account):
            return
        if still and account.may_receive_mail and self.is_called_for(account):
            token = await self.link_token(account)
            await HoldOfJob(self.queue, account_id, lease)()
            await self._send(account, to, token)

    def _may_go_to(self, to: Email, account: Account) -> bool:
        """Tell whether the address takes mail; what somebody waits for is tried all the same."""
        return account.unreachable is None or self.mail_kind in ASKED_FOR or to != account.email

    async def _send(self, account: Account, to: Email, token: str | None) -> None:
        counted = f"{self.limited_as} {to.canonical}"
        if self.limited_as and (await self.counts.take(MAILS, counted)).wait is not None:
            return
        try:
            await self.mail.send(to, self.mail_kind, account.language, token)
        except MailUnavailable:
            if self.limited_as:
                await self.counts.give_back(MAILS, counted)
            raise

    def address(self, account: Account) -> Email | None:
        """Return the address that it goes to, if there is one."""
        return account.email

    def is_called_for(self, account: Account) -> bool:
        """Tell whether the mail still makes sense."""
        return True

    async def is_still_so(self, tx: Tx) -> bool:
        """Tell whether what it says holds, as far as that does not stand in the account's own row."""
        return True

    async def link_token(self, account: Account) -> str | None:
        """Return the token that goes into the mail's link, if it has one."""
        return None


@dataclass(frozen=True, slots=True)
class SendVerificationMail(SendMail):
    """Sends the link that confirms the address of a new account."""

    mail_kind: ClassVar[MailKind] = MailKind.VERIFY
    limited_as: ClassVar[str] = "sign_up"

    tokens: Tokens
    retention: Retention

    def is_called_for(self, account: Account) -> bool:
        """Tell whether the address is still to be confirmed."""
        return account.is_unverified

    async def link_token(self, account: Account) -> str:
        """Return the token of this attempt to sign up."""
        expires_at = self.retention.unverified.ends(account.created_at)
        return await self.tokens.verification(account.id, expires_at)


class SendAlreadyRegisteredMail(SendMail):
    """Tells the owner of an address that somebody tried to sign up with it."""

    mail_kind: ClassVar[MailKind] = MailKind.ALREADY_REGISTERED
    limited_as: ClassVar[str] = "sign_up"


RESET_LINK_LIVES = timedelta(hours=12)
"""As long as it takes, at most, until another one may be mailed: there is always one that works in the mailbox."""


@dataclass(frozen=True, slots=True)
class SendPasswordResetMail(SendMail):
    """Sends a link by which another password can be chosen. For the decoy nothing is sent."""

    mail_kind: ClassVar[MailKind] = MailKind.PASSWORD_RESET
    limited_as: ClassVar[str] = "password_reset"

    tokens: Tokens
    clock: Clock

    async def link_token(self, account: Account) -> str:
        """Return a token that works until password or address change."""
        expires_at = self.clock.now() + RESET_LINK_LIVES
        return await self.tokens.mailed(
            Purpose.PASSWORD_RESET, account.id, account.credentials_mark, expires_at
        )


class SendPasswordChangedMail(SendMail):
    """Tells that another password was chosen, in case it was somebody else."""

    mail_kind: ClassVar[MailKind] = MailKind.PASSWORD_CHANGED


class SendDeletionScheduledMail(SendMail):
    """Confirms that an account will be deleted, and until when it can be recovered."""

    mail_kind: ClassVar[MailKind] = MailKind.DELETION_SCHEDULED


class SendRecoveredMail(SendMail):
    """Confirms that an account was recovered."""

    mail_kind: ClassVar[MailKind] = MailKind.RECOVERED


class SendExportReadyMail(SendMail):
    """Tells that an export can be downloaded."""

    mail_kind: ClassVar[MailKind] = MailKind.EXPORT_READY


class SendLineLostMail(SendMail):
    """Tells that a line has lost its number, without naming it."""

    mail_kind: ClassVar[MailKind] = MailKind.LINE_LOST


class SendPaymentFailedMail(SendMail):
    """Tells that a payment failed and is tried again."""

    mail_kind: ClassVar[MailKind] = MailKind.PAYMENT_FAILED

    async def is_still_so(self, tx: Tx) -> bool:
        """Tell whether it is owed still."""
        subscription = await tx.subscriptions.find()
        return subscription is not None and subscription.past_due_since is not None


class SendSubscriptionLapsedMail(SendMail):
    """Tells that nobody pays any more, so that the lines are silent."""

    mail_kind: ClassVar[MailKind] = MailKind.SUBSCRIPTION_LAPSED

    async def is_still_so(self, tx: Tx) -> bool:
        """Tell whether it has lapsed still."""
        subscription = await tx.subscriptions.find()
        return subscription is not None and subscription.lapsed_at is not None


class SendReleaseAnnouncedMail(SendSubscriptionLapsedMail):
    """Warns that the numbers will go, because nobody pays."""

    mail_kind: ClassVar[MailKind] = MailKind.RELEASE_ANNOUNCED


class SendWebhookDisabledMail(SendMail):
    """Tells that an address which wanted to be called is called no more, without naming it."""

    mail_kind: ClassVar[MailKind] = MailKind.WEBHOOK_DISABLED

    async def is_still_so(self, tx: Tx) -> bool:
        """Tell whether there is still such an endpoint."""
        endpoints = await tx.webhook_endpoints.list_all()
        return any(each.state in {WebhookState.GONE, WebhookState.FAILING} for each in endpoints)


class SendEndInStoreMail(SendMail):
    """Tells who deleted the account that a subscription goes on until they end it in the store."""

    mail_kind: ClassVar[MailKind] = MailKind.END_IN_STORE

    def is_called_for(self, account: Account) -> bool:
        """Tell whether the account is still deleted."""
        return not account.is_active

    async def is_still_so(self, tx: Tx) -> bool:
        """Tell whether there is such a subscription."""
        subscription = await tx.subscriptions.find()
        return subscription is not None and subscription.is_bought_in_store


JOBS = (
    JobType("mail_verification", SendVerificationMail, asks=Provider.MAIL),
    JobType("mail_already_registered", SendAlreadyRegisteredMail, asks=Provider.MAIL),
    JobType(MAIL_PASSWORD_RESET, SendPasswordResetMail, asks=Provider.MAIL),
    JobType(
        "mail_password_changed",
        SendPasswordChangedMail,
        after={PasswordChanged: NOW, PasswordReset: NOW},
        asks=Provider.MAIL,
    ),
    JobType(
        "mail_deletion_scheduled",
        SendDeletionScheduledMail,
        after={AccountDeletionRequested: NOW},
        asks=Provider.MAIL,
    ),
    JobType("mail_recovered", SendRecoveredMail, after={AccountRecovered: NOW}, asks=Provider.MAIL),
    JobType("mail_export_ready", SendExportReadyMail, after={ExportReady: NOW}, asks=Provider.MAIL),
    JobType("mail_line_lost", SendLineLostMail, after={LineLost: NOW}, asks=Provider.MAIL),
    JobType("mail_payment_failed", SendPaymentFailedMail, after={PaymentFailed: NOW}, asks=Provider.MAIL),
    JobType(
        "mail_subscription_lapsed",
        SendSubscriptionLapsedMail,
        after={SubscriptionLapsed: NOW},
        asks=Provider.MAIL,
    ),
    JobType(
        "mail_release_announced", SendReleaseAnnouncedMail, after={ReleaseAnnounced: NOW}, asks=Provider.MAIL
    ),
    JobType(
        "mail_webhook_disabled",
        SendWebhookDisabledMail,
        after={WebhookEndpointDisabled: NOW},
        asks=Provider.MAIL,
    ),
    JobType(
        "mail_end_in_store", SendEndInStoreMail, after={AccountDeletionRequested: NOW}, asks=Provider.MAIL
    ),
)


@dataclass(frozen=True, slots=True)
class EraseMailAddress(ErasureStep):
    """Erasure: the mail provider forgets the address and everything sent to it."""

    name: ClassVar[str] = "mail"
    needs_keys: ClassVar[bool] = True

    store: Store
    mail: Mail
    directory: Directory

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        """Have the address forgotten, and ask again. Raises NotYetGone, MailUnavailable. Repeating is harmless.

        A sign-up that was never verified leaves the address to whoever still waits for mail at it, or has its
        account: it is forgotten with the last of them. One that does not open is counted: nobody can ask for it.
        """
        async with self.store.begin(erasure.account_id) as tx:
            account = await tx.accounts.get_even_broken()
        unreadable = account.unreadable & {"email", "new_email", "former_email"}
        for address in (account.new_email, account.former_email):
            if address is not None:
                await self.forget(account.id, address, hold)
        if "email" not in unreadable:
            await self.forget(account.id, account.email, hold, shared=account.verified_at is None)
        return {"addresses_unreadable": len(unreadable)} if unreadable else {}

    async def forget(self, account_id: AccountId, address: Email, hold: Hold, *, shared: bool = True) -> None:
        """Have one address forgotten, unless it may be `shared` and another sign-up or account uses it.

        Raises as `run` does.
        """
        if shared and await self._is_used_by_another(account_id, address):
            return
        await hold()
        await self.mail.erase(address)
        if await self.mail.holds(address):
            raise NotYetGone

    async def _is_used_by_another(self, account_id: AccountId, address: Email) -> bool:
        """Tell whether a living sign-up or an account has this address; an attempt being erased holds no place."""
        holders = await self.directory.sign_ups(SignUpPlace.every(address))
        found = await self.directory.account_by_email(address.canonical)
        return any(holder not in {None, account_id} for holder in (*holders, found))
