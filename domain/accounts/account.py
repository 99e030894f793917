"""Accounts: signing up, living, leaving, coming back."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from domain.accounts.events import (
    AccountDeletionRequested,
    AccountErasureBegun,
    AccountFreed,
    AccountFrozen,
    AccountRecovered,
    AccountSignedUp,
    AccountVerified,
    AccountWarned,
    AccountWarnedAgain,
    EmailChangeAsked,
    EmailChanged,
    PasswordChanged,
    PasswordReset,
    PrivacyAccepted,
    ProfileChanged,
    TermsAccepted,
)
from domain.accounts.refusals import (
    AccountRestricted,
    EmailChangedLately,
    LinkUsed,
    NotDue,
    NotPendingDeletion,
    NotUnverified,
    PendingDeletion,
)
from domain.accounts.unused import Unused, UnusedStep
from domain.classification import IndexScope, held
from domain.documents import Documents, OtherVersion
from domain.kernel import (
    AccountId,
    Aggregate,
    ChangedMeanwhile,
    SealBroken,
)
from domain.retention import RetentionRule, due
from domain.values import Email, Label, Locale, PasswordHash, SignUpPlace

MARK = 16
"""Bytes by which a link names the password and address it was made for."""


class AccountState(StrEnum):
    """Where an account stands in its life."""

    UNVERIFIED = "unverified"
    ACTIVE = "active"
    PENDING_DELETION = "pending_deletion"
    """Soft-deleted: recoverable until `erase_at`."""
    ERASING = "erasing"
    """The hard-delete saga has begun: there is no way back."""


class InboundChoice(StrEnum):
    """What becomes of what comes in for a frozen account."""

    ACCEPTED = "accepted"
    """It is kept, and nobody is told."""
    REFUSED = "refused"
    """It is turned away, as at a number that nobody leases."""


class Unreachable(StrEnum):
    """Why the address takes no mail of ours."""

    RETURNED = "returned"
    """Mail to it comes back."""
    INVALID = "invalid"
    """There is no such address, by what the mail provider knows."""
    UNWANTED = "unwanted"
    """Somebody who reads mail there called ours spam."""


@dataclass(slots=True, kw_only=True)
class Account(Aggregate):
    """One person's account. While it is unverified it is one attempt to sign up, of which an address may have several.

    The first attempt that is verified takes the address: from then on the directory leads to it and to no other.
    """

    stored_as: ClassVar[str] = "accounts"
    clause: ClassVar[str] = "C1"

    id: AccountId
    email: Annotated[Email, held(index=IndexScope.SYSTEM)]
    new_email: Email | None = None
    """The address that is to be confirmed before it takes the place of `email`, for an hour at most."""
    former_email: Email | None = None
    """The address before, for seven days: it is told, and then forgotten."""
    place: Annotated[SignUpPlace | None, held(index=IndexScope.SYSTEM, readable=False)] = None
    """The place it holds among the sign-ups of its address, while it is unverified."""
    password: Annotated[PasswordHash, held("C2", exported=False)]
    display_name: Annotated[Label, held("C3")]
    locale: Annotated[Locale, held("C4")]
    terms_accepted_at: Annotated[datetime, held("C5")]
    privacy_accepted_at: Annotated[datetime, held("C5")]
    terms_version: Annotated[int, held("C5")] = 1
    privacy_version: Annotated[int, held("C5")] = 2
    created_at: Annotated[datetime, held(bound=True)]
    state: Annotated[AccountState, held("T1", bound=True)] = AccountState.UNVERIFIED
    verified_at: Annotated[datetime | None, held(final=True)] = None
    erase_at: Annotated[datetime | None, held("T2", bound=True)] = None
    restriction: Annotated[InboundChoice | None, held("R5", bound=True)] = None
    """What becomes of what comes in, while the account is frozen."""
    restricted_at: Annotated[datetime | None, held("R5", bound=True)] = None
    unreachable: Annotated[Unreachable | None, held("C22")] = None
    """Why `email` takes no mail, as far as the mail provider said so."""
    unreachable_since: Annotated[datetime | None, held("C22")] = None
    unused_since: Annotated[datetime | None, held("H35", bound=True)] = None
    """Since when nobody has used it, where somebody looks for that."""
    warned_at: Annotated[datetime | None, held("H35", bound=True)] = None
    warned_again_at: Annotated[datetime | None, held("H35", bound=True)] = None

    @classmethod
    def decoy(cls, account_id: AccountId, at: datetime) -> Self:
        """Make nobody's account: work for it is done as for any other, and comes to nothing."""
        return cls(
            id=account_id, email=Email("nobody@invalid"), password=PasswordHash("!"), display_name=Label("Nobody"),
            locale=Locale("en"), terms_accepted_at=at, privacy_accepted_at=at, created_at=at,
            state=AccountState.ERASING,
        )  # fmt: skip

    @classmethod
    def sign_up(
        cls,
        account_id: AccountId,
        *,
        email: Email,
        password: PasswordHash,
        display_name: Label,
        locale: Locale,
        at: datetime,
        documents: Documents,
    ) -> Self:
        """Make an account that accepted terms and privacy policy, as they are, at `at`."""
        account = cls(
            id=account_id,
            email=email,
            password=password,
            display_name=display_name,
            locale=locale,
            terms_accepted_at=at,
            privacy_accepted_at=at,
            terms_version=documents.terms,
            privacy_version=documents.privacy,
            created_at=at,
        )
        account.record(AccountSignedUp(account_id=account_id, subject=account_id, at=at))
        return account

    def is_listed_by(self, field: str) -> bool:
        """Tell whether the directory leads here: by the address once it is verified, by the place until then."""
        return self.is_unverified if field == "place" else self.verified_at is not None

    def take_place(self, place: SignUpPlace) -> None:
        """Hold one of the places of its address, which only one unverified account holds at a time."""
        self.place = place

    def withdraw(self, at: datetime, *, used: bool) -> None:
        """Give up a sign-up before its day is over: erase it. Repeating is harmless; a verified account stays.

        SealBroken for one that was `used`: the row is an old one that somebody put back.
        """
        if self.is_unverified:
            if used or self.outdated:
                raise SealBroken
            self.state = AccountState.ERASING
            self.record(AccountErasureBegun(account_id=self.id, subject=self.id, at=at))

    def verify(self, at: datetime) -> None:
        """Note that the address is the person's own. Raises NotUnverified, SealBroken."""
        self.must_be_whole()
        if not self.is_unverified:
            raise NotUnverified
        self.state, self.verified_at = AccountState.ACTIVE, at
        self.record(AccountVerified(account_id=self.id, subject=self.id, at=at))

    @property
    def account_id(self) -> AccountId:
        """Whose record it is: its own."""
        return self.id

    @property
    def is_active(self) -> bool:
        """Whether the account may be used."""
        return self.state is AccountState.ACTIVE

    @property
    def is_unverified(self) -> bool:
        """Whether nobody has shown yet that the address is theirs."""
        return self.state is AccountState.UNVERIFIED

    @property
    def language(self) -> Locale:
        """In which it is written to: English where what the person chose cannot be read."""
        return Locale("en") if "locale" in self.unreadable else self.locale

    @property
    def is_being_erased(self) -> bool:
        """Whether its erasure has begun, which nothing stops."""
        return self.state is AccountState.ERASING

    @property
    def may_receive_mail(self) -> bool:
        """Whether mail may still go out: not once the provider is being made to forget the address."""
        return not self.is_being_erased

    def note_unreachable(self, why: Unreachable, at: datetime) -> None:
        """Note that mail does not reach the address, by what the provider said of the time `at`. Repeating is harmless.

        The first word stands. What is older than the account was said of somebody who had the address before; providers
        count in whole seconds.
        """
        if self.unreachable is None and at >= self.created_at.replace(microsecond=0):
            self.unreachable, self.unreachable_since = why, at

    def _is_reached(self) -> None:
        self.unreachable = self.unreachable_since = None

    def must_have(self, email: Email) -> None:
        """Raise SealBroken unless this is its address: whoever led here was altered."""
        if self.email.canonical != email.canonical:
            raise SealBroken

    def must_be_active(self) -> None:
        """Raise PendingDeletion unless the account may be used, SealBroken when nobody vouches for its state."""
        self.must_be_whole()
        if not self.is_active:
            raise PendingDeletion

    def must_be_free(self) -> None:
        """Raise AccountRestricted while the account is frozen, SealBroken when nobody vouches for that."""
        self.must_be_whole()
        if self.restriction is not None:
            raise AccountRestricted

    @property
    def refuses_inbound(self) -> bool:
        """Whether it is frozen, and wants nothing that comes in: not then, and not later."""
        return self.is_active and self.restriction is InboundChoice.REFUSED

    def restrict(self, inbound: InboundChoice | None, at: datetime) -> None:
        """Freeze the account, or with None end that. Raises PendingDeletion, SealBroken. Repeating is harmless."""
        self.must_be_active()
        if inbound is self.restriction:
            return
        begins, ends = self.restriction is None, inbound is None
        self.restriction = inbound
        self.restricted_at = None if ends else at if begins else self.restricted_at
        happened = AccountFreed if ends else AccountFrozen
        self.record(happened(account_id=self.id, subject=self.id, at=at))

    def change_profile(self, display_name: Label | None, locale: Locale | None, at: datetime) -> None:
        """Correct what the person told us about themselves; None leaves a field as it is."""
        self.display_name = display_name or self.display_name
        self.locale = locale or self.locale
        self.record(ProfileChanged(account_id=self.id, subject=self.id, at=at))

    def accept(self, terms: int | None, privacy: int | None, documents: Documents, at: datetime) -> None:
        """Note which versions the person has read and accepted; None says nothing of a document.

        Raises OtherVersion for one that does not hold now. What was accepted before keeps its time: repeating is
        harmless.
        """
        if terms not in {None, documents.terms} or privacy not in {None, documents.privacy}:
            raise OtherVersion
        if terms is not None and terms != self.terms_version:
            self.terms_version, self.terms_accepted_at = terms, at
            self.record(TermsAccepted(account_id=self.id, subject=self.id, at=at))
        if privacy is not None and privacy != self.privacy_version:
            self.privacy_version, self.privacy_accepted_at = privacy, at
            self.record(PrivacyAccepted(account_id=self.id, subject=self.id, at=at))

    @property
    def credentials_mark(self) -> bytes:
        """What changes with the password and with the address: a link that names it works until either does.

        16 bytes of SHA-256 over a hash with 128 random bits of salt: they tell nothing of either.
        """
        said = f"{self.password}|{self.email.canonical}"
        return hashlib.sha256(said.encode()).digest()[:MARK]

    @property
    def email_change_mark(self) -> bytes:
        """What a link to confirm another address names: the one before, the new one, and the password."""
        said = f"{self.password}|{self.email.canonical}|{self.new_email}"
        return hashlib.sha256(said.encode()).digest()[:MARK]

    def ask_email_change(self, email: Email, at: datetime) -> None:
        """Have another address confirmed. Raises EmailChangedLately; the same one can be asked for again."""
        if self.former_email is not None or self.new_email not in {None, email}:
            raise EmailChangedLately
        self.new_email = email
        self.record(EmailChangeAsked(account_id=self.id, subject=self.id, at=at))

    def change_email(self, mark: bytes, at: datetime) -> None:
        """Put the confirmed address in the place of the one before. Raises LinkUsed, SealBroken."""
        self.must_be_whole()
        if self.new_email is None or not hmac.compare_digest(mark, self.email_change_mark):
            raise LinkUsed
        moved = self.new_email.canonical != self.email.canonical
        self.former_email = self.email if moved else None
        self.email, self.new_email = self.new_email, None
        self._is_reached()  # the link was mailed there, and came
        self.record(EmailChanged(account_id=self.id, subject=self.id, at=at))

    def change_password(self, password: PasswordHash, instead_of: PasswordHash, at: datetime) -> None:
        """Take another password in the place of the one that was checked. Raises ChangedMeanwhile."""
        if self.password != instead_of:
            raise ChangedMeanwhile
        self.password = password
        self.record(PasswordChanged(account_id=self.id, subject=self.id, at=at))

    def must_be_at(self, mark: bytes) -> None:
        """Raise LinkUsed unless password and address are those that a link was made for, SealBroken if altered."""
        self.must_be_whole()
        if self.is_being_erased or not hmac.compare_digest(mark, self.credentials_mark):
            raise LinkUsed

    def reset_password(self, password: PasswordHash, mark: bytes, at: datetime) -> None:
        """Take another password, by a link that was made for the one there is. Raises LinkUsed, SealBroken.

        An account that waits to be deleted goes on waiting; its person can come back with the new password.
        """
        self.must_be_at(mark)
        self.password = password
        self._is_reached()
        self.record(PasswordReset(account_id=self.id, subject=self.id, at=at))

    def rehash(self, password: PasswordHash) -> None:
        """Keep the same password under newer hashing parameters."""
        self.password = password

    @property
    def unused(self) -> Unused | None:
        """Since when nobody has used it, and how often the person was warned; None while somebody does."""
        if self.unused_since is None:
            return None
        return Unused(self.unused_since, self.warned_at, self.warned_again_at)

    @property
    def may_be_unused(self) -> bool:
        """Whether it may go for not being used: not while it is frozen, nor where no mail could warn its person."""
        return self.is_active and self.restriction is None and self.unreachable is None

    def note_unused(self, since: datetime) -> None:
        """Note that nobody has used it since then. Repeating is harmless: the first word stands."""
        self.unused_since = self.unused_since or since

    def note_use(self) -> bool:
        """Note that somebody uses it: no warning counts any more. Return whether anything was noted before."""
        noted = self.unused_since is not None
        self.unused_since = self.warned_at = self.warned_again_at = None
        return noted

    def warn(self, step: UnusedStep, at: datetime) -> None:
        """Note that the person is told that it will be deleted, for the first or the second time."""
        if step is UnusedStep.WARN:
            self.warned_at = at
            self.record(AccountWarned(account_id=self.id, subject=self.id, at=at))
        else:
            self.warned_again_at = at
            self.record(AccountWarnedAgain(account_id=self.id, subject=self.id, at=at))

    def request_deletion(self, at: datetime, erase_at: datetime) -> None:
        """Soft-delete: refuse all use from now on, erase at `erase_at`. Repeating is harmless.

        One that waits already can be had to wait less, and never more.
        """
        if self.state is AccountState.ACTIVE:
            self.state, self.erase_at = AccountState.PENDING_DELETION, erase_at
            self.record(AccountDeletionRequested(account_id=self.id, subject=self.id, at=at))
        elif self.state is AccountState.PENDING_DELETION and self.erase_at is not None:
            self.erase_at = min(self.erase_at, erase_at)

    def is_recoverable(self, at: datetime) -> bool:
        """Tell whether it waits to be deleted, and the recovery period has not run out."""
        if self.state is not AccountState.PENDING_DELETION or self.erase_at is None:
            return False
        return not due(self.erase_at, timedelta(), at)

    def recover(self, at: datetime) -> None:
        """Undo the soft delete. Raises SealBroken; NotPendingDeletion, also when the recovery period has run out."""
        self.must_be_whole()
        if not self.is_recoverable(at):
            raise NotPendingDeletion
        self.state, self.erase_at = AccountState.ACTIVE, None
        self.record(AccountRecovered(account_id=self.id, subject=self.id, at=at))

    def begin_erasure(
        self,
        now: datetime,
        unverified: RetentionRule,
        requested: datetime | None = None,
        *,
        used: bool = False,
    ) -> None:
        """Refuse recovery from now on. Raises NotDue before the account's time. Repeating is harmless.

        Its row may be altered, or an old one that somebody put back, which opens: `requested`, when it is due by what
        the erasure ledger knows, and `used`, whether it is more than an attempt to sign up, are known from elsewhere.
        SealBroken where they contradict the row.
        """
        if self.state is AccountState.ERASING:
            return
        if not (self.altered and _is_due(requested, now)):  # else it is due, whatever the row says
            if self.altered and not self.is_unverified:
                raise SealBroken
            over = self.is_unverified and unverified.due(self.created_at, now)
            used = used or self.outdated or self.verified_at is not None
            asked_for = self.state is AccountState.PENDING_DELETION and _is_due(self.erase_at, now)
            if not over and not asked_for:
                raise NotDue
            if used if over else requested is None:
                raise SealBroken
        self.state = AccountState.ERASING
        self.record(AccountErasureBegun(account_id=self.id, subject=self.id, at=now))

    def must_be_erasing(self, now: datetime, requested: datetime | None, *, used: bool) -> None:
        """Raise SealBroken unless its erasure has begun, by its own seal or by what is known from elsewhere."""
        verified = self.outdated or self.verified_at is not None
        vouched_for = not self.altered or _is_due(requested, now) or not (used or verified)
        if not vouched_for or self.state is not AccountState.ERASING:
            raise SealBroken


def _is_due(at: datetime | None, now: datetime) -> bool:
    return at is not None and due(at, timedelta(), now)
