"""Handlers of accounts: sign up, verify, read, correct, leave, come back."""

from __future__ import annotations

from adapters.inbound.http import bodies
from adapters.inbound.http.request import Json, Request
from adapters.inbound.http.sessions import signed_in
from application.accounts import DeletionPreview
from domain.accounts import Account


def account(of: Account) -> Json:
    """Show an account to its person."""
    return {
        "id": str(of.id),
        "email": str(of.email),
        "display_name": str(of.display_name),
        "locale": str(of.locale),
        "terms_accepted_at": of.terms_accepted_at,
        "privacy_accepted_at": of.privacy_accepted_at,
        "created_at": of.created_at,
        "verified_at": of.verified_at,
    }


def preview(of: DeletionPreview) -> Json:
    """Show what goes, and when."""
    return {
        "due_at": of.erase_at,
        "lines": of.lines,
        "conversations": of.conversations,
        "messages": of.messages,
    }


async def sign_up(request: Request[bodies.SignUp]) -> None:
    """Sign up. The answer is the same whether the address is known or not; a mail tells which."""
    new = request.input
    await request.use_cases.sign_up(new.email, new.password, new.display_name, new.locale)


async def verify_account(request: Request[bodies.Verification]) -> Json:
    """Turn the token from the mail into a session."""
    return signed_in(await request.use_cases.verify_account(request.input.token))


async def read_account(request: Request[None]) -> Json:
    """Read one's own account."""
    return account(await request.use_cases.read_account(request.account_id))


async def change_profile(request: Request[bodies.ProfileChange]) -> Json:
    """Correct display name or locale."""
    change = request.input
    return account(
        await request.use_cases.change_profile(request.account_id, change.display_name, change.locale)
    )


async def preview_deletion(request: Request[None]) -> Json:
    """See what deletion would take with it."""
    return preview(await request.use_cases.preview_deletion(request.account_id))


async def delete_account(request: Request[bodies.DeletionConfirmation]) -> Json:
    """Delete the account: closed at once, erased when due; until then it can be recovered."""
    return preview(await request.use_cases.delete_account(request.account_id, request.input.password))


async def recover_account(request: Request[bodies.Credentials]) -> Json:
    """Come back before erasure is due."""
    return signed_in(await request.use_cases.recover_account(request.input.email, request.input.password))
