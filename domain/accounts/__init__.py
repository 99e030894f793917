"""Accounts: who has one, what happens to it, and why something cannot be done with it."""

from __future__ import annotations

from domain.accounts.account import Account, AccountState, InboundChoice, Unreachable
from domain.accounts.events import (
    AccountDeletionRequested,
    AccountErasureBegun,
    AccountFreed,
    AccountFrozen,
    AccountRecovered,
    AccountSignedUp,
    AccountVerified,
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
    EmailTaken,
    LinkUsed,
    NotDue,
    NotPendingDeletion,
    NotUnverified,
    PasswordUnreadable,
    PendingDeletion,
)

__all__ = [
    "Account",
    "AccountDeletionRequested",
    "AccountErasureBegun",
    "AccountFreed",
    "AccountFrozen",
    "AccountRecovered",
    "AccountRestricted",
    "AccountSignedUp",
    "AccountState",
    "AccountVerified",
    "EmailChangeAsked",
    "EmailChanged",
    "EmailChangedLately",
    "EmailTaken",
    "InboundChoice",
    "LinkUsed",
    "NotDue",
    "NotPendingDeletion",
    "NotUnverified",
    "PasswordChanged",
    "PasswordReset",
    "PasswordUnreadable",
    "PendingDeletion",
    "PrivacyAccepted",
    "ProfileChanged",
    "TermsAccepted",
    "Unreachable",
]
