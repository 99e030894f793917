"""How settings are read: the environment once, and what the command line says. No value is ever told."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from bootstrap.settings.every_world import Settings
from bootstrap.settings.production import ProductionSettings


class BadSettings(Exception):
    """Settings are missing or malformed; the message names each variable and never its value."""


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
    if (settings.database_url is None) != (settings.keyring_url is None):
        raise BadSettings(
            "PICO_DATABASE_URL and PICO_KEYRING_URL are set together, and name two different databases."
        )
    if settings.database_url is not None and settings.database_url == settings.keyring_url:
        raise BadSettings(
            "PICO_KEYRING_URL names the same database as PICO_DATABASE_URL: keys are kept apart."
        )
    if isinstance(settings, ProductionSettings):
        _must_reach_telnyx(settings)
        _must_reach_stripe(settings)
        _must_sell_in_stores(settings)
        if settings.apns_is_half:
            raise BadSettings(
                "PICO_APNS_KEY, PICO_APNS_KEY_ID, PICO_APNS_TEAM_ID and PICO_APNS_TOPIC are set together."
            )
    return settings


def _must_reach_stripe(settings: ProductionSettings) -> None:
    """Refuse half of what Stripe needs: plans nobody could buy, or hear of being paid. Raises BadSettings."""
    secrets = settings.stripe_webhook_secrets
    whole = secrets is not None and all(secrets.get_secret_value().split(","))
    given = (settings.stripe_api_key is not None, whole, bool(settings.plans))
    if any((*given, secrets is not None)) and not all(given):
        raise BadSettings("PICO_STRIPE_API_KEY, PICO_STRIPE_WEBHOOK_SECRETS and PICO_PLANS are set together.")


def _must_sell_in_stores(settings: ProductionSettings) -> None:
    """Refuse half of what the App Store needs, and plans that are sold nowhere but there. Raises BadSettings."""
    if settings.app_store_is_half or (settings.app_store is not None and settings.stripe_api_key is None):
        raise BadSettings(
            "PICO_APP_STORE_BUNDLE, PICO_APP_STORE_PRODUCTS, PICO_APP_STORE_ROOTS, PICO_APP_STORE_ISSUER, "
            "PICO_APP_STORE_KEY_ID and PICO_APP_STORE_KEY are set together, beside PICO_STRIPE_API_KEY."
        )


def _must_reach_telnyx(settings: ProductionSettings) -> None:
    """Refuse half of what Telnyx needs: a key without public keys, and lines at a carrier that cannot be reached.

    Keys without countries are no half: lines that are there stay, and new ones are with Twilio. Raises BadSettings.
    """
    keys = (settings.telnyx_api_key is not None, bool(settings.telnyx_public_keys))
    if any(keys) != all(keys) or (settings.countries_at_telnyx and not all(keys)):
        raise BadSettings(
            "PICO_TELNYX_COUNTRIES needs PICO_TELNYX_API_KEY and PICO_TELNYX_PUBLIC_KEYS, which are set together."
        )


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
