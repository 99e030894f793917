"""Sign up, verify, read, correct, delete, recover."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pico_client.calls import given
from pico_client.results import Result
from pico_client.sessions import Sessions, SignedIn


@dataclass(frozen=True, slots=True, repr=False)
class RestrictionInForce(Result):
    """A freeze: since when, and what becomes of what comes in."""

    since: datetime
    inbound: str


@dataclass(frozen=True, slots=True, repr=False)
class UnreachableBy(Result):
    """That mail does not reach the address: why, and since when."""

    since: datetime
    why: str


@dataclass(frozen=True, slots=True, repr=False)
class Account(Result):
    """What an account says about its person. What was damaged and cannot be read is None. `etag` names this version."""

    id: str
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
    etag: str | None


@dataclass(frozen=True, slots=True, repr=False)
class DeletionPreview(Result):
    """What is erased with the account, and when."""

    erase_at: datetime
    lines: int
    conversations: int
    messages: int
    end_in_store: str | None


class Accounts(Sessions):
    """What one does with an account."""

    def sign_up(
        self,
        email: str,
        password: str,
        display_name: str,
        locale: str,
        *,
        terms: Literal[True],
        privacy: Literal[True],
    ) -> None:
        """Sign up; `terms` and `privacy`: both were read and accepted. A mail brings the token to verify with."""
        self._send(
            "POST",
            "/v1/accounts",
            body={
                "email": email,
                "password": password,
                "display_name": display_name,
                "locale": locale,
                "accepted": {"terms": terms, "privacy": privacy},
            },
        )

    def verify_account(self, token: str, password: str) -> SignedIn:
        """Turn the token from the mail into a session, with which this client asks from now on."""
        return self._signed_in("/v1/account-verifications", {"token": token, "password": password})

    def recover_account(self, email: str, password: str) -> SignedIn:
        """Recover a deleted account before erasure is due; from now on, this client asks with the new session."""
        return self._signed_in("/v1/account-recoveries", {"email": email, "password": password})

    def change_password(self, password: str, new_password: str) -> SignedIn:
        """Choose another password: every session ends; this client asks with the new one from now on."""
        change: dict[str, object] = {"password": password, "new_password": new_password}
        return self._signed_in("/v1/account/password", change, method="PUT")

    def ask_password_reset(self, email: str) -> None:
        """Have a link mailed to choose another password, if the address has an account."""
        self._send("POST", "/v1/password-resets", body={"email": email})

    def reset_password(self, token: str, new_password: str) -> SignedIn:
        """Choose another password with the token from the mail, once; this client asks with the new session."""
        proof: dict[str, object] = {"token": token, "new_password": new_password}
        return self._signed_in("/v1/password-resets/confirm", proof)

    def read_account(self) -> Account:
        """Read one's own account."""
        return self._ask(Account, "GET", "/v1/account")

    def change_profile(
        self, display_name: str | None = None, locale: str | None = None, *, if_match: str | None = None
    ) -> Account:
        """Correct display name or locale. With the `etag` that was read, nothing that changed since is overwritten."""
        change = given(display_name=display_name, locale=locale)
        return self._ask(Account, "PATCH", "/v1/account", body=change, if_match=if_match)

    def accept_documents(
        self, terms_version: int | None = None, privacy_version: int | None = None
    ) -> Account:
        """Accept documents that changed: what the account shows as `terms_to_accept` and `privacy_to_accept`."""
        read = given(terms_version=terms_version, privacy_version=privacy_version)
        return self._ask(Account, "POST", "/v1/account/acceptances", body=read)

    def ask_email_change(self, email: str, password: str) -> None:
        """Have a link mailed to another address; the present one is told."""
        self._send("POST", "/v1/account/email-changes", body={"email": email, "password": password})

    def verify_email_change(self, token: str) -> Account:
        """Put the new address in the place of the one before, with the token from the mail."""
        return self._ask(Account, "POST", "/v1/account/email-changes/verify", body={"token": token})

    def restrict_account(self, inbound: Literal["accepted", "refused"]) -> Account:
        """Freeze the account: everything is kept, nothing is sent, no device is woken. Sessions stay."""
        return self._ask(Account, "POST", "/v1/account/restriction", body={"inbound": inbound})

    def lift_restriction(self) -> Account:
        """End the freeze."""
        return self._ask(Account, "DELETE", "/v1/account/restriction")

    def preview_deletion(self) -> DeletionPreview:
        """See what deletion would take with it."""
        return self._ask(DeletionPreview, "GET", "/v1/account/deletion-preview")

    def delete_account(self, password: str, *, waive_recovery: bool = False) -> DeletionPreview:
        """Delete the account: closed at once, erased when due, and until then recoverable unless that is waived."""
        body = {"password": password, "waive_recovery": waive_recovery}
        return self._ask(DeletionPreview, "DELETE", "/v1/account", body=body)
