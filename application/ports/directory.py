"""The directory: what must be found without knowing the account. It answers ids only."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from domain.accounts import AccountState, Cutoffs, UnusedStep
from domain.billing import BuyerToken, PayerRef
from domain.kernel import AccountId, ExportId, LineId, SessionId
from domain.push import DeviceToken, PushTokenId
from domain.values import SignUpPlace


class Lease(NamedTuple):
    """Who leases a number now."""

    account_id: AccountId
    line_id: LineId


class OpenSession(NamedTuple):
    """Whose session a token opens, and from when until when."""

    account_id: AccountId
    session_id: SessionId
    began_at: datetime
    ends_at: datetime


class Directory(Protocol):
    """Every method raises StoreUnavailable when the store does not answer. Repeating is harmless throughout."""

    async def account_by_email(self, canonical: str) -> AccountId | None:
        """Return the account with this address, in any state once it was verified."""
        ...

    async def sign_ups(self, places: Sequence[SignUpPlace]) -> Sequence[AccountId | None]:
        """Return the unverified account that holds each of these places; None for a place that is free."""
        ...

    async def session(self, token: str) -> OpenSession | None:
        """Return whose session this token opens; None when unknown, revoked, or of an account that is not active.

        It may have expired: that is for the clock to say.
        """
        ...

    async def push_token(self, token: DeviceToken) -> tuple[AccountId, PushTokenId] | None:
        """Return which account has a device woken by this token, if any, and what it is there."""
        ...

    async def payer(self, payer: PayerRef) -> AccountId | None:
        """Return the account that a payment provider knows as this payer, if there is one still."""
        ...

    async def buyer(self, buyer: BuyerToken) -> AccountId | None:
        """Return the account that an app store knows by this token, if there is one still."""
        ...

    async def line(self, number: str, *, fresh: bool = False) -> Lease | None:
        """Return the lease on this number (ordering, active, suspended or releasing lines hold one).

        The answer may be some seconds old unless `fresh`: whoever finds the lease over asks again with `fresh`.
        """
        ...

    def leases(self) -> AsyncGenerator[Lease, None]:
        """Yield every lease on a number there is, in no order. One that begins or ends meanwhile may be missing."""
        ...

    async def accounts_to_erase(
        self, due_before: datetime, unverified_before: datetime, limit: int
    ) -> Sequence[AccountId]:
        """Return accounts whose erasure is due and has not begun, those that have waited longest first.

        Due are accounts pending deletion since or before the first instant, and unverified ones made at or before
        the second.
        """
        ...

    async def accounts(self, after: AccountId | None, limit: int) -> Sequence[AccountId]:
        """Return up to `limit` accounts that have a row, in order of id from `after` on."""
        ...

    async def count_by_state(self) -> Mapping[AccountState, int]:
        """Return how many rows of accounts are in each state; a state that none is in may be missing."""
        ...

    async def unknown(self, accounts: Sequence[AccountId]) -> Sequence[AccountId]:
        """Return those of these accounts that have no row, in any state."""
        ...

    async def unused(self, accounts: Sequence[AccountId], now: datetime) -> Sequence[AccountId]:
        """Return those of these accounts that are active, have no session that is not over by `now`, and pay nothing.

        Left out are accounts that are frozen, that take no mail, or of which it is noted that they are unused.
        """
        ...

    async def unused_accounts_due(self, due: Mapping[UnusedStep, Cutoffs], limit: int) -> Sequence[AccountId]:
        """Return active accounts noted as unused whose next step is due, up to `limit` of each step."""
        ...

    async def exports_to_expire(
        self, due_before: datetime, limit: int
    ) -> Sequence[tuple[AccountId, ExportId]]:
        """Return exports past their time that are still being built or still have parts, the oldest first."""
        ...
