"""What happened in accounts, in an order in which it can be followed by whoever was away for a while."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from domain.kernel import AccountId
from domain.live import LiveEvent, LiveEventId


class LiveEvents(Protocol):
    """Every method raises StoreUnavailable when the store does not answer. Repeating is harmless throughout.

    Events get their places here, after their commits. So whoever has seen one has seen all that stand before it, as far
    as they are kept: none ever appears in front of it, whichever process wrote it, and however late its commit ended.
    """

    async def head(self, account_id: AccountId) -> LiveEventId:
        """Give places to all that was committed by now; return the latest. Raises NotFound for no account."""
        ...

    async def after(self, account_id: AccountId, seen: LiveEventId, limit: int) -> Sequence[LiveEvent]:
        """Return up to `limit` events behind `seen`, in their order, those that get their places now among them.

        Of an account that nobody has followed yet there are none: `head` comes first.
        """
        ...

    async def may_resume(self, account_id: AccountId, seen: LiveEventId) -> bool:
        """Tell whether an event that is not the latest one is still kept, or at least what comes right behind it.

        What never was an event of this account is not, whatever its place.
        """
        ...

    async def stirred(self, seen: Mapping[AccountId, LiveEventId]) -> set[AccountId]:
        """Return those accounts in which something happened behind what was seen of them."""
        ...

    def hearing(self, hear: Callable[[AccountId], None]) -> AbstractContextManager[None]:
        """Have `hear` called after each commit of this process in which something happened, for as long as it lasts.

        Of what other processes commit nobody hears: `stirred` finds it.
        """
        ...
