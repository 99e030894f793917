"""Parts of a download: the Range header with a single range (RFC 9110, section 14)."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Self

from adapters.inbound.http.problems import RangeNotSatisfiable

SINGLE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*\Z", re.IGNORECASE)
"""One int-range or suffix-range. Several ranges are allowed to be ignored, and are."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The bytes from `start` up to, but without, `stop`, of a resource of `size` bytes.

    `partial`: the client asked for a range, so the answer is a 206, even when the range is everything.
    """

    start: int
    stop: int
    size: int
    partial: bool = True

    @classmethod
    def wanted(cls, header: str, size: int) -> Self:
        """Read a Range header; a header that is absent, malformed or of another unit asks for the whole.

        Raises RangeNotSatisfiable when the range begins after the end, or is a suffix of no bytes.
        """
        match = SINGLE.match(header)
        whole = cls(0, size, size, partial=False)
        if match is None or match[1] == match[2] == "":
            return whole
        if match[1] == "":
            suffix = int(match[2])
            if suffix == 0:
                raise RangeNotSatisfiable(size)
            # A suffix of nothing is satisfiable, and no Content-Range can name it (RFC 9110, 14.1.2, 14.4).
            return cls(max(0, size - suffix), size, size) if size else whole
        first = int(match[1])
        last = int(match[2]) if match[2] else max(first, size - 1)
        if last < first:
            return whole
        if first >= size:
            raise RangeNotSatisfiable(size)
        return cls(first, min(last + 1, size), size)

    @property
    def content_range(self) -> str:
        """The Content-Range header of a 206."""
        return f"bytes {self.start}-{self.stop - 1}/{self.size}"

    def __len__(self) -> int:
        return self.stop - self.start

    async def of(self, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """Yield what of the whole lies in this range, from a source that cannot seek."""
        passed = 0
        async with aclosing(chunks):
            async for chunk in chunks:
                if piece := chunk[max(0, self.start - passed) : max(0, self.stop - passed)]:
                    yield piece
                passed += len(chunk)
                if passed >= self.stop:
                    return
