"""The forms that Stripe takes: names with brackets, which nest."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

PART = re.compile(r"\[([^\]]*)\]")


def nested(form: str) -> dict[str, Any]:
    """Read a form or a query: `items[0][price]=x` becomes {"items": {"0": {"price": "x"}}}."""
    read: dict[str, Any] = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        first = name.partition("[")[0]
        path = [first, *PART.findall(name)]
        into = read
        for step in path[:-1]:
            into = into.setdefault(step or str(len(into)), {})
        into[path[-1] or str(len(into))] = value
    return read


def listed(value: object) -> list[Any]:
    """Return the members of an array that was sent, in their order."""
    return [value[key] for key in sorted(value, key=int)] if isinstance(value, dict) else []
