"""Functions whose source is written out from declarations and compiled once, where a loop would run for every row.

Opening a page of 50 messages takes three quarters of the time for it (docs/adr/0017). Sources are made of places and
of names in this code; no value ever gets into one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import indent
from typing import Any


def written_out(name: str, parameters: Sequence[str], body: Sequence[str], known: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a function
    """Return the function of this name, parameters and lines, which refers to nothing but what is `known`."""
    source = f"def {name}({', '.join(parameters)}):\n" + indent("\n".join(body), "    ")
    namespace = dict(known)
    exec(compile(source, f"<written out: {name}>", "exec"), namespace)  # noqa: S102 - see above
    return namespace[name]
