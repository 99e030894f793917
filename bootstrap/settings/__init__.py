"""Configuration: `PICO_*` environment variables and what the command line says, read once, never printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bootstrap.settings.every_world import ROOT, BadSettings, Settings
from bootstrap.settings.reading import (
    Options,
    World,
    chosen_world,
    read_settings,
    variable,
    variables,
)

if TYPE_CHECKING:
    from bootstrap.settings.production import ProductionSettings

__all__ = [
    "ROOT",
    "BadSettings",
    "Options",
    "ProductionSettings",
    "Settings",
    "World",
    "chosen_world",
    "read_settings",
    "variable",
    "variables",
]


def __getattr__(name: str) -> object:
    """Import Production's where they are asked for: they know the vendors, and a Sandbox needs none of that."""
    if name != "ProductionSettings":
        raise AttributeError(name)
    from bootstrap.settings.production import ProductionSettings  # noqa: PLC0415 - see above

    return ProductionSettings
