"""The public half of the audit log, in chains. Commits add to it (see `Store.update`); nothing here takes away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

from domain.audit_chain import Head, Link


class AuditLog(Protocol):
    """Every method raises StoreUnavailable when the store does not answer. Chains are numbered as in the domain."""

    async def chain(self) -> int:
        """Put what commits have added at the end of the recent chain, in random order; return how much it was.

        Several thousand at a time at most. Repeating is harmless.
        """
        ...

    async def draw(self, through: date, least: int) -> int:
        """Move what is recent, of days up to `through`, to the ends of the lasting chains, drawn in random order.

        Nothing moves unless there are `least` of them. What stays is to be chained anew. Returns how much moved.
        Repeating is harmless.
        """
        ...

    async def heads(self) -> Mapping[int, Head]:
        """Return the newest signed head of each chain that has one, as it stands: whoever asks checks it."""
        ...

    async def page(self, chain: int, after: int, limit: int) -> Sequence[Link]:
        """Return up to `limit` entries of a chain that come after a position, in order of position."""
        ...

    async def unchained(self) -> int:
        """Return how many entries wait to be chained."""
        ...

    async def keep_head(self, head: Head) -> None:
        """Keep a signed head, unless the chain is otherwise by now. Repeating is harmless."""
        ...
