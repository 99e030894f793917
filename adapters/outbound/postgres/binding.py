"""What a sealed cell is bound to: the plain values beside it that decide something, and the version of its row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, get_origin

from adapters.outbound.postgres.sealing import prefixed
from domain.classification import Field, StorageKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EIGHT, _SIXTEEN = (length.to_bytes(4) for length in (8, 16))
_MISSING = b"\xff\xff\xff\xff"
"""Stands for a missing value: no part is that long."""


@lru_cache(1024)
def _word(value: str) -> bytes:
    """Of a closed set: the same few again and again."""
    return prefixed(value.encode())


def _time(value: datetime) -> bytes:
    return _EIGHT + ((value - _EPOCH) // _MICROSECOND).to_bytes(8, signed=True)


def _count(value: int) -> bytes:
    return _EIGHT + value.to_bytes(8, signed=True)


_PARTS: dict[StorageKind, Callable[[Any], bytes]] = {
    StorageKind.ID: lambda value: _SIXTEEN + value.bytes,
    StorageKind.REF: lambda value: prefixed(value.encode()),
    StorageKind.ENUM: _word,
    StorageKind.TIME: _time,
    StorageKind.COUNT: _count,
}
"""Each value behind its length, so that no two rows make the same bytes."""


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
        parts = [version.to_bytes(8)]
        parts += [
            _MISSING if value is None else part(value)
            for part, value in zip(self._parts, values, strict=True)
        ]
        return b"".join(parts)

    def of_rows(self) -> Callable[[Sequence[Any], int], bytes]:
        """Return `data` for the rows of a list, which have much in common: what the last one had is not made anew."""
        parts = self._parts
        last: list[Any] = [None] * len(parts)
        made = [_MISSING] * len(parts)

        def data(values: Sequence[Any], version: int) -> bytes:
            for at, value in enumerate(values):
                if value != last[at]:
                    made[at] = _MISSING if value is None else parts[at](value)
                    last[at] = value
            return version.to_bytes(8) + b"".join(made)

        return data
