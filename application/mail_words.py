"""What each mail says: the one place where its words stand. A mail with a token ends in the link that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from application.ports.mail import MailKind


class Words(NamedTuple):
    """A mail's subject line and its body, in English. Neither holds anything about anybody."""

    subject: str
    body: str


WORDS: Mapping[MailKind, Words] = MappingProxyType({
    MailKind.VERIFY: Words(
        "Confirm your e-mail address",
        "Somebody signed up for Pico with this address. If it was you, follow the link and type the password that you "
        "chose. If it was not, do nothing: in 24 hours nothing is left of it.",
    ),
    MailKind.ALREADY_REGISTERED: Words(
        "You have an account already",
        "Somebody tried to sign up for Pico with this address, which has its account. If it was you, sign in; if you "
        "do not know your password any more, ask for another. If it was not you, there is nothing to do.",
    ),
    MailKind.PASSWORD_RESET: Words(
        "Choose another password",
        "Somebody asked for another password for your account. If it was you, follow the link within twelve hours: it "
        "works once, and signs out every device. If it was not, do nothing: your password stays as it is.",
    ),
    MailKind.PASSWORD_CHANGED: Words(
        "Your password was changed",
        "Your account has another password, and every other device was signed out. If it was not you, ask for another "
        "password at once, and look at the lines of your account.",
    ),
    MailKind.DELETION_SCHEDULED: Words(
        "Your account will be erased in 30 days",
        "Your account was deleted: nobody can use it any more, and your lines are silent. In 30 days everything is "
        "erased. Until then you can have it back with your address and password.",
    ),
    MailKind.RECOVERED: Words(
        "Your account is back",
        "Your account was recovered, with everything in it. If it was not you, change your password.",
    ),
    MailKind.EXPORT_READY: Words(
        "Your export is ready",
        "Everything we hold about you can be downloaded in the app, with your password, for 24 hours.",
    ),
    MailKind.LINE_LOST: Words(
        "One of your lines lost its number",
        "The carrier has withdrawn the number of one of your lines. What was said on it stays with you.",
    ),
})  # fmt: skip
