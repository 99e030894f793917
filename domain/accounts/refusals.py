"""Why something cannot be done with an account."""

from __future__ import annotations

from domain.kernel import (
    ErrorKind,
    PicoError,
    SealBroken,
)


class NotUnverified(PicoError):
    """The account's e-mail address was verified before, or the sign-up is over."""

    kind = ErrorKind.CONFLICT
    code = "not_unverified"


class PendingDeletion(PicoError):
    """The account is being deleted; it can be recovered until its due time."""

    kind = ErrorKind.FORBIDDEN
    code = "account_pending_deletion"


class NotPendingDeletion(PicoError):
    """The account is not waiting to be deleted."""

    kind = ErrorKind.CONFLICT
    code = "not_pending_deletion"


class NotDue(PicoError):
    """The account's time to be erased has not come."""

    kind = ErrorKind.CONFLICT
    code = "not_due"


class PasswordUnreadable(SealBroken):
    """What is kept of the password is damaged, so no password can be checked."""

    code = "password_unreadable"


class EmailChangedLately(PicoError):
    """The address changed within seven days, or another one is to be confirmed within the hour: wait until then."""

    kind = ErrorKind.CONFLICT
    code = "email_changed_lately"


class EmailTaken(PicoError):
    """Another account has this address."""

    kind = ErrorKind.CONFLICT
    code = "email_taken"


class LinkUsed(PicoError):
    """The link was used before, or password or address changed since it was mailed."""

    code = "link_used"


class AccountRestricted(PicoError):
    """The account is frozen: end that first."""

    kind = ErrorKind.CONFLICT
    code = "account_restricted"
