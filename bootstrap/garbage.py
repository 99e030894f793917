"""When the garbage collector looks at what was made."""

from __future__ import annotations

import gc

STARTING, YOUNG_OBJECTS = 200_000, 20_000
"""New objects before it looks at them. A request makes a few hundred, which reference counts free."""


def start() -> None:
    """Have it hardly look while modules are imported: they stay. A sixth of a start's processor time went there."""
    gc.set_threshold(STARTING, 50, 100)


def settle() -> None:
    """Have it leave alone what start-up made: it is there to stay. Repeating is harmless.

    A full collection walks some 200,000 modules, types and routes otherwise, with every request waiting.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 50, 100)
