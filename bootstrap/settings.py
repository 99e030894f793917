"""Configuration: `PICO_*` environment variables, read once, never printed."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class BadSettings(Exception):
    """A setting is missing or malformed; the message names the variable and never its value."""


class Settings(BaseSettings):
    """What an operator can set. Everything has a default that suits the Sandbox."""

    model_config = SettingsConfigDict(
        env_prefix="PICO_", frozen=True, hide_input_in_errors=True, extra="ignore"
    )

    port: int = Field(8080, ge=0, le=65535)
    """Where the API listens, on loopback. 0 picks a free port."""
    public_url: str | None = Field(None, pattern=r"^https?://[^\s/?#]+$")
    """The address providers call us at; the Sandbox's own when unset."""
    state_dir: Path = ROOT / "var"
    """Where the Sandbox keeps its database, keys, ledger and simulators."""
    database_url: SecretStr | None = None
    """A PostgreSQL to use instead of our own. Needs `keyring_url`."""
    keyring_url: SecretStr | None = None
    """The keyring's own database: another one, so that no backup holds both."""

    @field_validator("database_url", "keyring_url")
    @classmethod
    def _is_an_address(cls, url: SecretStr | None) -> SecretStr | None:
        """Refuse early what a driver would quote in its own complaint."""
        if url is not None:
            parts = urlsplit(url.get_secret_value())
            if (
                parts.scheme not in {"postgresql", "postgres"} or parts.port == 0
            ):  # reading the port checks it
                raise ValueError
        return url


def read_settings() -> Settings:
    """Read the environment. Raises BadSettings."""
    try:
        settings = Settings()
    except ValidationError as error:
        names = sorted({f"PICO_{str(part['loc'][0]).upper()}" for part in error.errors(include_input=False)})
        raise BadSettings(f"{' and '.join(names)}: not a value Pico can use.") from None
    if (settings.database_url is None) != (settings.keyring_url is None):
        raise BadSettings(
            "PICO_DATABASE_URL and PICO_KEYRING_URL are set together, and name two different databases."
        )
    if settings.database_url is not None and settings.database_url == settings.keyring_url:
        raise BadSettings(
            "PICO_KEYRING_URL names the same database as PICO_DATABASE_URL: keys are kept apart."
        )
    return settings
