"""Mail by SendGrid's Web API v3 (docs.sendgrid.com: Mail Send, Suppressions, Recipients' Data Erasure)."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

from sendgrid.helpers.mail import (
    BypassBounceManagement,
    BypassSpamManagement,
    BypassUnsubscribeManagement,
    Category,
    ClickTracking,
    Content,
    From,
    Ganalytics,
    Header,
    MailSettings,
    OpenTracking,
    SubscriptionTracking,
    To,
    TrackingSettings,
)
from sendgrid.helpers.mail import Mail as Message
from typing_extensions import override

from adapters.outbound.sendgrid.http import SendGridHttp
from adapters.outbound.sendgrid.letters import Letter, Link, letter
from application.ports.mail import ASKED_FOR, Mail, MailKind
from domain.values import Email, Locale

SUPPRESSIONS = ("bounces", "blocks", "invalid_emails", "spam_reports")
"""The lists of addresses to which SendGrid sends nothing any more."""


@dataclass(frozen=True, slots=True)
class SendGridMail(Mail):
    """`Mail` through SendGrid, in words of our own: its templates, its tracking and its links stay unused.

    It can be asked to forget an address and takes a job for it, but nowhere says when that is done: what `holds`
    tells is whether one of its lists of addresses still has it.
    """

    http: SendGridHttp
    sender: str
    """The address that mails come from, verified at SendGrid."""
    link: Link = field(repr=False)

    @property
    @override
    def shows_what_it_holds(self) -> bool:
        return False

    @override
    async def send(self, to: Email, kind: MailKind, locale: Locale, link_token: str | None) -> None:
        written = letter(kind, locale, link_token, self.link)
        await self.http.ask("POST", "/v3/mail/send", _message(self.sender, to, kind, written))

    @override
    async def erase(self, address: Email) -> None:
        await self.http.ask("POST", "/v3/recipients/erasejob", {"email_addresses": [str(address)]})
        for suppression in SUPPRESSIONS:
            await self.http.ask("DELETE", _entry(suppression, address), may_lack=True)

    @override
    async def holds(self, address: Email) -> bool:
        for suppression in SUPPRESSIONS:
            if await self.http.ask("GET", _entry(suppression, address), may_lack=True):
                return True
        return False


def _message(sender: str, to: Email, kind: MailKind, written: Letter) -> object:
    """Return a mail as SendGrid takes it.

    Nothing counts whether it is opened or followed, and its category is its kind. Whoever once took a mail of ours for
    spam still gets these: each is about their own account. What somebody waits for is tried where mail came back, too.
    """
    message = Message(
        From(sender, "Pico"),
        To(str(to)),
        written.subject,
        Content("text/plain", written.text),
        Content("text/html", written.html),
    )
    message.add_category(Category(kind.value))
    message.add_header(Header("Content-Language", written.language))
    tracking = TrackingSettings(
        ClickTracking(False, False), OpenTracking(False), SubscriptionTracking(False), Ganalytics(False)
    )
    message.tracking_settings = tracking
    settings = MailSettings()
    settings.bypass_spam_management = BypassSpamManagement(True)
    settings.bypass_unsubscribe_management = BypassUnsubscribeManagement(True)
    if kind in ASKED_FOR:
        settings.bypass_bounce_management = BypassBounceManagement(True)
    message.mail_settings = settings
    return message.get()


def _entry(suppression: str, address: Email) -> str:
    return f"/v3/suppression/{suppression}/{quote(str(address), safe='')}"
