"""By which names a carrier knows the apps of a line."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from domain.call_instructions import ClientIdentity
from domain.kernel import AccountId, LineId


class ClientOwner(NamedTuple):
    """Whose apps they are."""

    account_id: AccountId
    line_id: LineId


class CallClients(Protocol):
    """Every method raises KeysUnavailable when the key service does not answer."""

    async def identity(self, account_id: AccountId, line_id: LineId) -> ClientIdentity:
        """Return the one name of a line's apps: nobody else can tell whose it is. Repeating is harmless."""
        ...

    async def owner(self, identity: str) -> ClientOwner | None:
        """Return whose apps these are; None for a name that was not made here. Repeating is harmless."""
        ...
