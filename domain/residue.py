"""The residue list: what an erasure asked providers to delete, by their own references, until all of it is gone.

A reference is the provider's opaque id; it says nothing about anybody. The list goes with the erasure's last step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from domain.kernel import AccountId, CarrierRef, LineId

PAUSE = timedelta(minutes=1)
"""How long after a provider showed nothing any more it is asked again: a list may lag, and an answer may be wrong."""


class Holding(StrEnum):
    """What a provider holds."""

    MESSAGE = "message"
    NUMBER = "number"
    CALL = "call"
    """A record of a call."""
    RECORDING = "recording"
    SUBSCRIPTION = "subscription"
    """Whatever a payer pays for."""
    PAYER = "payer"


class ResidueState(StrEnum):
    """What is known of an entry."""

    HELD = "held"
    """The provider holds it, as far as we know."""
    GONE = "gone"
    """It was looked for, and not there."""
    SETTLED = "settled"
    """It was looked for again, after a pause and when all else was gone, and not there either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Residue:
    """One entry of the list. `line_id` is the lease of a number; `gone_at` since when it was not seen any more."""

    account_id: AccountId
    holding: Holding
    ref: CarrierRef
    line_id: LineId | None = None
    state: ResidueState = ResidueState.HELD
    gone_at: datetime | None = None

    @classmethod
    def message(cls, account_id: AccountId, ref: CarrierRef) -> Self:
        """Return the entry of a carrier's copy."""
        return cls(account_id=account_id, holding=Holding.MESSAGE, ref=ref)

    @classmethod
    def recording(cls, account_id: AccountId, ref: CarrierRef) -> Self:
        """Return the entry of a recording that a caller left, or of what was made of it in writing."""
        return cls(account_id=account_id, holding=Holding.RECORDING, ref=ref)

    @classmethod
    def number(cls, account_id: AccountId, ref: CarrierRef, line_id: LineId) -> Self:
        """Return the entry of a number, leased by a line."""
        return cls(account_id=account_id, holding=Holding.NUMBER, ref=ref, line_id=line_id)

    @classmethod
    def call(cls, account_id: AccountId, ref: CarrierRef) -> Self:
        """Return the entry of a carrier's record of a call."""
        return cls(account_id=account_id, holding=Holding.CALL, ref=ref)

    @classmethod
    def subscription(cls, account_id: AccountId, payer: str) -> Self:
        """Return the entry of whatever a payer pays for, by the payment provider's reference of the payer."""
        return cls(account_id=account_id, holding=Holding.SUBSCRIPTION, ref=CarrierRef(payer))

    @classmethod
    def payer(cls, account_id: AccountId, payer: str) -> Self:
        """Return the entry of a payer."""
        return cls(account_id=account_id, holding=Holding.PAYER, ref=CarrierRef(payer))

    @property
    def is_held(self) -> bool:
        """Whether the provider is to be asked to delete it."""
        return self.state is ResidueState.HELD

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is asked about it."""
        return self.state is ResidueState.SETTLED

    def seen(self) -> Self:
        """Note that the provider shows it, whatever it said before."""
        return replace(self, state=ResidueState.HELD, gone_at=None)

    def missed(self, at: datetime) -> Self:
        """Note that it was not there at `at`. The first time since it was last seen counts."""
        return replace(self, state=ResidueState.GONE, gone_at=self.gone_at or at)

    def settle(self, now: datetime, pause: timedelta) -> Self:
        """Believe that it is gone, if it has been missed for as long as `pause`."""
        if self.gone_at is None or now < self.gone_at + pause:
            return self
        return replace(self, state=ResidueState.SETTLED)
