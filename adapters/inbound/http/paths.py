"""Paths with typed parameters, such as `/v1/lines/{line_id:uuid}`, and the table that finds what a path leads to."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Self, TypeVar
from urllib.parse import unquote

from adapters.inbound.http.params import A_NUMBER, AN_ID, Text, exactly
from domain.kernel import PicoError
from domain.values import PhoneNumber

Entry = TypeVar("Entry")

PARAMETER = re.compile(r"{([a-z][a-z0-9_]*):([a-z0-9]+)}")


ENCODED_IN_VAIN = re.compile(r"%(2[DE]|3[0-9]|[46][1-9A-F]|[57][0-9A]|5F|7E)", re.IGNORECASE)
"""Letters, digits and `-._~`: encoded or not, they are the same (RFC 3986, 6.2.2.2)."""


def plain(path: str) -> str:
    """Write a path without needless percent-encoding."""
    return ENCODED_IN_VAIN.sub(lambda octet: chr(int(octet[1], 16)), path)


def number(segment: str) -> PhoneNumber:
    """Read a phone number whose plus sign may be percent-encoded, as many clients do. Raises InvalidPhoneNumber."""
    return PhoneNumber.parse(unquote(segment))


OFFER = re.compile(r"[A-Za-z0-9_-]{96}\Z")
TYPES = {"uuid": AN_ID, "offer": exactly(OFFER, str), "e164": Text(number, A_NUMBER.says)}
"""What a parameter can be. No two types take the same text: the first that fits is the one."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A segment of a path that holds a value."""

    name: str
    type: str

    @property
    def text(self) -> Text:
        """How its text becomes a value, and what the document says of it."""
        return TYPES[self.type]


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A path as a route names it: literal segments and parameters, one a segment."""

    segments: tuple[str | Parameter, ...]

    @classmethod
    def parse(cls, path: str) -> Self:
        """Read a template. Raises ValueError when it is malformed, names an unknown type, or a parameter twice."""
        empty, *segments = path.split("/")
        found = cls(tuple(_segment(segment) for segment in segments))
        names = [parameter.name for parameter in found.parameters]
        if empty or len(names) != len(set(names)):
            raise ValueError(path)
        return found

    @property
    def parameters(self) -> list[Parameter]:
        """Its parameters, in order."""
        return [segment for segment in self.segments if isinstance(segment, Parameter)]

    def __str__(self) -> str:
        """Return the template as the OpenAPI document writes it, without types."""
        return "".join(f"/{s if isinstance(s, str) else f'{{{s.name}}}'}" for s in self.segments)


def _segment(segment: str) -> str | Parameter:
    match = PARAMETER.fullmatch(segment)
    if match is None:
        if "{" in segment or "}" in segment:
            raise ValueError(segment)
        return segment
    if match[2] not in TYPES:
        raise ValueError(segment)
    return Parameter(match[1], match[2])


@dataclass(slots=True)
class _Node(Generic[Entry]):
    literal: dict[str, _Node[Entry]] = field(default_factory=dict)
    typed: dict[str, tuple[Callable[[str], Any], _Node[Entry]]] = field(default_factory=dict)
    entry: Entry | None = None

    def follow(self, segment: str, values: list[Any]) -> _Node[Entry] | None:
        """Return the node behind a parameter that `segment` fits, after appending its value; or None."""
        for parse, child in self.typed.values():
            try:
                values.append(parse(segment))
            except (ValueError, PicoError):
                continue
            return child
        return None


class PathTable(Generic[Entry]):
    """Entries by path. A path without parameters is found in one look-up, any other in one step a segment."""

    def __init__(self, make: Callable[[], Entry]) -> None:
        """Hold nothing yet; `make` makes the entry of a new path."""
        self._make = make
        self._exact: dict[str, Entry] = {}
        self._root: _Node[Entry] = _Node()

    def at(self, template: PathTemplate) -> Entry:
        """Return the entry of a template, made on first use. Raises ValueError for an ambiguous one."""
        if not template.parameters:
            return self._exact.setdefault(str(template), self._make())
        node = self._root
        for segment in template.segments:
            node = _child(node, segment)
        if node.entry is None:
            node.entry = self._make()
        return node.entry

    def find(self, path: str) -> tuple[Entry | None, Sequence[Any]]:
        """Return the entry that a raw path leads to, or None, and the values of its parameters in order."""
        entry = self._exact.get(path)
        if entry is not None:
            return entry, ()
        values: list[Any] = []
        node = self._root
        for segment in path.split("/")[1:]:
            child = node.literal.get(segment) or node.follow(segment, values)
            if child is None:
                return None, values
            node = child
        return node.entry, values


def _child(node: _Node[Entry], segment: str | Parameter) -> _Node[Entry]:
    if isinstance(segment, str):
        if any(_fits(parse, segment) for parse, _ in node.typed.values()):
            raise ValueError(f"{segment} is also a value of a parameter")
        return node.literal.setdefault(segment, _Node())
    if any(_fits(segment.text.parse, literal) for literal in node.literal):
        raise ValueError(f"a value of {segment.name} is also a literal")
    return node.typed.setdefault(segment.type, (segment.text.parse, _Node()))[1]


def _fits(parse: Callable[[str], Any], literal: str) -> bool:
    try:
        parse(literal)
    except (ValueError, PicoError):
        return False
    return True
