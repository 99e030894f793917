"""Acts that happen once, however often they are asked for: idempotency keys and carriers' redeliveries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from domain.kernel import AccountId, Aggregate, DomainError, Fault, Found, Kind, OnceId, index, plain


class IdempotencyMismatch(DomainError):
    """This Idempotency-Key was used before, with another request."""

    code = "idempotency_mismatch"


class IdempotencyInFlight(DomainError):
    """The first request with this Idempotency-Key has not finished."""

    fault = Fault.CONFLICT
    code = "idempotency_in_flight"


@dataclass(frozen=True, slots=True)
class Act:
    """What must happen once: `key` names the act, `request` tells a repetition from another act under its name."""

    key: str = field(repr=False)
    request: str = field(default="", repr=False)

    @classmethod
    def requested(cls, verb: str, idempotency_key: str, *parts: object) -> Act:
        """Name an act by a client's Idempotency-Key."""
        return cls(f"{verb}:{idempotency_key}", "\x1f".join(str(part) for part in parts))


@dataclass(frozen=True, slots=True)
class Prior:
    """An act found done: what it made, and whether the request was the same."""

    resource_id: UUID
    same_request: bool

    def must_match(self) -> UUID:
        """Return what the act made. Raises IdempotencyMismatch."""
        if not self.same_request:
            raise IdempotencyMismatch
        return self.resource_id


@dataclass(slots=True, kw_only=True)
class Once(Aggregate):
    """The record that an act was done. Only keyed fingerprints of key and request are held."""

    stored_as: ClassVar[str] = "once"

    account_id: Annotated[AccountId, plain(Kind.ID, "H6", exported=False)]
    id: Annotated[OnceId, plain(Kind.ID, "H6")]
    key: Annotated[str | None, index("H6", Found.IN_ACCOUNT)] = field(default=None, repr=False)
    request: Annotated[str | None, index("H6", Found.IN_ACCOUNT)] = field(default=None, repr=False)
    resource_id: Annotated[UUID, plain(Kind.ID, "H6")]
    expires_at: Annotated[datetime, plain(Kind.TIME, "H6")]

    @classmethod
    def done(
        cls, account_id: AccountId, once_id: OnceId, act: Act, resource_id: UUID, expires_at: datetime
    ) -> Once:
        """Put on record that `act` made `resource_id`."""
        return cls(
            account_id=account_id,
            id=once_id,
            key=act.key,
            request=act.request,
            resource_id=resource_id,
            expires_at=expires_at,
        )
