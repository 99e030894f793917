"""What the mails of a Sandbox say, for the person who reads them there. In English, whatever the locale.

Where an app would open, the link leads to the operation on the API's page.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from application.ports.mail import MailKind


class MailWords(NamedTuple):
    """A mail as it is read."""

    subject: str
    body: str
    link: str


WORDS: Mapping[MailKind, MailWords] = MappingProxyType({
    MailKind.VERIFY: MailWords(
        "Confirm your address",
        "Somebody, we hope you, signed up for Pico with this address. To confirm it, give the password of that "
        "sign-up and this token within a day: {token}",
        "accounts/verify_account",
    ),
    MailKind.ALREADY_REGISTERED: MailWords(
        "You have an account",
        "Somebody tried to sign up for Pico with this address, which has an account already. If it was you, sign "
        "in; if it was not, nothing has happened.",
        "sessions/sign_in",
    ),
    MailKind.DELETION_SCHEDULED: MailWords(
        "Your account is deleted",
        "You are signed out everywhere and your lines are silent. In 30 days everything is erased for good; until "
        "then you can have it back with your address and your password.",
        "accounts/recover_account",
    ),
    MailKind.RECOVERED: MailWords(
        "Your account is back",
        "Your account was recovered, and nothing of it will be erased. If it was not you, somebody else knows your "
        "password.",
        "accounts/read_account",
    ),
    MailKind.EXPORT_READY: MailWords(
        "Your export is ready",
        "Everything we hold about you lies in one file. It is there for a day, and gone minutes after you "
        "downloaded it.",
        "exports/list_exports",
    ),
    MailKind.LINE_LOST: MailWords(
        "A line has lost its number",
        "The carrier has withdrawn the number of one of your lines. What was said on it is still there.",
        "lines/list_lines",
    ),
})  # fmt: skip


def words_of(kind: MailKind, token: str | None, url: str) -> MailWords:
    """Write a mail; `url` is where the API is served."""
    words = WORDS[kind]
    return MailWords(words.subject, words.body.format(token=token), f"{url}/docs#/{words.link}")
