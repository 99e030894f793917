"""The one place for errors that somebody has to hear of: a report names their type and where they rose, never a value.

An outage is none: it is counted and waited out, whatever asked again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias

import structlog

from domain.kernel import PicoError

OURS = ("domain.", "application.", "adapters.", "bootstrap.")

log = structlog.get_logger()

Listener: TypeAlias = Callable[[BaseException], None]
"""Is told of an error, in which values may be: what it makes of it is for it to keep them out of. May not block."""

_listeners: list[Listener] = []
EVERY = 3600.0
"""Seconds after which it is said again that a key is not taken."""
_told_of_keys: dict[type[BaseException], float] = {}

Incident: TypeAlias = Literal[
    "unexpected",
    "seal broken",
    "job failed",
    "job dead",
    "job overdue",
    "queue failed",
    "outcome not noted",
    "sweep failed",
    "catching up failed",
    "endings not noted",
    "restore replay failed",
    "answer not understood",
    "key not taken",
    "uncaught",
    "unseen",
]
"""What a report is called. Nobody's text is one of these words: mypy refuses it."""


def report(error: BaseException, event: Incident = "unexpected", **facts: str | int) -> None:
    """Log an error: its code, or its type, and where it rose; never its message, which may quote a value.

    `facts` are codes and counts of the caller's own; what has a type of the domain's is named by that, not shown.
    Whoever listens is told, too. Never raises.
    """
    plain = {
        name: said if type(said) in {str, int} else f"<{type(said).__name__}>" for name, said in facts.items()
    }
    name = error.code if isinstance(error, PicoError) else type(error).__name__
    log.error(event, error=name, where=where(error), **plain)
    for listener in _listeners:
        try:
            listener(error)
        except Exception as broken:  # noqa: BLE001 - a report that fails must not make more of an error than there is
            log.error("report not sent", error=type(broken).__name__, where=where(broken))


def report_key(error: BaseException, monotonic: Callable[[], float] = time.monotonic) -> None:
    """Report that a provider does not take our key, once an hour for each type of error; it says whose. Never raises.

    Until somebody mends it, every call fails for the same reason. Whoever comes to listen hears of it anew.
    """
    now, kind = monotonic(), type(error)
    if now - _told_of_keys.get(kind, -EVERY) >= EVERY:
        _told_of_keys[kind] = now
        report(error, "key not taken")


@contextmanager
def also_telling(listener: Listener) -> Iterator[None]:
    """Have a listener told of every error that is reported in this process until the block ends."""
    _listeners.append(listener)
    _told_of_keys.clear()
    try:
        yield
    finally:
        _listeners.remove(listener)


def where(error: BaseException) -> str:
    """Name the innermost place that is ours, or the innermost of all, as module:function:line: it holds no values."""
    trace, place = error.__traceback__, "unknown"
    found_ours = False
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", "unknown"))
        ours = module.startswith(OURS)
        if ours or not found_ours:
            place = f"{module}:{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
            found_ours = found_ours or ours
        trace = trace.tb_next
    return place
