"""What an operator sets to have devices woken: nothing, Google's part, Apple's, or both."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from adapters.jwt import es256, rs256
from adapters.outbound.push.apns import ProviderKey
from adapters.outbound.push.fcm import FirebaseProject
from bootstrap.pushing import ApnsAccess, FcmAccess, PushAccess


class PushSettings(BaseSettings):
    """Part of what can be set in Production; off unless it is."""

    fcm_account: SecretStr | None = Field(None, examples=['{"type": "service_account", ...}'])
    """What Google's file of a service account says; without it no Android device is woken."""
    fcm_api_url: str = Field(
        "https://fcm.googleapis.com",
        pattern=r"^https?://[^\s/?#]+/?$",
        examples=["https://fcm.googleapis.com"],
    )
    """The address of Firebase Cloud Messaging, or a proxy's."""
    apns_key: SecretStr | None = Field(None, examples=["-----BEGIN PRIVATE KEY-----..."])
    """Apple's key for pushes, in PEM; without it and what follows no Apple device is woken."""
    apns_key_id: str = Field("", pattern=r"^([A-Z0-9]{10})?$", examples=["ABC1234567"])
    apns_team_id: str = Field("", pattern=r"^([A-Z0-9]{10})?$", examples=["TEAM123456"])
    apns_topic: str = Field("", pattern=r"^([A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)?$", examples=["io.callpico.app"])
    """The app's bundle id."""
    apns_api_url: str = Field(
        "https://api.push.apple.com", pattern=r"^https?://[^\s?#]+$", examples=["https://api.push.apple.com"]
    )
    """The address of Apple's service, or a proxy's that speaks HTTP/2."""
    apns_development_url: str = Field(
        "https://api.sandbox.push.apple.com",
        pattern=r"^https?://[^\s?#]+$",
        examples=["https://api.sandbox.push.apple.com"],
    )
    """Where Apple knows devices that run a developer's build."""

    @field_validator("fcm_account")
    @classmethod
    def _is_an_account(cls, account: SecretStr | None) -> SecretStr | None:
        """Refuse early what no push could be signed with."""
        if account is not None:
            try:
                rs256(FirebaseProject.read(account.get_secret_value()).account.key, {})
            except (KeyError, TypeError, AttributeError):
                raise ValueError from None
        return account

    @field_validator("apns_key")
    @classmethod
    def _is_a_key(cls, key: SecretStr | None) -> SecretStr | None:
        """Refuse early what no push could be signed with."""
        if key is not None:
            es256(key.get_secret_value(), "", {})
        return key

    @property
    def apns_is_half(self) -> bool:
        """Whether some of what Apple's service needs is set, and not all of it."""
        parts = (
            self.apns_key is not None,
            *map(bool, (self.apns_key_id, self.apns_team_id, self.apns_topic)),
        )
        return any(parts) != all(parts)

    @property
    def push(self) -> PushAccess:
        """By which services devices are woken."""
        fcm = apns = None
        if self.fcm_account is not None:
            fcm = FcmAccess(FirebaseProject.read(self.fcm_account.get_secret_value()), self.fcm_api_url)
        if self.apns_key is not None:
            key = ProviderKey(
                self.apns_team_id, self.apns_key_id, self.apns_key.get_secret_value(), self.apns_topic
            )
            apns = ApnsAccess(key, self.apns_api_url, self.apns_development_url)
        return PushAccess(fcm, apns)
