"""A store of bytes in memory."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from typing_extensions import override

from application.ports.byte_store import ByteStore, OpenBytes
from application.ports.objects import ObjectsUnavailable
from domain.kernel import NotFound


@dataclass(frozen=True, slots=True)
class MemoryBytes(OpenBytes):
    """`OpenBytes` that were read when they were opened."""

    content: bytes

    @property
    @override
    def size(self) -> int:
        return len(self.content)

    @override
    async def read(self, start: int, length: int) -> bytes:
        return self.content[start : start + length]


class MemoryByteStore(ByteStore):
    """`ByteStore` in a dictionary, `kept`. Set `outage` to have every method raise ObjectsUnavailable."""

    def __init__(self) -> None:
        self.outage = False
        self.kept: dict[str, bytes] = {}

    @override
    async def write(self, name: str, pieces: AsyncIterable[bytes], *, days: int | None = None) -> None:
        content = b"".join([piece async for piece in pieces])
        self._answer()
        self.kept[name] = content

    @override
    @asynccontextmanager
    async def open(self, name: str) -> AsyncIterator[MemoryBytes]:
        self._answer()
        if name not in self.kept:
            raise NotFound
        yield MemoryBytes(self.kept[name])

    @override
    async def delete(self, name: str) -> None:
        self._answer()
        self.kept.pop(name, None)

    @override
    async def names(self, prefix: str) -> AsyncIterator[str]:
        self._answer()
        for name in list(self.kept):
            if name.startswith(f"{prefix}/"):
                yield name

    def _answer(self) -> None:
        if self.outage:
            raise ObjectsUnavailable
