"""The wiring: every use case once, given what it needs by name. dependency-injector lives here and nowhere else."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_type_hints

from dependency_injector import containers, providers

from application.use_cases import UseCases

OUTSIDE = (
    "store",
    "directory",
    "queue",
    "keyring",
    "carrier",
    "mail",
    "ledger",
    "fingerprint",
    "hasher",
    "tokens",
    "clock",
    "ids",
    "retention",
)
"""What a world must bring."""


def wire(**outside: Any) -> UseCases:  # noqa: ANN401 - each port has its own type
    """Return every use case over one world's outside. Raises at once when something is missing."""
    container = containers.DynamicContainer()
    kinds = get_type_hints(UseCases)
    for name in OUTSIDE:
        container.set_provider(name, providers.Dependency())

    def provider(name: str) -> Any:  # noqa: ANN401 - dependency-injector's providers are untyped
        if name not in container.providers:
            needs = {f.name: provider(f.name) for f in fields(kinds[name])}
            container.set_provider(name, providers.Singleton(kinds[name], **needs))
        return container.providers[name]

    use_cases = providers.Singleton(UseCases, **{name: provider(name) for name in kinds})
    container.override_providers(**{name: providers.Object(value) for name, value in outside.items()})
    container.check_dependencies()
    return use_cases()
