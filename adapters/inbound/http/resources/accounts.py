"""Accounts: sign up, verify, read, correct, delete, recover."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from typing_extensions import TypedDict

import application.account_deletion
import domain.accounts
from adapters.inbound.http.guards import VERSION, Bearer, Conditional
from adapters.inbound.http.input import Change, Input
from adapters.inbound.http.params import (
    Accepted,
    ALabel,
    ALocale,
    AnEmail,
    AToken,
    KnownPassword,
    MaybeLabel,
    MaybeLocale,
    MaybeTrue,
    MaybeVersion,
    NewPassword,
)
from adapters.inbound.http.reply import Id, SpelledOut
from adapters.inbound.http.request import Request
from adapters.inbound.http.resources.sessions import PASSWORD, SESSION, Credentials, SignedIn, signed_in
from adapters.inbound.http.route import OPEN, Route
from application.ports.clock import ClocksDisagree
from application.ports.passwords import Overloaded
from application.sign_up import BadToken
from domain.accounts import (
    EmailChangedLately,
    EmailTaken,
    LinkUsed,
    NotPendingDeletion,
    PasswordUnreadable,
    PendingDeletion,
)
from domain.billing import Seller
from domain.documents import Documents, OtherVersion
from domain.guessing import GuessablePassword
from domain.kernel import ChangedMeanwhile
from domain.requests import Pace


class Acceptance(Input):
    """The person has read and accepted both documents."""

    terms: Accepted
    privacy: Accepted


class SignUp(Input):
    """A new account."""

    email: AnEmail
    password: NewPassword
    display_name: ALabel
    locale: ALocale
    accepted: Acceptance


class Acceptances(Change):
    """The versions that the person has read and accepted: of one document or of both."""

    terms_version: MaybeVersion = None
    privacy_version: MaybeVersion = None


class Verification(Input):
    """The token from the mail, and the password typed when that mail was asked for."""

    token: AToken
    password: KnownPassword


class ProfileChange(Change):
    """What to correct: something, at least. A field left out stays as it is."""

    display_name: MaybeLabel = None
    locale: MaybeLocale = None


class DeletionConfirmation(Input):
    """The password, typed once more before everything is deleted; and whether to do without the time to come back."""

    password: KnownPassword
    waive_recovery: MaybeTrue = None


class PasswordChange(Input):
    """Another password, and the one before."""

    password: KnownPassword
    new_password: NewPassword


class ForgottenPassword(Input):
    """Whose password is to be chosen anew."""

    email: AnEmail


class PasswordReset(Input):
    """The token from the mail, and another password."""

    token: AToken
    new_password: NewPassword


class EmailChange(Input):
    """Another address, and the password."""

    email: AnEmail
    password: KnownPassword


class EmailProof(Input):
    """The token from the mail to the new address."""

    token: AToken


class Restriction(Input):
    """What becomes of what comes in while the account is frozen."""

    inbound: domain.accounts.InboundChoice


class RestrictionInForce(TypedDict):
    """A freeze: since when, and what becomes of what comes in."""

    since: datetime
    inbound: domain.accounts.InboundChoice


class UnreachableBy(TypedDict):
    """That mail does not reach the address: why, and since when."""

    since: datetime
    why: domain.accounts.Unreachable


class Account(TypedDict):
    """What an account says about its person. What was damaged and cannot be read is null."""

    id: Id
    email: str | None
    display_name: str | None
    locale: str | None
    terms_accepted_at: datetime
    privacy_accepted_at: datetime
    terms_version: int
    privacy_version: int
    terms_to_accept: int | None
    privacy_to_accept: int | None
    created_at: datetime
    verified_at: datetime | None
    restriction: RestrictionInForce | None
    unreachable_by_mail: UnreachableBy | None


class DeletionPreview(TypedDict):
    """What is erased with the account, and when; and where its person must end a subscription themselves."""

    erase_at: datetime
    lines: int
    conversations: int
    messages: int
    end_in_store: Annotated[str, SpelledOut(Seller)] | None


def account(of: domain.accounts.Account, documents: Documents) -> Account:
    """Show an account to its person, and what has changed since they accepted it."""
    return {
        "id": str(of.id),
        "email": of.email,
        "display_name": of.display_name,
        "locale": of.locale,
        "terms_accepted_at": of.terms_accepted_at,
        "privacy_accepted_at": of.privacy_accepted_at,
        "terms_version": of.terms_version,
        "privacy_version": of.privacy_version,
        "terms_to_accept": documents.terms if of.terms_version != documents.terms else None,
        "privacy_to_accept": documents.privacy if of.privacy_version != documents.privacy else None,
        "created_at": of.created_at,
        "verified_at": of.verified_at,
        "restriction": _in_force(of),
        "unreachable_by_mail": _unreachable(of),
    }


def _in_force(of: domain.accounts.Account) -> RestrictionInForce | None:
    if of.restriction is None or of.restricted_at is None:
        return None
    return {"since": of.restricted_at, "inbound": of.restriction}


def _unreachable(of: domain.accounts.Account) -> UnreachableBy | None:
    if of.unreachable is None or of.unreachable_since is None:
        return None
    return {"since": of.unreachable_since, "why": of.unreachable}


def preview(of: application.account_deletion.DeletionPreview) -> DeletionPreview:
    """Show what is erased, and when."""
    return {
        "erase_at": of.erase_at,
        "lines": of.lines,
        "conversations": of.conversations,
        "messages": of.messages,
        "end_in_store": None if of.end_in_store is None else of.end_in_store.value,
    }


async def sign_up(request: Request[SignUp]) -> None:
    """Sign up. The answer is the same whether the address is known or not; a mail tells which."""
    new = request.input
    await request.use_cases.sign_up(new.email, new.password, new.display_name, new.locale)


async def verify_account(request: Request[Verification]) -> SignedIn:
    """Turn the token from the mail into a session. The password is that of the same attempt to sign up."""
    return signed_in(await request.use_cases.verify_account(request.input.token, request.input.password))


async def read_account(request: Request[None]) -> Account:
    """Read one's own account."""
    found = await request.use_cases.read_account(request.account_id)
    request.show_version(found.version)
    return account(found, request.use_cases.documents)


