"""What is sealed of a value that is no text: an instant, an id, a member of a closed set. All of them as a text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


def text_form(value: Any) -> str:  # noqa: ANN401 - an instant, an id or a word
    """Return the text of a value, as the export shows it: an instant as in RFC 3339, in UTC."""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


def plain_form(of: type[Any]) -> Callable[[Any], bytes]:
    """Return what makes the bytes that are sealed of a value of this type."""
    if of is bytes:
        return bytes
    if issubclass(of, str):
        return str.encode
    return lambda value: text_form(value).encode()


def opened_form(of: type[Any]) -> Callable[[bytes, str], Any]:
    """Return what makes a value of this type of the bytes that were sealed, and of their encoding."""
    read: Callable[[str], Any]
    if issubclass(of, StrEnum):
        read = {member.value: member for member in of}.__getitem__
    elif of is datetime:
        read = datetime.fromisoformat
    elif issubclass(of, str):
        return of
    else:
        read = UUID
    return lambda blob, encoding: read(blob.decode(encoding))
