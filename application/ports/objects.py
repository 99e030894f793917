"""Objects: content too large for a row, such as a picture, sealed under its account's key."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from domain.kernel import AccountId, ErrorKind, ObjectId, PicoError


class ObjectsUnavailable(PicoError):
    """The store of objects did not answer, or has no room."""

    kind = ErrorKind.UNAVAILABLE
    code = "objects_unavailable"


class OpenObject(Protocol):
    """One object as it was when it was opened, whatever becomes of it meanwhile."""

    @property
    def size(self) -> int:
        """Its size in bytes, as sealed with it."""

    def read(self, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        """Yield the bytes from `start` until before `stop` (None: the end), at most 64 KiB at a time.

        Raises SealBroken at the first piece that is not as it was put there, ObjectsUnavailable. Repeating is harmless.
        """
        ...


class Objects(Protocol):
    """Every method raises ObjectsUnavailable, and KeysUnavailable when the key service does not answer.

    An object is found by its account and its id alone. Memory stays flat, whatever its size.
    """

    async def put(
        self,
        account_id: AccountId,
        object_id: ObjectId,
        content: AsyncIterable[bytes],
        *,
        days: int | None = None,
    ) -> int:
        """Keep the content, durably; return its size in bytes. Raises KeyGone, and whatever `content` raises.

        It is there whole or not at all. Repeating replaces it. After so many `days` the store may delete it by itself,
        where it can, and never sooner: that is for what we should have deleted and have not.
        """
        ...

    def open(self, account_id: AccountId, object_id: ObjectId) -> AbstractAsyncContextManager[OpenObject]:
        """Open it for reading. Raises NotFound, KeyGone, SealBroken when its beginning or end is not as it was put.

        Repeating is harmless.
        """
        ...

    async def reseal(self, account_id: AccountId, object_id: ObjectId, *, days: int | None = None) -> bool:
        """Seal it anew under the account's newest key, as `put` does; tell whether it was under another.

        Who reads it meanwhile reads on. Raises NotFound, KeyGone, SealBroken. Repeating is harmless.
        """
        ...

    async def delete(self, account_id: AccountId, object_id: ObjectId) -> None:
        """Delete it, durably. Needs no key of the account. Repeating is harmless."""
        ...

    def list_all(self, account_id: AccountId) -> AsyncIterator[ObjectId]:
        """Yield the account's objects, found where they lie and not by any row. Needs no key of the account."""
        ...

    async def count(self, account_id: AccountId) -> int:
        """Return how many things of the account lie there, readable or not. Needs no key of the account."""
        ...

    async def delete_all(self, account_id: AccountId) -> None:
        """Delete everything of the account, readable or not. Needs no key of the account. Repeating is harmless."""
        ...
