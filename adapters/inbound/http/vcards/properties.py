"""One line of a vCard: its name, its parameters, its value as text."""

from __future__ import annotations

import quopri
import re
from dataclasses import dataclass

TOKEN = re.compile(rb'[^";:]+|"[^"]*"?|;|:')
"""Each byte is looked at once: nothing to go back to."""
CHARSETS = frozenset({
    "utf-8", "us-ascii", "ascii", "big5", "gb2312", "gbk", "gb18030", "shift_jis", "euc-jp", "euc-kr",
    "iso-2022-jp", "koi8-r", "koi8-u", "macintosh", "utf8", *(f"iso-8859-{n}" for n in range(1, 17) if n != 12),  # noqa: PLR2004
    *(f"windows-125{n}" for n in range(9)),
})  # fmt: skip
"""In which phones and mail programs write. Python knows others that are no charsets, or that unpack."""
ENCODINGS = {"QUOTED-PRINTABLE", "BASE64", "B", "8BIT", "7BIT"}
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
OLD = "2.1"


@dataclass(frozen=True, slots=True)
class Property:
    """A line of a vCard. `parameters` are in capitals; one without a value is an encoding or a type (2.1)."""

    name: str
    parameters: dict[str, str]
    raw: bytes

    @classmethod
    def of(cls, line: bytes) -> Property | None:
        """Read a line; None for one that is none of a vCard's."""
        tokens, head = TOKEN.finditer(line), list[list[bytes]]([[]])
        for token in tokens:
            if token[0] == b":":
                name, *parameters = (b"".join(part).decode("ascii", "replace").upper() for part in head)
                return cls(
                    name.rpartition(".")[2].strip(), dict(map(_parameter, parameters)), line[token.end() :]
                )
            if token[0] == b";":
                head.append([])
            else:
                head[-1].append(token[0].strip(b'"'))
        return None

    @property
    def is_binary(self) -> bool:
        """Whether its value is no text."""
        return self.parameters.get("ENCODING") in {"BASE64", "B"}

    def text(self, version: str) -> str:
        """Return the value as text, its escapes undone."""
        return self._unescaped(self.raw, version)

    def parts(self, version: str) -> list[str]:
        """Return the parts of a structured value, such as a name's."""
        pieces = re.split(rb"(?<!\\);", self.raw)
        return [self._unescaped(piece, version) for piece in pieces]

    def _unescaped(self, raw: bytes, version: str) -> str:
        quoted = self.parameters.get("ENCODING") == "QUOTED-PRINTABLE"
        text = self._decoded(quopri.decodestring(raw) if quoted else raw)
        if quoted or version == OLD:  # 2.1 has no escapes but this
            return text.replace("\\;", ";")
        return ESCAPED.sub(lambda escape: "\n" if escape[1] in "nN" else escape[1], text)

    def _decoded(self, raw: bytes) -> str:
        charset = self.parameters.get("CHARSET", "").lower()
        if charset in CHARSETS:
            return raw.decode(charset, "replace")
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw.decode("windows-1252", "replace")  # what Windows writes and does not say


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if equals:
        return name.strip(), value.strip()
    return ("ENCODING" if name in ENCODINGS else "TYPE"), name.strip()