async def change_profile(request: Request[ProfileChange]) -> Account:
    """Correct display name or locale."""
    change = request.input
    changed = await request.use_cases.change_profile(
        request.account_id, change.display_name, change.locale, request.versions
    )
    request.show_version(changed.version)
    return account(changed, request.use_cases.documents)


async def accept_documents(request: Request[Acceptances]) -> Account:
    """Accept documents that changed. The account says which: `terms_to_accept`, `privacy_to_accept`."""
    read = request.input
    changed = await request.use_cases.accept_documents(
        request.account_id, read.terms_version, read.privacy_version
    )
    request.show_version(changed.version)
    return account(changed, request.use_cases.documents)


async def restrict_account(request: Request[Restriction]) -> Account:
    """Freeze the account: everything is kept, nothing is sent, and no device is woken. Sessions stay."""
    changed = await request.use_cases.restrict_account(request.account_id, request.input.inbound)
    request.show_version(changed.version)
    return account(changed, request.use_cases.documents)


async def lift_restriction(request: Request[None]) -> Account:
    """End the freeze. Nothing that was held back meanwhile is sent by itself."""
    changed = await request.use_cases.lift_restriction(request.account_id)
    request.show_version(changed.version)
    return account(changed, request.use_cases.documents)


async def preview_deletion(request: Request[None]) -> DeletionPreview:
    """See what deletion would take with it."""
    return preview(await request.use_cases.preview_deletion(request.account_id))


async def delete_account(request: Request[DeletionConfirmation]) -> DeletionPreview:
    """Delete the account: closed at once, erased when due; until then it can be recovered.

    With `waive_recovery` it is erased as soon as that, and nothing brings it back.
    """
    given = request.input
    return preview(
        await request.use_cases.delete_account(
            request.account_id, given.password, waived=given.waive_recovery is True
        )
    )


async def recover_account(request: Request[Credentials]) -> SignedIn:
    """Recover a deleted account before erasure is due."""
    return signed_in(await request.use_cases.recover_account(request.input.email, request.input.password))


async def change_password(request: Request[PasswordChange]) -> SignedIn:
    """Choose another password. Every session ends; the answer holds a new one for the device that asks."""
    given = request.input
    return signed_in(
        await request.use_cases.change_password(request.account_id, given.password, given.new_password)
    )


