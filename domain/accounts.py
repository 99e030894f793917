"""Accounts: signing up, living, leaving, coming back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from domain.kernel import AccountId, Aggregate, DomainError, Event, Fault, Found, Kind, plain, sealed
from domain.values import Email, Label, Locale, PasswordHash


class Standing(StrEnum):
    """Where an account stands in its life."""

    UNVERIFIED = "unverified"
    ACTIVE = "active"
    LEAVING = "leaving"
    """Soft-deleted: recoverable until `erase_at`."""
    ERASING = "erasing"
    """The hard-delete saga has begun: there is no way back."""


class Unverified(DomainError):
    """The account's e-mail address has not been verified yet."""

    fault = Fault.FORBIDDEN
    code = "unverified"


class Leaving(DomainError):
    """The account is being deleted; it can be recovered until its due time."""

    fault = Fault.FORBIDDEN
    code = "account_leaving"


class NotLeaving(DomainError):
    """The account is not waiting to be deleted."""

    fault = Fault.CONFLICT
    code = "not_leaving"


class NotDue(DomainError):
    """The account's time to be erased has not come."""

    fault = Fault.CONFLICT
    code = "not_due"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedUp(Event):
    """An account was made; its address is not verified yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified(Event):
    """The address was shown to be the person's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChanged(Event):
    """Name or locale was corrected (the right of rectification)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionRequested(Event):
    """The account was soft-deleted."""

    erase_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered(Event):
    """The person came back within the recovery period."""


@dataclass(slots=True, kw_only=True)
class Account(Aggregate):
    """One person's account."""

    stored_as: ClassVar[str] = "accounts"

    id: Annotated[AccountId, plain(Kind.ID, "C1")]
    email: Annotated[Email, sealed("C1", found=Found.ANYWHERE)]
    password: Annotated[PasswordHash, sealed("C2", exported=False)]
    display_name: Annotated[Label, sealed("C3")]
    locale: Annotated[Locale, sealed("C4")]
    terms_accepted_at: Annotated[datetime, plain(Kind.TIME, "C5")]
    privacy_accepted_at: Annotated[datetime, plain(Kind.TIME, "C5")]
    created_at: Annotated[datetime, plain(Kind.TIME, "C1")]
    standing: Annotated[Standing, plain(Kind.ENUM, "T1")] = Standing.UNVERIFIED
    verified_at: Annotated[datetime | None, plain(Kind.TIME, "C1")] = None
    erase_at: Annotated[datetime | None, plain(Kind.TIME, "T2")] = None

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
    ) -> Self:
        """Make an account that accepted terms and privacy policy at `at`."""
        account = cls(
            id=account_id,
            email=email,
            password=password,
            display_name=display_name,
            locale=locale,
            terms_accepted_at=at,
            privacy_accepted_at=at,
            created_at=at,
        )
        account.record(SignedUp(account_id=account_id, at=at))
        return account

    def sign_up_again(
        self, *, password: PasswordHash, display_name: Label, locale: Locale, at: datetime
    ) -> None:
        """Take the newest attempt for the only one: nobody has shown the address to be theirs so far.

        Whoever tried before keeps nothing: neither password nor link (see `VerifyAccount`).
        """
        self.password, self.display_name, self.locale = password, display_name, locale
        self.terms_accepted_at = self.privacy_accepted_at = self.created_at = at
        self.record(SignedUp(account_id=self.id, at=at))

    def verify(self, at: datetime) -> None:
        """Note that the address is the person's own. Repeating is harmless; raises Leaving."""
        if self.standing is Standing.ACTIVE:
            return
        if self.standing is not Standing.UNVERIFIED:
            raise Leaving
        self.standing, self.verified_at = Standing.ACTIVE, at
        self.record(Verified(account_id=self.id, at=at))

    def must_be_active(self) -> None:
        """Raise Unverified or Leaving unless the account may be used."""
        if self.standing is Standing.UNVERIFIED:
            raise Unverified
        if self.standing is not Standing.ACTIVE:
            raise Leaving

    def change_profile(self, display_name: Label | None, locale: Locale | None, at: datetime) -> None:
        """Correct what the person told us about themselves; None leaves a field as it is."""
        self.display_name = display_name or self.display_name
        self.locale = locale or self.locale
        self.record(ProfileChanged(account_id=self.id, at=at))

    def rehash(self, password: PasswordHash) -> None:
        """Keep the same password under newer hashing parameters."""
        self.password = password

    def leave(self, at: datetime, erase_at: datetime) -> None:
        """Soft-delete: refuse all use from now on, erase at `erase_at`. Repeating is harmless."""
        if self.standing is Standing.ACTIVE:
            self.standing, self.erase_at = Standing.LEAVING, erase_at
            self.record(DeletionRequested(account_id=self.id, at=at, erase_at=erase_at))

    def recover(self, at: datetime) -> None:
        """Undo the soft delete. Raises NotLeaving, also when the recovery period has run out."""
        if self.standing is not Standing.LEAVING or self.erase_at is None or at >= self.erase_at:
            raise NotLeaving
        self.standing, self.erase_at = Standing.ACTIVE, None
        self.record(Recovered(account_id=self.id, at=at))

    def begin_erasure(self, now: datetime, unverified_before: datetime) -> None:
        """Close the way back. Raises NotDue for an account whose time has not come. Repeating is harmless."""
        match self.standing:
            case Standing.LEAVING if self.erase_at is not None and now >= self.erase_at:
                self.standing = Standing.ERASING
            case Standing.UNVERIFIED if self.created_at <= unverified_before:
                self.standing = Standing.ERASING
            case Standing.ERASING:
                pass
            case _:
                raise NotDue
