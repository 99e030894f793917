"""What a sealed cell is bound to: the plain values beside it that decide something, and the version of its row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, get_origin

from adapters.outbound.postgres.sealing import prefixed
from adapters.outbound.postgres.written_out import written_out
from domain.classification import Field, StorageKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FROM_2000 = (datetime(2000, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""From where we count to where PostgreSQL does."""
_EIGHT, _SIXTEEN = (length.to_bytes(4) for length in (8, 16))
_MISSING = b"\xff\xff\xff\xff"
"""Stands for a missing value: no part is that long."""


class _Words(dict[str, bytes]):
    """Members of closed sets, each behind its length: the same few again and again."""

    def __missing__(self, value: str) -> bytes:
        made = self[value] = prefixed(value.encode())
        return made


def _time(value: datetime) -> bytes:
    return _EIGHT + ((value - _EPOCH) // _MICROSECOND).to_bytes(8, signed=True)


def _sent(value: bytes) -> bytes:
    """Of an instant as `timestamptz_send` gives it. One out of range makes bytes that nothing was sealed beside."""
    return _EIGHT + ((int.from_bytes(value) + _FROM_2000) & 0xFFFF_FFFF_FFFF_FFFF).to_bytes(8)


def _count(value: int) -> bytes:
    return _EIGHT + value.to_bytes(8, signed=True)


_PARTS: Mapping[StorageKind, str] = MappingProxyType({
    StorageKind.ID: "sixteen + {}.bytes",
    StorageKind.REF: "len(part := {}.encode()).to_bytes(4) + part",
    StorageKind.ENUM: "words[{}]",
    StorageKind.TIME: "time({})",
    StorageKind.COUNT: "count({0}) if {0} else zero",
})  # fmt: skip
"""What makes the bytes of a value: each behind its length, so that no two rows make the same."""
KNOWN: Mapping[str, Any] = MappingProxyType({
    "sixteen": _SIXTEEN, "words": _Words(), "time": _time, "sent": _sent, "count": _count, "zero": _count(0),
    "missing": _MISSING, "ones": b"\xff",
})  # fmt: skip
"""What these expressions refer to."""


class Binder:
    """Makes the associated data of the values of some fields. The account and the row's id are in them already."""

    __slots__ = ("_fields", "data", "names")

    data: Callable[[Sequence[Any], int], bytes]
    """Returns the associated data of these values, in order of `names`, in a row of this version."""

    def __init__(self, fields: Iterable[Field]) -> None:
        """Raises TypeError for a field whose plain value cannot be bound."""
        self._fields = tuple(fields)
        for field in self._fields:
            if (
                field.policy.kind not in _PARTS
                or field.policy.relative
                or get_origin(field.type) is frozenset
            ):
                raise TypeError(field.name)
        self.names = tuple(field.name for field in self._fields)
        values = [f"v{at}" for at in range(len(self.names))]
        returned = f"return {self.expression(values, 'version')}"
        unpacked = [f"({', '.join(values)},) = values"] if values else []
        self.data = written_out("data", ("values", "version"), [*unpacked, returned], KNOWN)

    def expression(self, values: Sequence[str], version: str, sent: Collection[str] = ()) -> str:
        """Return what makes the associated data, given how each value and the version are called.

        `sent` are the names of instants that come as `timestamptz_send` gives them: half the work of a datetime.
        Missing values at the end make no bytes, so a column that is added later, last and optional, leaves the seals
        of the rows there are. Nothing becomes ambiguous: a part that lost bytes is shorter than it says.
        """
        parts = [f"{version}.to_bytes(8)"]
        for field, value in zip(self._fields, values, strict=True):
            part = ("sent({})" if field.name in sent else _PARTS[field.policy.kind]).format(value)
            parts.append(f"missing if {value} is None else ({part})" if field.optional else part)
        return f"b''.join(({', '.join(parts)},)).rstrip(ones)"
