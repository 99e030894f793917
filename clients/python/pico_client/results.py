"""From JSON to typed results: dataclasses that are read by their annotations. What they do not know is passed over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType, NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """Something the API answered. Its repr shows no value, for results end up in logs."""

    def __repr__(self) -> str:
        """Tell what it is."""
        return f"<{type(self).__name__}>"


def read(kind: type[T], said: object, /, **more: object) -> T:
    """Read JSON as a result of this kind; `more` are values from elsewhere, for the fields of that name, if any.

    A time becomes an aware datetime; `from`, which Python keeps to itself, is `from_`. Raises KeyError where a field is
    missing.
    """
    return cast("T", _read(kind, said, MappingProxyType(more)))


def _read(kind: Any, said: Any, more: MappingProxyType[str, object] = MappingProxyType({})) -> Any:  # noqa: ANN401
    if said is None:
        return None
    if isinstance(kind, UnionType):
        (kind,) = [arm for arm in get_args(kind) if arm is not NoneType]
    if get_origin(kind) is list:
        (item,) = get_args(kind)
        return [_read(item, one) for one in said]
    if isinstance(kind, type) and issubclass(kind, Result):
        hints = get_type_hints(kind)
        return kind(
            **{
                name: more[name] if name in more else _read(of, said[name.rstrip("_")])
                for name, of in hints.items()
            }
        )
    return datetime.fromisoformat(said) if kind is datetime else said
