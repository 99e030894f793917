"""What happens to accounts."""

from __future__ import annotations

from dataclasses import dataclass

from domain.kernel import (
    Event,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSignedUp(Event):
    """An account was made; its address is not verified yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountVerified(Event):
    """The address was shown to be the person's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChanged(Event):
    """Name or locale was corrected (the right of rectification)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailChangeAsked(Event):
    """The person wants another address: it is still to be confirmed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailChanged(Event):
    """Another address was confirmed, and took the place of the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsAccepted(Event):
    """The person accepted another version of the terms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyAccepted(Event):
    """The person accepted another version of the privacy policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(Event):
    """The person chose another password, with the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordReset(Event):
    """The person chose another password, with a link from their mailbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDeletionRequested(Event):
    """The account was soft-deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRecovered(Event):
    """The person came back within the recovery period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountErasureBegun(Event):
    """The account's time is over: everything of it is being erased."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountWarned(Event):
    """Nobody uses the account, and the person is to be told that it will be deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountWarnedAgain(Event):
    """Nobody uses the account still, and the person is to be told a second time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFrozen(Event):
    """The person had the processing restricted: everything is kept, and nothing done with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFreed(Event):
    """The person had the restriction ended."""
