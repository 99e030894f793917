"""The worlds Pico runs in. The one for tests, ours and other people's, is `InMemory`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bootstrap.worlds.memory import InMemory

__all__ = ["InMemory"]


def __getattr__(name: str) -> object:
    """Import it where it is asked for: what serves would hold 8 MiB of fakes otherwise."""
    if name != "InMemory":
        raise AttributeError(name)
    from bootstrap.worlds.memory import InMemory  # noqa: PLC0415 - see above

    return InMemory
