"""The archive that an export is: a zip (APPNOTE 6.3), written as a stream. Memory holds no more than a piece of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

QUICK = 1
"""zlib's quickest level: text shrinks to a quarter, and nobody waits for the rest."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the archive, as the manifest names it."""

    name: str
    size: int
    sha256: str


class _Outlet:
    """What the zip is written to: it cannot be sought in, so sizes and checksums follow each file."""

    def __init__(self) -> None:
        self.held = bytearray()

    def write(self, content: bytes) -> int:
        self.held += content
        return len(content)

    def flush(self) -> None:
        """Nothing is held back."""


@dataclass(slots=True)
class _Counted:
    """One file of the archive under way."""

    into: IO[bytes]
    size: int = 0
    hashed: hashlib._Hash = field(default_factory=hashlib.sha256)

    def write(self, content: bytes) -> None:
        """Add some of its content."""
        self.into.write(content)
        self.size += len(content)
        self.hashed.update(content)


class Archive:
    """A zip under way: files are written one after another, and what is written is taken out piece by piece."""

    def __init__(self, at: datetime) -> None:
        """Date every file `at`."""
        self.entries: list[Entry] = []
        self._out, self._at = _Outlet(), at.timetuple()[:6]
        self._zip = ZipFile(cast("IO[bytes]", self._out), "w", compresslevel=QUICK)

    @contextmanager
    def file(self, name: str, *, packed: bool = True) -> Iterator[_Counted]:
        """Write one file. What is compressed already, such as pictures, is not packed again."""
        info = ZipInfo(name, self._at)
        info.compress_type = ZIP_DEFLATED if packed else ZIP_STORED
        info.external_attr = 0o600 << 16
        with self._zip.open(info, "w", force_zip64=True) as into:
            counted = _Counted(into)
            yield counted
        self.entries.append(Entry(name, counted.size, counted.hashed.hexdigest()))

    @property
    def held(self) -> int:
        """How many bytes wait to be taken out."""
        return len(self._out.held)

    def take(self) -> bytes:
        """Take out what has been written since the last time."""
        taken = bytes(self._out.held)
        self._out.held.clear()
        return taken

    def close(self) -> None:
        """Write the list of files that ends a zip."""
        self._zip.close()
