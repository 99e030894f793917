"""Tokens that prove something: who holds a session, who reads an address."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from domain.kernel import AccountId
from domain.values import SessionToken


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

    async def verified(self, token: str, now: datetime) -> AccountId | None:
        """Return the account a verification token names, or None when forged, mangled or expired."""
        ...
