"""The event loop of a process that serves or works."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

from adapters.error_report import report

T = TypeVar("T")


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
