"""How settings are read: the environment once, and what the command line says. No value is ever told."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from bootstrap.settings.every_world import BadSettings, Settings


class World(StrEnum):
    """Where Pico runs."""

    SANDBOX = "sandbox"
    PRODUCTION = "production"


class _Choice(BaseSettings):
    """The one variable that decides which others are read."""

    model_config = Settings.model_config

    world: World = World.SANDBOX
    """`sandbox`, or `production`, which names each variable that it needs and has not."""


S = TypeVar("S", bound=BaseSettings)
W = TypeVar("W", bound=Settings)

Options = Mapping[str, str]
"""What the command line says in the place of variables, by a setting's name."""


def chosen_world() -> World:
    """Return the world that PICO_WORLD names, the Sandbox when it is unset. Raises BadSettings."""
    return _read(_Choice, {}).world


def read_settings(kind: type[W], options: Options = MappingProxyType({})) -> W:
    """Read the environment, and before it the options. Raises BadSettings, which names everything that is wrong."""
    settings = _read(kind, options)
    settings.must_fit()
    return settings


def variables() -> Mapping[str, str]:
    """Return every variable that a Sandbox reads, and in a sentence what it is for."""
    found = {}
    for kind in (_Choice, Settings):
        for name, field in kind.model_fields.items():
            shown = f" (default: {field.default})" if field.default or field.default == 0 else ""
            found[variable(name)] = f"{field.description}{shown}"
    return found


def variable(name: str) -> str:
    """Return the variable of a setting."""
    return f"PICO_{name.upper()}"


def _read(kind: type[S], options: Options) -> S:
    try:
        return kind(**dict[str, Any](options))
    except ValidationError as error:
        told = _told(error, kind, options)
    raise BadSettings(told)  # outside the handler: the error above knows the values


def _told(error: ValidationError, kind: type[BaseSettings], options: Options) -> str:
    """Say which variables are not set, and of those with a value of no use which value would be good."""
    missing, said = set[str](), []
    for name, fault in sorted((str(fault["loc"][0]), fault["type"]) for fault in error.errors()):
        called = f"--{name.replace('_', '-')}" if name in options else variable(name)
        if fault == "missing":
            missing.add(called)
        else:
            said.append(f"{called} takes {_good(kind.model_fields[name])}.")
    if missing:
        said.append(f"Not set: {', '.join(sorted(missing))}.")
    return " ".join(said)


def _good(field: FieldInfo) -> str:
    """Say which values a setting takes."""
    if isinstance(field.annotation, type) and issubclass(field.annotation, StrEnum):
        return " or ".join(field.annotation)
    if field.annotation is int:
        limits = {
            limit: of
            for part in field.metadata
            for limit in ("ge", "le")
            if (of := getattr(part, limit, None)) is not None
        }
        return "a whole number " + (
            f"from {limits['ge']} to {limits['le']}" if "le" in limits else f"of at least {limits['ge']}"
        )
    return f"something like {field.examples[0]}" if field.examples else "a value that is not empty"
