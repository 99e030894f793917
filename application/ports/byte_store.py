"""A plain store of bytes under opaque names: a folder, a bucket. What is in it was sealed before."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol


class OpenBytes(Protocol):
    """What lay under a name when it was opened, also once it was replaced or deleted."""

    @property
    def size(self) -> int:
        """How many bytes there are."""

    async def read(self, start: int, length: int) -> bytes:
        """Return up to `length` bytes from `start`; fewer only at the end. Raises ObjectsUnavailable."""
        ...


class ByteStore(Protocol):
    """Every method raises ObjectsUnavailable when the store does not answer or has no room.

    A name is `prefix/rest`, both of lower-case hexadecimal digits.
    """

    async def write(self, name: str, pieces: AsyncIterable[bytes], *, days: int | None = None) -> None:
        """Put the pieces under the name, durably: whole or not at all, whatever `pieces` raises. Repeating replaces.

        After so many `days` the store may delete it by itself, where it can: in case we should have, and have not.
        """
        ...

    def open(self, name: str) -> AbstractAsyncContextManager[OpenBytes]:
        """Open what lies under the name. Raises NotFound. Repeating is harmless."""
        ...

    async def delete(self, name: str) -> None:
        """Delete it, durably, with every earlier version. Repeating is harmless."""
        ...

    def names(self, prefix: str) -> AsyncIterator[str]:
        """Yield every whole name with this prefix, in no order. Repeating is harmless."""
        ...
