"""A provider of payments. It knows an account by the account's id and by nothing else, and calls it a payer of its own.

Whatever it tells unasked is a hint: what counts is what it answers when it is asked.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.billing import PayerRef, PlanName, Seen
from domain.kernel import AccountId, ErrorKind, PicoError


class PaymentsUnavailable(PicoError):
    """The payment provider did not answer, or asked us to come back; whether a write was done is unknown."""

    kind = ErrorKind.UNAVAILABLE
    code = "payments_unavailable"


class PaymentRefused(PicoError):
    """The payment provider refused, and asking again does not help."""

    kind = ErrorKind.CONFLICT
    code = "payment_refused"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the provider's on which the person goes on. Who has the address can use it, until it ends."""

    url: str = field(repr=False)
    ends_at: datetime | None = None
    """None: the provider does not say."""


@dataclass(frozen=True, slots=True)
class PaymentHint:
    """Something happened to what a payer pays for. `ref` is the provider's own id of the hint."""

    ref: str
    payer: PayerRef
    at: datetime


class Payments(Protocol):
    """Every method raises PaymentsUnavailable when no certain answer came, and PaymentRefused for a final no.

    `key` names an intent that is on record: a write that is repeated with it is done once, for a day at least.
    """

    async def make_payer(self, account_id: AccountId, key: UUID) -> PayerRef:
        """Make the payer of an account. The provider is told the id, and nothing about anybody."""
        ...

    async def find_payers(self, account_id: AccountId, since: datetime) -> list[PayerRef]:
        """Return the payers that were made for an account since then: one at most, unless answers got lost."""
        ...

    async def open_checkout(self, payer: PayerRef, account_id: AccountId, plan: PlanName, key: UUID) -> Page:
        """Return a page on which a plan can be bought, and close every other one of this payer.

        Repeated with the same key it is the same page. Raises PlanNotOffered.
        """
        ...

    async def close_checkouts(self, payer: PayerRef) -> None:
        """Have nothing bought on any page that is still open. Repeating is harmless."""
        ...

    async def open_portal(self, payer: PayerRef) -> Page:
        """Return a page on which the person sees invoices, changes the card and ends the subscription."""
        ...

    async def change_plan(self, payer: PayerRef, plan: PlanName, key: UUID) -> None:
        """Have the subscription be of another plan. The difference is charged at once: nothing stays to be charged.

        Repeated with the same key it is done once. Raises PlanNotOffered, PaymentRefused.
        """
        ...

    async def fetch(self, payer: PayerRef) -> Seen:
        """Return what there is now: of several subscriptions the best. A payer that is gone has none."""
        ...

    async def stop_renewal(self, payer: PayerRef) -> None:
        """Have nothing charged from now on: no renewal, no invoice that is on its way, no page that is open.

        What was paid for stays until its period ends. The provider keeps a note of what this changed. Repeating is
        harmless.
        """
        ...

    async def restore_renewal(self, payer: PayerRef) -> None:
        """Undo what `stop_renewal` changed, as far as it can be undone, and nothing else. Repeating is harmless."""
        ...

    async def end_doubles(self, payer: PayerRef) -> None:
        """Of several subscriptions have only the best renewed: the others end with their period. Repeatable."""
        ...

    async def cancel(self, payer: PayerRef) -> None:
        """End whatever this payer pays for, at once, without a further charge. Repeating is harmless."""
        ...

    async def charges(self, payer: PayerRef) -> bool:
        """Tell whether anything this payer pays for is not over. Repeating is harmless."""
        ...

    async def delete_payer(self, payer: PayerRef) -> None:
        """Have the provider forget the payer, and how they pay. Repeating is harmless."""
        ...

    async def holds_payer(self, payer: PayerRef) -> bool:
        """Tell whether the provider still knows the payer as one who could pay. Repeating is harmless."""
        ...

    def hints(self, since: datetime) -> AsyncGenerator[PaymentHint, None]:
        """Yield what happened since then, in no order, as far back as the provider remembers."""
        ...
