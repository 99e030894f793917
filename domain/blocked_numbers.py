"""Numbers that the person wants to hear nothing of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar, NewType
from uuid import UUID

from domain.classification import IndexScope, held
from domain.kernel import AccountId, Aggregate, ErrorKind, Event, PicoError
from domain.values import PhoneNumber

BlockedNumberId = NewType("BlockedNumberId", UUID)

MOST_BLOCKED = 10_000
"""In one account."""


class NumberBlocked(PicoError):
    """You have blocked this number: no message goes to it until you unblock it."""

    kind = ErrorKind.CONFLICT
    code = "number_blocked"


class TooManyBlocked(PicoError):
    """An account has at most 10,000 blocked numbers."""

    kind = ErrorKind.CONFLICT
    code = "too_many_blocked_numbers"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedNumberAdded(Event):
    """A number is blocked from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedNumberDeleted(Event):
    """A number is not blocked any more."""


@dataclass(slots=True, kw_only=True)
class BlockedNumber(Aggregate):
    """A number from which nothing is taken in, and to which nothing is sent, on any line."""

    stored_as: ClassVar[str] = "blocked_numbers"
    clause: ClassVar[str] = "C16"

    account_id: AccountId
    id: BlockedNumberId
    number: Annotated[PhoneNumber, held(index=IndexScope.ACCOUNT)]
    blocked_at: datetime

    def added(self) -> None:
        """Note that it is new."""
        self.record(BlockedNumberAdded(account_id=self.account_id, subject=self.id, at=self.blocked_at))

    def deleted(self, at: datetime) -> None:
        """Note that it goes."""
        self.record(BlockedNumberDeleted(account_id=self.account_id, subject=self.id, at=at))
