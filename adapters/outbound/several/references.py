"""Whose a reference is: it says so itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from domain.kernel import CarrierRef

Named = TypeVar("Named")


def owner_of(ref: CarrierRef | None, by_name: Mapping[str, Named]) -> Named:
    """Return whose reference it is: the one whose name and a colon it begins with, else the first.

    The first carrier was there before there were several, and its references are bare.
    """
    first, *others = by_name
    name = next((name for name in others if ref is not None and ref.startswith(f"{name}:")), first)
    return by_name[name]
