"""Tokens that prove something: who holds a session, who reads an address."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from domain.kernel import AccountId
from domain.values import SessionToken


class Purpose(StrEnum):
    """What a mailed token is for: one for one purpose is none for another."""

    PASSWORD_RESET = "r"  # noqa: S105 - a word, no password
    EMAIL_CHANGE = "e"


class Tokens(Protocol):
    """Makes and reads tokens. Nothing about a verification token is stored."""

    def session(self) -> SessionToken:
        """Return a new bearer token: `pico_s1_`, 256 random bits, check digits."""
        ...

    def well_formed(self, token: str) -> bool:
        """Tell whether the check digits fit: what does not is refused without a look-up."""
        ...

    async def verification(self, account_id: AccountId, expires_at: datetime) -> str:
        """Return a signed token that names the account and expires at `expires_at`."""
        ...

    async def mailed(self, purpose: Purpose, account_id: AccountId, mark: bytes, expires_at: datetime) -> str:
        """Return a signed token with check digits that names the account and a mark of 16 bytes, and expires."""
        ...

    async def read(self, purpose: Purpose, token: str, now: datetime) -> tuple[AccountId, bytes] | None:
        """Return the account and the mark that a mailed token names, or None when forged, mangled or expired."""
        ...

    async def verified(self, token: str, now: datetime) -> AccountId | None:
        """Return the account a verification token names, or None when forged, mangled or expired."""
        ...
