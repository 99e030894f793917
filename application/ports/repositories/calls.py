"""Reading calls. A deleted call counts as absent unless a method says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from domain.accounts import Account
from domain.calls import Call
from domain.idempotency import EarlierResult, Operation
from domain.kernel import CallId, CarrierRef, LineId
from domain.lines import PhoneLine
from domain.values import Peer


@dataclass(frozen=True, slots=True)
class CallContext:
    """Everything that a call which comes in depends on, read in one look."""

    line: PhoneLine
    account: Account
    call: Call | None
    """What is on record of it, in whatever state."""
    earlier: EarlierResult | None
    """What putting it on record came to, if it ever was."""
    blocked: bool
    """Whether the account wants to hear nothing of the caller."""


class Calls(Protocol):
    """The account's calls."""

    async def get_even_broken(self, call_id: CallId) -> Call:
        """Return one call, broken or not. Raises NotFound."""
        ...

    async def get_even_deleted(self, call_id: CallId) -> Call:
        """Return one call, deleted and broken ones included. Raises NotFound."""
        ...

    async def by_ref(self, ref: CarrierRef) -> Call | None:
        """Return the call that the carrier knows by `ref`, deleted and broken ones included."""
        ...

    async def context(
        self, line_id: LineId, ref: CarrierRef, caller: Peer | None, operation: Operation
    ) -> CallContext:
        """Return the line, the account and whether it blocks the caller, and what is known of the call by `ref`.

        `operation` puts it on record. Raises NotFound, SealBroken for a line that was altered.
        """
        ...

    async def page(
        self, line_id: LineId | None, peer: Peer | None, before: CallId | None, limit: int
    ) -> list[Call]:
        """Return up to `limit`, broken ones too, newest first, of one line or all, with one peer or all.

        It goes on from just before the given one.
        """
        ...

    async def with_carrier_record(self, after: CallId | None, limit: int) -> list[Call]:
        """Return up to `limit` calls with a reference whose record is not known to be gone, in order of id.

        Deleted and broken ones are included: theirs may be the only trace left.
        """
        ...
