"""What each mail says, in English; `locale/` holds it in other languages.

A token stands in a line of its own, so that it can be copied, and in no address: addresses end up in logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from application.ports.mail import MailKind


class Words(NamedTuple):
    """What a mail says above its link, and where that leads: a tag and an operation of the API."""

    subject: str
    body: str
    operation: str


WORDS: Mapping[MailKind, Words] = MappingProxyType({
    MailKind.VERIFY: Words(
        "Confirm your address",
        "Somebody, we hope you, signed up for Pico with this address. To confirm it, give the password of that "
        "sign-up and this token within a day.",
        "accounts/verify_account",
    ),
    MailKind.ALREADY_REGISTERED: Words(
        "You have an account",
        "Somebody tried to sign up for Pico with this address, which has an account already. If it was you, sign "
        "in; if it was not, nothing has happened.",
        "sessions/sign_in",
    ),
    MailKind.PASSWORD_RESET: Words(
        "Choose another password",
        "Somebody, we hope you, asked for another password for your account. To choose it, give this token within "
        "twelve hours; it works once, and signs out every device. If it was not you, your password stays as it is.",
        "accounts/reset_password",
    ),
    MailKind.PASSWORD_CHANGED: Words(
        "Your password was changed",
        "Your account has another password, and every other device was signed out. If it was not you, ask for another "
        "password at once.",
        "accounts/ask_password_reset",
    ),
    MailKind.EMAIL_CHANGE: Words(
        "Confirm your new address",
        "Somebody wants this address for their account. If it was you, give this token within the hour, on a device "
        "that is signed in; if it was not, do nothing.",
        "accounts/verify_email_change",
    ),
    MailKind.EMAIL_CHANGE_ASKED: Words(
        "Your account is to have another address",
        "Somebody who knows your password asked for another address for your account. If it was not you, change your "
        "password at once: then the other address cannot be confirmed any more.",
        "accounts/change_password",
    ),
    MailKind.EMAIL_CHANGED: Words(
        "Your account has another address",
        "Mails go to another address from now on. If it was not you, write to us within seven days: after that we "
        "forget this address.",
        "accounts/read_account",
    ),
    MailKind.DELETION_SCHEDULED: Words(
        "Your account is deleted",
        "You are signed out everywhere and your lines are silent. In 30 days everything is erased for good; until "
        "then you can have it back with your address and your password.",
        "accounts/recover_account",
    ),
    MailKind.RECOVERED: Words(
        "Your account is back",
        "Your account was recovered, and nothing of it will be erased. If it was not you, somebody else knows your "
        "password.",
        "accounts/read_account",
    ),
    MailKind.UNUSED: Words(
        "Nobody uses your account",
        "It has been a long time since anybody was signed in to your account. We do not keep what nobody uses: in two "
        "months the account is deleted. To keep it, sign in.",
        "sessions/sign_in",
    ),
    MailKind.UNUSED_STILL: Words(
        "Your account will be deleted in two weeks",
        "Nobody has signed in to your account since we wrote to you. In two weeks it is deleted, and 30 days later "
        "everything is erased for good. To keep it, sign in.",
        "sessions/sign_in",
    ),
    MailKind.EXPORT_READY: Words(
        "Your export is ready",
        "Everything we hold about you lies in one file. It is there for a day, and gone minutes after you "
        "downloaded it.",
        "exports/list_exports",
    ),
    MailKind.LINE_LOST: Words(
        "A line has lost its number",
        "The carrier has withdrawn the number of one of your lines. What was said on it is still there.",
        "lines/list_lines",
    ),
    MailKind.PAYMENT_FAILED: Words(
        "A payment failed",
        "Your plan could not be renewed; the payment will be tried again. For a week nothing changes: your lines work "
        "as before. To use another card, open the page of your subscription.",
        "billing/open_portal",
    ),
    MailKind.SUBSCRIPTION_LAPSED: Words(
        "Your lines are silent",
        "Your plan is not paid any more. Your lines keep their numbers for now, but nothing goes in or out. With a "
        "plan they work again at once.",
        "billing/open_checkout",
    ),
    MailKind.RELEASE_ANNOUNCED: Words(
        "Your numbers will go",
        "Your plan has not been paid for weeks. In a week the numbers of your lines are given up, and a week later "
        "others may have them. With a plan you keep them.",
        "billing/open_checkout",
    ),
    MailKind.WEBHOOK_DISABLED: Words(
        "A webhook was switched off",
        "An address of yours that we called when something happened in your account has taken no call for days, or "
        "said that it is gone. We call it no more. Once it answers again, switch it on.",
        "webhook_endpoints/change_webhook_endpoint",
    ),
    MailKind.END_IN_STORE: Words(
        "End your subscription in the store",
        "You deleted your account, and a subscription that you bought in an app store goes on: only you can end it, in "
        "that store. Until you do, the store charges you.",
        "billing/read_subscription",
    ),
    MailKind.COMPLETED: Words(
        "Your account is erased",
        "Nothing of your account is left with us. This is our last mail: we kept your address for it alone, and now "
        "forget it. There will be a signed receipt, which anybody can check.",
        "legal/read_public_keys",
    ),
})  # fmt: skip
