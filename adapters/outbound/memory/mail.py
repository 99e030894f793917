"""A mail provider in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from application.ports.mail import MailKind, MailUnavailable
from domain.values import Email, Locale


@dataclass(frozen=True, slots=True)
class SentMail:
    """One mail that the provider took and has not forgotten."""

    to: Email
    kind: MailKind
    locale: Locale
    link_token: str | None = field(repr=False)


class MemoryMail:
    """`Mail` in a list, `sent`, oldest first. Set `outage` to have every method raise MailUnavailable."""

    def __init__(self) -> None:
        self.outage = False
        self.sent: list[SentMail] = []

    async def send(self, to: Email, kind: MailKind, locale: Locale, link_token: str | None) -> None:
        """See `Mail.send`."""
        self._answer()
        self.sent.append(SentMail(to, kind, locale, link_token))

    async def erase(self, address: Email) -> None:
        """See `Mail.erase`."""
        self._answer()
        self.sent[:] = [mail for mail in self.sent if mail.to.canonical != address.canonical]

    async def holds(self, address: Email) -> bool:
        """See `Mail.holds`."""
        self._answer()
        return any(mail.to.canonical == address.canonical for mail in self.sent)

    def _answer(self) -> None:
        if self.outage:
            raise MailUnavailable
