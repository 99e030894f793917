"""The event loop and the garbage collector of a process that serves or works."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

from adapters.error_report import report

T = TypeVar("T")

YOUNG_OBJECTS = 20_000
"""New objects before the collector looks at them: a request makes a few hundred, which reference counts free."""


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end on uvloop and return what it returns. What ends a task unseen is reported."""
    return uvloop.run(_watched(main))


async def _watched(main: Coroutine[Any, Any, T]) -> T:
    asyncio.get_running_loop().set_exception_handler(_unseen)
    return await main


def _unseen(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report an error that nobody waited for. Its context quotes tasks and transports, and so arguments and peers."""
    error = context.get("exception")
    report(error if isinstance(error, BaseException) else RuntimeError(), "unseen")


def settle() -> None:
    """Have the collector leave alone what start-up made: it is there to stay. Repeating is harmless.

    A full collection walks some 200,000 modules, types and routes otherwise, with every request waiting.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 50, 100)
