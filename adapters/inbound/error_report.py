"""The one place for errors nobody foresaw: a report names their type and where they rose, never a value."""

from __future__ import annotations

import structlog

OURS = ("domain.", "application.", "adapters.", "bootstrap.")

log = structlog.get_logger()


def report(error: BaseException, event: str = "unexpected", **facts: str | int) -> None:
    """Log an unforeseen error: its type and where it rose, never its message, which may quote a value.

    `facts` are codes and counts of the caller's own. Never raises.
    """
    log.error(event, error=type(error).__name__, where=where(error), **facts)


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
