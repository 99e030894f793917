"""Per-account keys, kept apart from everything they protect."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from domain.kernel import ErrorKind, PicoError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta
    from uuid import UUID

    from domain.kernel import AccountId


class KeysUnavailable(PicoError):
    """The key service did not answer."""

    kind = ErrorKind.UNAVAILABLE
    code = "keys_unavailable"


class KeyGone(PicoError):
    """This account has no key: it was never made, or erasure destroyed it."""

    kind = ErrorKind.NOT_FOUND
    code = "key_gone"


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class AccountKey:
    """An unwrapped account key: 256 bits of `material` under a small `version`. It never leaves the process.

    What is derived from it is kept as long as this very object, and no longer: hence identity and weak references.
    """

    version: int
    material: bytes
    ended: set[bytes] = field(default_factory=set)
    """Ids (16 bytes) of rows that are over, as far as this process has heard: see `note_endings`."""
    chain: tuple[bytes, ...] = field(default=())
    """Keys of blind indexes from before this key, oldest first: an index is made under each of them in turn.

    What is held as an index alone cannot be read, and so not be made anew: its index is made of the index that it had.
    """
    former: AccountKey | None = None
    """The key before this one, while the account's key is being rotated: both open what is sealed."""

    def __repr__(self) -> str:
        """Hide the material."""
        return f"<AccountKey v{self.version}>"


@dataclass(frozen=True, slots=True)
class Ending:
    """That a row is over: an earlier state of it counts for nothing, should somebody put it back.

    `until`: when no state of it could be used any more, so that this need not be remembered; None: never.
    """

    row_id: UUID
    until: datetime | None = None


class Keyring(Protocol):
    """Every method raises KeysUnavailable when the key service or the keyring's database does not answer."""

    async def create(self, account_id: AccountId) -> None:
        """Make the account's first key, wrapped by the master key. Repeating is harmless: an existing key stays."""
        ...

    async def open(self, account_id: AccountId) -> AccountKey:
        """Return the newest key, from a bounded cache or unwrapped. Raises KeyGone. Repeating is harmless."""
        ...

    async def reopen(self, account_id: AccountId) -> AccountKey:
        """Return the newest key, unwrapped anew and not from the cache, which then has it. Raises KeyGone.

        It takes as long for a key in use as for one that is not. Repeating is harmless.
        """
        ...

    async def destroy(self, account_id: AccountId) -> int:
        """Destroy every version of the account's key, at rest and in the cache; return how many rows went.

        The first act of erasure on our own copies. Repeating is harmless.
        """
        ...

    async def note_endings(self, account_id: AccountId, endings: Sequence[Ending]) -> None:
        """Remember, outside of the store, that some rows are over; who has no key has none either.

        From then on `ended` of the account's key has them, in other processes when they open it next. They go with the
        key, and by `purge_endings`. Repeating is harmless.
        """
        ...

    async def purge_endings(self, until: datetime, limit: int) -> int:
        """Forget up to `limit` endings of what could not be used after `until`; return how many went. Repeatable."""
        ...

    async def holders(self, after: AccountId | None, limit: int) -> Sequence[AccountId]:
        """Return up to `limit` accounts that have a key, in order of id from `after` on. Repeating is harmless."""
        ...

    async def count(self, account_id: AccountId) -> int:
        """Return how many wrapped keys the account still has at rest. Repeating is harmless."""
        ...

    async def add(self, account_id: AccountId) -> int:
        """Make the account's next key beside the one it has; return its version.

        From then on `open` answers the new one, with the former beside it. Repeating is harmless until `finish`: there
        are two at most. Raises KeyGone.
        """
        ...

    async def unheard(self, account_id: AccountId) -> timedelta:
        """Return how long until every process knows of the account's newest key: no more than some minutes.

        Zero where nobody can hold an earlier answer of `open` any more. Raises KeyGone. Repeating is harmless.
        """
        ...

    async def finish(self, account_id: AccountId) -> int:
        """Destroy every key of the account but the newest; return how many. What is over stays so, under the newest.

        What is still sealed under a former key is lost: see `Resealing`. Raises KeyGone. Repeating is harmless.
        """
        ...

    async def older(self, than: datetime, after: AccountId | None, limit: int) -> Sequence[AccountId]:
        """Return up to `limit` accounts, in order of id, whose newest key was made earlier, or that have two keys."""
        ...

    async def system(self, purpose: str) -> bytes:
        """Return the 256-bit system key for a purpose such as "index" (made and wrapped at first use).

        Repeating is harmless: the same purpose always yields the same key.
        """
        ...
