"""Which release of Pico this is."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import metadata

from bootstrap.settings import ROOT


@cache
def release() -> str:
    """Return the version: of the installed package, or of the checkout that runs."""
    try:
        return metadata.version("pico")
    except metadata.PackageNotFoundError:
        with (ROOT / "pyproject.toml").open("rb") as file:
            return str(tomllib.load(file)["project"]["version"])
