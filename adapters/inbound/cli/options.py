"""What several commands take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

Options = Mapping[str, str]
"""What was said in the place of variables, by a setting's name."""

AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]
StateDir = Annotated[
    str | None, typer.Option(help="Where the Sandbox keeps everything, instead of PICO_STATE_DIR.")
]


def said(**options: str | None) -> Options:
    """Return the options that were said."""
    return {name: value for name, value in options.items() if value is not None}
