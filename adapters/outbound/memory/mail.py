"""A mail provider in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from typing_extensions import override

from application.ports.mail import Mail, MailKind, MailUnavailable
from domain.values import Email, Locale


@dataclass(frozen=True, slots=True)
class SentMail:
    """One mail that the provider took and has not forgotten."""

    to: Email
    kind: MailKind
    locale: Locale
    link_token: str | None = field(repr=False)


class MemoryMail(Mail):
    """`Mail` in a list, `sent`, oldest first. Set `outage` to have every method raise MailUnavailable."""

    def __init__(self) -> None:
        self.outage = False
        self.sent: list[SentMail] = []

    @override
    async def send(self, to: Email, kind: MailKind, locale: Locale, link_token: str | None) -> None:
        self._answer()
        self.sent.append(SentMail(to, kind, locale, link_token))

    @override
    async def erase(self, address: Email) -> None:
        self._answer()
        self.sent[:] = [mail for mail in self.sent if mail.to.canonical != address.canonical]

    @override
    async def holds(self, address: Email) -> bool:
        self._answer()
        return any(mail.to.canonical == address.canonical for mail in self.sent)

    def _answer(self) -> None:
        if self.outage:
            raise MailUnavailable
