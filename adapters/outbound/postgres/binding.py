"""What a sealed cell is bound to: the plain values beside it that decide something, and the version of its row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, get_origin

from adapters.outbound.postgres.sealing import prefixed
from domain.classification import Field, StorageKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MISSING = b"\xff\xff\xff\xff"
"""Stands for a missing value: no part is that long."""


def _time(value: datetime) -> bytes:
    return ((value - _EPOCH) // _MICROSECOND).to_bytes(8, signed=True)


def _count(value: int) -> bytes:
    return value.to_bytes(8, signed=True)


_PARTS: dict[StorageKind, Callable[[Any], bytes]] = {
    StorageKind.ID: lambda value: value.bytes,
    StorageKind.REF: str.encode,
    StorageKind.ENUM: str.encode,
    StorageKind.TIME: _time,
    StorageKind.COUNT: _count,
}


class Binder:
    """Makes the associated data of the values of some fields. The account and the row's id are in them already."""

    __slots__ = ("_parts", "names")

    def __init__(self, fields: Iterable[Field]) -> None:
        """Raises TypeError for a field whose plain value cannot be bound."""
        bound = tuple(fields)
        for field in bound:
            if (
                field.policy.kind not in _PARTS
                or field.policy.relative
                or get_origin(field.type) is frozenset
            ):
                raise TypeError(field.name)
        self.names = tuple(field.name for field in bound)
        self._parts = tuple(_PARTS[field.policy.kind] for field in bound)

    def data(self, values: Sequence[Any], version: int) -> bytes:
        """Return the associated data of these values, in order of `names`, in a row of this version."""
        parts = [
            _MISSING if value is None else prefixed(part(value))
            for part, value in zip(self._parts, values, strict=True)
        ]
        return b"".join((version.to_bytes(8), *parts))
