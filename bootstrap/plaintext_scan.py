"""The search an auditor would make: is this value anywhere in these files, however it may be written?"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

OVERLAP, CHUNK = 4096, 1 << 22
"""Bytes: files are read in chunks that overlap by more than the longest form of any value."""
EMPTY = bytes(64)


@dataclass(frozen=True, slots=True)
class Trace:
    """A value was found: `name` says which, `form` how it was written, `place` where."""

    name: str
    form: str
    place: str


def forms(value: str) -> Iterator[tuple[str, bytes]]:
    """Yield every way of writing `value` that a dump, a log or a data file might use."""
    raw = value.encode()
    yield "raw", raw
    yield "hex", raw.hex().encode()
    yield "HEX", raw.hex().upper().encode()
    yield "utf-16-le", value.encode("utf-16-le")
    yield "utf-16-be", value.encode("utf-16-be")
    for shift in range(3):  # base64 depends on where in a group of three bytes the value begins
        text = base64.b64encode(b"\0" * shift + raw)
        inner = text[(0, 2, 3)[shift] : len(text) - (4 if text.endswith(b"=") else 0)]
        yield "base64", inner
        yield "base64url", inner.replace(b"+", b"-").replace(b"/", b"_")
    digits = re.sub(r"\D", "", value)
    if len(digits) >= 7 and not re.search(r"[a-zA-Z]", value):  # noqa: PLR2004 - a phone number, not a stray figure
        yield "digits", digits.encode()
        yield "digits-utf-16", digits.encode("utf-16-le")


def search_bytes(place: str, content: bytes, values: Mapping[str, str]) -> Iterator[Trace]:
    """Yield what is found in `content`."""
    dense = content.replace(
        EMPTY, b""
    )  # database files are mostly zeros, and no form of any value holds so many
    for name, value in values.items():
        for needle, form in {needle: form for form, needle in forms(value)}.items():
            if needle in dense:
                yield Trace(name, form, place)


def search_files(folders: Iterable[Path], values: Mapping[str, str]) -> list[Trace]:
    """Search every file below `folders`; files that vanish meanwhile are passed over. Memory stays flat."""
    found: dict[Trace, None] = {}
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            try:
                with path.open("rb") as file:
                    tail = b""
                    while chunk := file.read(CHUNK):
                        found.update(
                            dict.fromkeys(search_bytes(str(path.relative_to(folder)), tail + chunk, values))
                        )
                        tail = chunk[-OVERLAP:]
            except FileNotFoundError:
                continue
    return list(found)