async def ask_password_reset(request: Request[ForgottenPassword]) -> None:
    """Have a link mailed to choose another password. The answer is the same whether the address is known or not."""
    await request.use_cases.ask_password_reset(request.input.email)


async def reset_password(request: Request[PasswordReset]) -> SignedIn:
    """Choose another password with the token from the mail, once. Every session ends, and a new one is opened.

    An account that waits to be deleted takes the password, and goes on waiting to be recovered.
    """
    return signed_in(await request.use_cases.reset_password(request.input.token, request.input.new_password))


async def ask_email_change(request: Request[EmailChange]) -> None:
    """Have a link mailed to another address; the present one is told. The answer tells of nobody's account."""
    given = request.input
    await request.use_cases.ask_email_change(request.account_id, given.email, given.password)


async def verify_email_change(request: Request[EmailProof]) -> Account:
    """Put the new address in the place of the one before, which is told, with the token from the mail."""
    changed = await request.use_cases.verify_email_change(request.account_id, request.input.token)
    request.show_version(changed.version)
    return account(changed, request.use_cases.documents)


CORRECTING = (Bearer(), Conditional())
SIGNING_UP = (GuessablePassword, Overloaded)
DELETING = (*PASSWORD, PasswordUnreadable, ClocksDisagree)
RECOVERING = (*PASSWORD, NotPendingDeletion)
VERIFYING = (*PASSWORD, BadToken)
CHANGING = (*PASSWORD, PasswordUnreadable, GuessablePassword, PendingDeletion, ChangedMeanwhile)
RESETTING = (BadToken, LinkUsed, GuessablePassword, Overloaded, PendingDeletion)
ASKING = (*PASSWORD, PasswordUnreadable, PendingDeletion, EmailChangedLately)
PROVING = (BadToken, LinkUsed, EmailTaken, PendingDeletion)

# ruff: noqa: E501 - a route is a line, however long
# fmt: off
ROUTES = (
    Route("POST", "/v1/accounts", sign_up, 202, body=SignUp, guards=OPEN, raises=SIGNING_UP, location="/v1/account-verifications", pace=Pace.SIGN_UP),
    Route("POST", "/v1/account-verifications", verify_account, 201, body=Verification, guards=OPEN, raises=VERIFYING, location=SESSION, pace=Pace.HEAVY),
    Route("POST", "/v1/account-recoveries", recover_account, 201, body=Credentials, guards=OPEN, raises=RECOVERING, location=SESSION, pace=Pace.HEAVY),
    Route("GET", "/v1/account", read_account, 200, headers={"ETag": VERSION}),
    Route("PATCH", "/v1/account", change_profile, 200, body=ProfileChange, guards=CORRECTING),
    Route("DELETE", "/v1/account", delete_account, 202, body=DeletionConfirmation, raises=DELETING, location="/v1/account-recoveries", pace=Pace.HEAVY),
    Route("POST", "/v1/account/acceptances", accept_documents, 200, body=Acceptances, raises=(OtherVersion,), headers={"ETag": VERSION}),
    Route("POST", "/v1/account/restriction", restrict_account, 200, body=Restriction, raises=(PendingDeletion,), headers={"ETag": VERSION}),
    Route("DELETE", "/v1/account/restriction", lift_restriction, 200, raises=(PendingDeletion,), headers={"ETag": VERSION}),
    Route("PUT", "/v1/account/password", change_password, 200, body=PasswordChange, raises=CHANGING, pace=Pace.HEAVY),
    Route("POST", "/v1/password-resets", ask_password_reset, 202, body=ForgottenPassword, guards=OPEN, location="/v1/password-resets/confirm", pace=Pace.HEAVY),
    Route("POST", "/v1/password-resets/confirm", reset_password, 201, body=PasswordReset, guards=OPEN, raises=RESETTING, location=SESSION, pace=Pace.HEAVY),
    Route("POST", "/v1/account/email-changes", ask_email_change, 202, body=EmailChange, raises=ASKING, location="/v1/account/email-changes/verify", pace=Pace.HEAVY),
    Route("POST", "/v1/account/email-changes/verify", verify_email_change, 200, body=EmailProof, raises=PROVING, headers={"ETag": VERSION}),
    Route("GET", "/v1/account/deletion-preview", preview_deletion, 200),
)
# fmt: on
