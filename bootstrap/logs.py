"""Logs: a line of JSON for each thing of ours that happened, made of fields that are listed here and of nothing else.

Records of libraries go nowhere: aiohttp's quote request lines and headers, asyncpg's rows, boto's addresses. What
Python itself would print (a traceback ends with the error's message, a warning with a line of source) is reported as a
type and a place.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

import structlog

from adapters.error_report import report
from adapters.inbound.http.request_id import ROUTE
from domain.audit_chain import Flaw
from domain.data_requests import LATE, URGENT

Shape = Callable[[object], bool]

TALKATIVE = ("STRIPE_LOG",)
"""Variables by which a library prints what it sends and is sent, past every logger."""
LARGEST = 10**9
"""No count of ours comes near it, and every phone number with its country is beyond."""


def text(pattern: str) -> Shape:
    """Return what tells whether a value is a text of this shape."""
    shape = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and shape.fullmatch(value) is not None


def number(value: object) -> bool:
    """Tell whether a value is a count or a duration of a size that ours have."""
    return isinstance(value, int | float) and -LARGEST < value < LARGEST


def an_id(value: object) -> bool:
    """Tell whether a value is spelled as an id of ours."""
    try:
        return str(UUID(str(value))) == value
    except ValueError:
        return False


class Errors:
    """What errors are called: the types that this process knows, and the codes of ours. No other word is one."""

    def __init__(self) -> None:
        """Know none yet."""
        self._names = frozenset[str]()

    def __call__(self, value: object) -> bool:
        """Tell whether a value is what an error is called."""
        if not isinstance(value, str):
            return False
        if value not in self._names:
            self._names = frozenset(_named(BaseException))
        return value in self._names


def _named(kind: type[BaseException]) -> Iterator[str]:
    yield kind.__name__
    if isinstance(code := getattr(kind, "code", None), str):
        yield code
    for narrower in kind.__subclasses__():
        yield from _named(narrower)


FOUND = frozenset({URGENT, LATE, *(flaw.code for flaw in Flaw)})
"""What sweeps report that is no error: what they found out."""


def failures(value: object) -> bool:
    """Tell whether a value counts what failed, by what errors and findings are called."""
    return isinstance(value, dict) and all(
        (ERROR(name) or name in FOUND) and number(count) for name, count in value.items()
    )


FEW_DIGITS = text(r"\d{1,6}")
NAME = text(r"[a-z_][a-z0-9_]{0,59}")
ERROR = Errors()
FIELDS: Mapping[str, Shape] = {
    "timestamp": text(r"[0-9TZ:.-]{20,32}"),
    "level": text(r"debug|info|warning|error|critical"),
    "event": text(r"[a-z][a-z -]{0,59}"),
    "request_id": text(r"[0-9a-f]{32}"),
    "method": text(r"[A-Z]{1,10}"),
    "route": text(r"(/(v\d+|[a-z_.-]*|\{[a-z0-9_]+\}))+"),
    "status": number,
    "milliseconds": number,
    "error": ERROR,
    "where": text(r"[\w.<>]{1,200}:[\w.<>]{1,100}:\d{1,6}|unknown"),
    "code": lambda value: value is None or number(value) or FEW_DIGITS(value),
    "failure": NAME,
    "failed": failures,
    "job": NAME,
    "attempt": number,
    "accounts": number,
    "messages": number,
    "action": NAME,
    "erased": number,
    "shut": number,
    "rows": number,
    "table": NAME,
    "columns": lambda value: isinstance(value, list) and all(map(NAME, value)),
    "account": an_id,
    "row": an_id,
    "line": an_id,
    "ref": text(r"([a-z]+:)?([A-Z]{2}[0-9a-f]{32}|[0-9a-f-]{36}|\d{16,25})"),
    "folder": text(r"[a-z][a-z_-]{0,59}"),
    "starts_again_in": number,
}
"""Each field that a line may have, and what its value looks like: no phone number, address or sentence fits."""


def only_what_is_listed(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Make a new record of what is listed and of its shape; `withheld` counts what was not."""
    kept = {name: event[name] for name, fits in FIELDS.items() if name in event and fits(event[name])}
    kept.setdefault("event", "unnamed")
    if withheld := len(event.keys() - kept.keys()) + ("event" in event and kept["event"] != event["event"]):
        kept["withheld"] = withheld
    return kept


def with_route(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the template of the route that is being answered, if one is."""
    if route := ROUTE.get():
        event.setdefault("route", route)
    return event


def configure_logs(to: TextIO | None = None) -> None:
    """Have everything that is told of this process be told in this way, on standard error. Repeating is harmless."""
    for variable in TALKATIVE:
        os.environ.pop(variable, None)
    logging.getLogger().addHandler(logging.NullHandler())
    logging.disable(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            with_route,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            only_what_is_listed,
            structlog.processors.JSONRenderer(separators=(",", ":")),
        ],
        logger_factory=structlog.WriteLoggerFactory(to or sys.stderr),
    )


def report_what_python_would_print() -> None:
    """Have errors that nobody catches, and warnings, reported as a type and a place. For the program itself."""
    sys.excepthook = lambda _kind, error, _trace: report(error, "uncaught")
    sys.unraisablehook = lambda given: report(given.exc_value or given.exc_type(), "uncaught")
    threading.excepthook = lambda given: report(given.exc_value or given.exc_type(), "uncaught")
    warnings.showwarning = _warned  # type: ignore[assignment]  # its parameters are passed by position


def _warned(
    _message: Warning | str, category: type[Warning], filename: str, lineno: int,
    _file: TextIO | None = None, _line: str | None = None,
) -> None:  # fmt: skip
    structlog.get_logger().warning(
        "python warns", error=category.__name__, where=f"{Path(filename).stem}:module:{lineno}"
    )
