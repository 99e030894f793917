"""A store of bytes in a folder, for one machine."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from typing_extensions import override

from adapters.outbound.local import files
from application.ports.byte_store import ByteStore, OpenBytes
from application.ports.objects import ObjectsUnavailable
from domain.kernel import NotFound

T = TypeVar("T")
UNFINISHED = "unfinished"
"""The folder of what is being written. No prefix has this name: prefixes are hexadecimal."""


@dataclass(frozen=True, slots=True)
class LocalBytes(OpenBytes):
    """`OpenBytes` of an open file: they stay, also when the file is replaced or deleted."""

    file: FileIO
    length: int

    @property
    @override
    def size(self) -> int:
        return self.length

    @override
    async def read(self, start: int, length: int) -> bytes:
        return await _in_thread(lambda: os.pread(self.file.fileno(), length, start))


@dataclass(frozen=True, slots=True)
class LocalByteStore(ByteStore):
    """`ByteStore` in a folder for its owner only; several processes may share it. Every call works in a thread.

    What is written lies among the unfinished until it is whole and durable, then gets its name in one step. Its writer
    holds a lock on it, which dies with the process: so `clear` knows what a crash left behind.
    """

    folder: Path

    @override
    async def write(self, name: str, pieces: AsyncIterable[bytes], *, days: int | None = None) -> None:
        path, file = await _in_thread(self._begin)
        with file:
            try:
                async for piece in pieces:
                    await _in_thread(partial(_write, file, piece))
                await _in_thread(partial(self._finish, path, file, self.folder / name))
            except BaseException:
                with suppress(OSError):
                    path.unlink()
                raise

    @override
    @asynccontextmanager
    async def open(self, name: str) -> AsyncIterator[LocalBytes]:
        file = await _in_thread(partial(_open, self.folder / name))
        if file is None:
            raise NotFound
        with file:
            yield LocalBytes(file, os.fstat(file.fileno()).st_size)

    @override
    async def delete(self, name: str) -> None:
        await _in_thread(partial(_delete, self.folder / name))

    @override
    async def names(self, prefix: str) -> AsyncIterator[str]:
        for name in await _in_thread(partial(_listed, self.folder / prefix)):
            yield f"{prefix}/{name}"

    async def clear(self) -> int:
        """Delete what writers that are no more left unfinished; return how much. Repeating is harmless."""
        return await _in_thread(self._clear)

    def _begin(self) -> tuple[Path, FileIO]:
        """Make an unfinished file and lock it. A `clear` may come between the two: then another is made."""
        folder = self.folder / UNFINISHED
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        while True:
            path = folder / uuid4().hex
            file = FileIO(path, "xb", opener=_for_owner)
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file.fileno()).st_nlink:
                return path, file
            file.close()

    def _finish(self, path: Path, file: FileIO, final: Path) -> None:
        os.fsync(file.fileno())
        with _made(final.parent):
            path.replace(final)
            files.sync(final.parent)

    def _clear(self) -> int:
        cleared = 0
        for name in _listed(self.folder / UNFINISHED):
            path = self.folder / UNFINISHED / name
            with suppress(FileNotFoundError), _locked(path) as is_ours:
                if is_ours:
                    path.unlink()
                    cleared += 1
        return cleared


async def _in_thread(act: Callable[[], T]) -> T:
    """Do what waits for the disk. Its errors name files, so they end here.

    A caller who gives up leaves the thread at work: what it does to a closed file object fails, where a closed number
    could meanwhile be another file's.
    """
    try:
        return await asyncio.to_thread(act)
    except OSError:
        pass
    raise ObjectsUnavailable


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _write(file: FileIO, piece: bytes) -> None:
    left = memoryview(piece)
    while left:
        left = left[file.write(left) :]


def _open(path: Path) -> FileIO | None:
    try:
        return FileIO(path)
    except FileNotFoundError:
        return None


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Have the folder there, durably, while the block names something in it, though the last file in it may go."""
    with files.locked(folder.parent):
        if not folder.exists():
            folder.mkdir(mode=0o700)
            files.sync(folder.parent)
        yield


def _delete(path: Path) -> None:
    """Delete a file, and its folder with the last one in it."""
    with files.locked(path.parent.parent):
        with suppress(FileNotFoundError):
            path.unlink()
            files.sync(path.parent)
        with suppress(OSError):  # there are others in it, or it is gone
            path.parent.rmdir()
            files.sync(path.parent.parent)


def _listed(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Tell whether nobody else holds the file, and hold it meanwhile."""
    with FileIO(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
