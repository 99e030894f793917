"""Pages of a list that is newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
C = TypeVar("C")

MOST = 100
"""Items on a page, where nobody asks for fewer."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T, C]):
    """One page, and the place from which the next one starts: None on the last."""

    items: list[T]
    next: C | None
