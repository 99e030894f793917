"""From bytes, in any pieces, to unfolded lines: whatever is sent, a line is held once and to a bounded length."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from adapters.inbound.http_io import Refused

LONGEST_LINE = 32 * 1024
"""Bytes of an unfolded line that are kept. The longest note there can be, quoted-printable, is shorter."""
MOST_LINES = 400_000
"""Before they are unfolded: 30 MB of pictures."""
END = b"END:VCARD"
"""It follows a value that quoted-printable breaks off at its very end, as Outlook does."""
UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"B\0": "utf-16-le", b"\0B": "utf-16-be"}
"""How a file in UTF-16 begins, with a mark or without: old address books of Apple wrote it."""


class TooManyLines(Refused):
    """A file of contacts has at most 400,000 lines."""

    status = 413
    code = "too_many_lines"


class Lines:
    """Unfolds lines (RFC 6350, 3.2), and joins what quoted-printable broke softly (RFC 2045, 6.7, rule 5)."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._begun = False
        self._decoder: codecs.IncrementalDecoder | None = None
        self._rest = b""
        self._line = bytearray()
        self._quoted = self._goes_on = False
        self._count = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield every line that is complete by now. Raises TooManyLines."""
        if not self._begun and len(self._rest) + len(data) < 3:  # noqa: PLR2004 - as long as a mark
            self._rest += data
            return
        if not self._begun:
            data, self._rest, self._begun = self._rest + data, b"", True
            if encoding := UTF_16.get(data[:2]):
                self._decoder = codecs.getincrementaldecoder(encoding)("replace")
            data = data.removeprefix(codecs.BOM_UTF8)
        if self._decoder is not None:
            data = self._decoder.decode(data).removeprefix("\ufeff").encode()
        written = (self._rest + data).splitlines(keepends=True)
        # A carriage return may be half of a line's end: what comes next tells.
        self._rest = written.pop()[:LONGEST_LINE] if written and not written[-1].endswith(b"\n") else b""
        for line in written:
            yield from self._take(line.rstrip(b"\r\n"))

    def end(self) -> Iterator[bytes]:
        """Yield what is left when nothing more comes."""
        yield from self._take(self._rest.rstrip(b"\r\n"))
        yield from self._take(b"")

    def _take(self, written: bytes) -> Iterator[bytes]:
        self._count += 1
        if self._count > MOST_LINES:
            raise TooManyLines
        if self._goes_on and written[:9].upper() != END:
            self._add(written)
        elif written[:1] in {b" ", b"\t"}:
            self._add(written[1:])
        else:
            if self._line:
                yield bytes(self._line)
            self._line = bytearray(written[:LONGEST_LINE])
            self._quoted = b"QUOTED-PRINTABLE" in written[: written.find(b":")].upper()
        self._goes_on = self._quoted and written.endswith(b"=")
        if self._goes_on and self._line.endswith(b"="):
            del self._line[-1]

    def _add(self, more: bytes) -> None:
        self._line += more[: LONGEST_LINE - len(self._line)]
