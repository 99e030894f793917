"""Files that outlive a crash: one process at a time changes them, and each change is there whole or not at all."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

SETTLED_NS = 100_000_000
"""A file changed less than 100 ms ago may change again within one tick of the file system's clock (4 to 10 ms)."""


class Version(NamedTuple):
    """Which content a file holds, without reading it: every `replace` makes another inode."""

    inode: int
    changed_ns: int
    size: int


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder (made for its owner only when missing) against every other thread and process. Blocks.

    The lock dies with its process, so a crash leaves none behind. Raises OSError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def read(path: Path) -> bytes | None:
    """Return the file's content, or None when there is no such file, and clear what a crash left half written.

    The caller holds the folder. Raises OSError. Repeating is harmless.
    """
    _new(path).unlink(missing_ok=True)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def replace(path: Path, content: bytes, *, wipe: bool = False) -> None:
    """Make `content` the file's whole content (mode 0600), durably: afterwards either the old or the new is there.

    With `wipe`, what the file held before is written over where it lay, once the new one is in its place.

    The caller holds the folder. The new file's name is fixed, so a crash leaves one at most, and `read` clears it.
    Raises OSError. Repeating is harmless.
    """
    new = _new(path)
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    old = os.open(path, os.O_WRONLY | os.O_CLOEXEC) if wipe and path.exists() else None
    try:
        new.replace(path)
        sync(path.parent)
        if old is not None:
            os.pwrite(old, bytes(os.fstat(old).st_size), 0)
            os.fsync(old)
    finally:
        if old is not None:
            os.close(old)


def append(path: Path, end: int, content: bytes) -> None:
    """Cut the file (made with mode 0600 when missing) to `end` bytes and write `content` there, durably.

    With no content too: what was read before `end` may be of a process that was killed before it was durable. The
    caller holds the folder. Raises OSError.
    """
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(file).st_size > end:
            os.ftruncate(file, end)
        left = memoryview(content)
        while left:
            left = left[os.write(file, left) :]
        os.fsync(file)
    finally:
        os.close(file)
    sync(path.parent)


def version(path: Path) -> Version | None:
    """Return the file's version, or None when there is none to rely on: no file, or one changed just now."""
    try:
        found = path.stat()
    except OSError:
        return None
    if time.time_ns() - found.st_mtime_ns < SETTLED_NS:
        return None
    return Version(found.st_ino, found.st_mtime_ns, found.st_size)


def sync(folder: Path) -> None:
    """Make the folder's names durable. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _new(path: Path) -> Path:
    return path.with_name(path.name + ".new")
