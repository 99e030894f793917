"""The event loop and the garbage collector of a process that serves or works."""

from __future__ import annotations

import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

T = TypeVar("T")

YOUNG_OBJECTS = 20_000
"""New objects before the collector looks at them: a request makes a few hundred, which reference counts free."""


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end on uvloop and return what it returns."""
    return uvloop.run(main)


def settle() -> None:
    """Have the collector leave alone what start-up made: it is there to stay. Repeating is harmless.

    A full collection walks some 200,000 modules, types and routes otherwise, with every request waiting.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 50, 100)
