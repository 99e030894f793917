"""What is sealed in the store, from under one key of an account to under the next, while the account is in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from domain.kernel import AccountId, Aggregate, ObjectId


@dataclass(frozen=True, slots=True)
class Resealed:
    """What a pass over an account came to, in rows."""

    done: int
    missed: int
    """Rows that somebody else wrote meanwhile: the next pass finds them."""
    broken: int
    """Rows of which something does not open under any key there is."""


class Resealing(Protocol):
    """Every method raises KeyGone, KeysUnavailable, and StoreUnavailable when the store does not answer."""

    async def turn(self, account_id: AccountId) -> bool:
        """Have blind indexes made anew, and whatever is written from now on be sealed under the newest key.

        Whoever commits for the account meanwhile waits, or goes again on fresh copies: nothing is refused. By then
        every process must know of the key: see `Keyring.unheard`. Tells whether anything was to be done. Raises
        NotFound for an account without a row. Repeating is harmless.
        """
        ...

    async def reseal(self, account_id: AccountId, at_once: int) -> Resealed:
        """Go over all rows once, so many at a time, and seal under the newest key what is under another.

        Nobody's write is undone by it, and no row's version rises. Repeating is harmless.
        """
        ...

    async def holder(self, account_id: AccountId, object_id: ObjectId) -> type[Aggregate] | None:
        """Return what kind of record wants this object, None where none does. Repeating is harmless.

        None wants it that expired or was withdrawn, or whose message was deleted.
        """
        ...
