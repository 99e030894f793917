"""Configuration: `PICO_*` environment variables and what the command line says, read once, never printed."""

from bootstrap.settings.every_world import ROOT, Settings
from bootstrap.settings.production import ProductionSettings
from bootstrap.settings.reading import (
    BadSettings,
    Options,
    World,
    chosen_world,
    read_settings,
    variable,
    variables,
)

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
