"""Mail to the people we serve: a few fixed kinds, rendered by the adapter in their language."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from domain.kernel import ErrorKind, PicoError
from domain.values import Email, Locale


class MailUnavailable(PicoError):
    """The mail provider did not take the mail; asking again may help, and may send it twice."""

    kind = ErrorKind.UNAVAILABLE
    code = "mail_unavailable"


class MailKind(StrEnum):
    """Every mail there is."""

    VERIFY = "verify"
    """Carries a token: a new address is to be confirmed."""
    ALREADY_REGISTERED = "already_registered"
    """Someone signed up with an address that has an account; only its owner learns so."""
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a word, no password
    """Carries a token: another password can be chosen without the one before."""
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a word, no password
    EMAIL_CHANGE = "email_change"
    """Carries a token, to an address that is to take the place of another."""
    EMAIL_CHANGE_ASKED = "email_change_asked"
    EMAIL_CHANGED = "email_changed"
    """To the address before."""
    DELETION_SCHEDULED = "deletion_scheduled"
    RECOVERED = "recovered"
    UNUSED = "unused"
    """Nobody uses the account: it will be deleted in two months."""
    UNUSED_STILL = "unused_still"
    """Nobody uses the account still: it will be deleted in two weeks."""
    EXPORT_READY = "export_ready"
    LINE_LOST = "line_lost"
    """The carrier has withdrawn the number of one of the person's lines."""
    PAYMENT_FAILED = "payment_failed"
    SUBSCRIPTION_LAPSED = "subscription_lapsed"
    """Nobody pays any more: the lines are silent."""
    RELEASE_ANNOUNCED = "release_announced"
    """The numbers will go, because nobody pays."""
    WEBHOOK_DISABLED = "webhook_disabled"
    """An address that wanted to be called answers no more, and is called no more."""
    END_IN_STORE = "end_in_store"
    """The account is deleted, and a subscription goes on that only the person can end, where it was bought."""

    COMPLETED = "completed"
    """The account is erased. It is the last mail, to an address that is forgotten with it."""


ASKED_FOR = frozenset(
    {MailKind.VERIFY, MailKind.PASSWORD_RESET, MailKind.EMAIL_CHANGE, MailKind.EXPORT_READY}
)
"""What somebody waits for: it is sent, and the provider is to try, even where mail came back before."""


class Mail(Protocol):
    """Every method raises MailUnavailable when the provider did not answer."""

    @property
    def shows_what_it_holds(self) -> bool:
        """Whether `holds` tells of all that the provider keeps: some only tell of addresses they do not serve."""
        return True

    async def send(self, to: Email, kind: MailKind, locale: Locale, link_token: str | None) -> None:
        """Hand one mail to the provider; `link_token` goes into its link. Repeating sends it again."""
        ...

    async def erase(self, address: Email) -> None:
        """Have the provider forget the address and everything sent to it. Repeating is harmless."""
        ...

    async def holds(self, address: Email) -> bool:
        """Tell whether the provider shows that it still holds anything about the address. Repeating is harmless."""
        ...
