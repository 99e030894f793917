"""What of an event may leave for Sentry: a new event is made of what is listed here, whatever the old one holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

Json = dict[str, Any]

SHAPES = {
    "event_id": re.compile(r"[0-9a-f]{32}"),
    "timestamp": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|\+00:00)"),
    "level": re.compile(r"error|fatal"),
    "platform": re.compile(r"python"),
    "release": re.compile(r"pico@[0-9A-Za-z.+-]{1,40}"),
    "environment": re.compile(r"[a-z]{1,20}"),
}
"""What an event may say beside its exceptions."""
NAME = re.compile(r"[A-Za-z_<][\w.<>]{0,199}", re.ASCII)
"""What a type, a module or a function is called. No spaces, no `@`, no `+`: a sentence or an address does not fit."""
MOST_FRAMES, MOST_ERRORS, MOST_LINES = 100, 10, 10**6


def rebuilt(event: Mapping[str, Any]) -> Json:
    """Return a new event: of each exception type and module, of each frame module, function and line, and the release.

    Whatever is not of the shape that it should have is left out. Raises nothing.
    """
    made: Json = {
        name: event[name]
        for name, shape in SHAPES.items()
        if isinstance(event.get(name), str) and shape.fullmatch(event[name])
    }
    made["exception"] = {
        "values": [_error(one) for one in _listed(event.get("exception"), "values")][:MOST_ERRORS]
    }
    return made


def _error(error: Mapping[str, Any]) -> Json:
    frames = _listed(error.get("stacktrace"), "frames")[-MOST_FRAMES:]
    return _names(error, "type", "module") | {"stacktrace": {"frames": [_frame(frame) for frame in frames]}}


def _frame(frame: Mapping[str, Any]) -> Json:
    made = _names(frame, "module", "function")
    line, ours = frame.get("lineno"), frame.get("in_app")
    if type(line) is int and 0 < line < MOST_LINES:
        made["lineno"] = line
    return made | {"in_app": ours is True}


def _names(of: Mapping[str, Any], *fields: str) -> Json:
    named = {field: of.get(field) for field in fields}
    return {field: name for field, name in named.items() if isinstance(name, str) and NAME.fullmatch(name)}


def _listed(of: object, field: str) -> list[Mapping[str, Any]]:
    """Return what a field lists, as far as it has the shape of a list of objects."""
    found = of.get(field) if isinstance(of, Mapping) else None
    each: Iterable[object] = found if isinstance(found, list) else ()
    return [one for one in each if isinstance(one, Mapping)]
