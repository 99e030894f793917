"""Acts that happen once, however often they are asked for: idempotency keys and carriers' redeliveries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from domain.classification import IndexScope, held
from domain.kernel import (
    AccountId,
    Aggregate,
    IdempotencyRecordId,
    PicoError,
    SealBroken,
)


class IdempotencyMismatch(PicoError):
    """This Idempotency-Key was used before, with another request."""

    code = "idempotency_mismatch"


@dataclass(frozen=True, slots=True)
class Operation:
    """What must happen once.

    `key` names the operation, `request` tells a repetition from another operation under its name.
    """

    key: str = field(repr=False)
    request: str = field(default="", repr=False)

    @classmethod
    def requested(cls, verb: str, idempotency_key: str, *parts: object) -> Operation:
        """Name an operation by a client's Idempotency-Key."""
        return cls(f"{verb}:{idempotency_key}", "\x1f".join(str(part) for part in parts))


@dataclass(frozen=True, slots=True)
class EarlierResult:
    """An operation found done: what it made, if that is on record, and whether the request was the same."""

    resource_id: UUID | None
    same_request: bool
    altered: bool = False
    """Whether the record is not to be believed, but for the fact that the operation was done."""

    def must_match(self) -> UUID:
        """Return what the operation made. Raises SealBroken, IdempotencyMismatch."""
        if self.altered:
            raise SealBroken
        if not self.same_request or self.resource_id is None:
            raise IdempotencyMismatch
        return self.resource_id


@dataclass(slots=True, kw_only=True)
class IdempotencyRecord(Aggregate):
    """The record that an operation was done. Only keyed fingerprints of key and request are held.

    One that never expires goes with the account. It says that the operation was done and nothing else, not even when:
    its id is random, and what was made may be deleted meanwhile.
    """

    stored_as: ClassVar[str] = "idempotency_records"
    clause: ClassVar[str] = "H6"

    account_id: AccountId
    id: IdempotencyRecordId
    key: Annotated[str | None, held(index=IndexScope.ACCOUNT, readable=False)] = field(
        default=None, repr=False
    )
    request: Annotated[str | None, held(index=IndexScope.ACCOUNT, readable=False)] = field(
        default=None, repr=False
    )
    resource_id: Annotated[UUID | None, held(bound=True)] = None
    expires_at: Annotated[datetime | None, held(bound=True)] = None

    @classmethod
    def of(
        cls,
        account_id: AccountId,
        record_id: IdempotencyRecordId,
        operation: Operation,
        resource_id: UUID | None = None,
        expires_at: datetime | None = None,
    ) -> IdempotencyRecord:
        """Put on record that `operation` made something; without an expiry, until the account goes."""
        return cls(
            account_id=account_id,
            id=record_id,
            key=operation.key,
            request=operation.request,
            resource_id=resource_id,
            expires_at=expires_at,
        )
