"""What an operator sets to have plans sold in an app store, too: nothing, Apple's part, Google's, or both."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from adapters.google_access import GoogleAccount
from adapters.inbound.webhooks.app_store import App, roots_of
from adapters.inbound.webhooks.google_play import GOOGLE_PLAY
from adapters.jwt import es256, rs256
from adapters.outbound.stores.app_store import AppStoreKey
from bootstrap.stores import AppStoreAccess, GooglePlayAccess, StoreAccess
from domain.billing import PlanName

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
PRODUCT = r"[A-Za-z0-9._]{1,100}=(basic|plus|team)"


class StoreSettings(BaseSettings):
    """Part of what can be set in Production; off unless it is."""

    app_store_bundle: str = Field(
        "", pattern=r"^([A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)?$", examples=["io.callpico.app"]
    )
    """The app whose subscriptions Apple sells; with it, what follows is needed, and Stripe."""
    app_store_environment: str = Field(
        "Production", pattern=r"^(Production|Sandbox)$", examples=["Production"]
    )
    """Which of Apple's two environments is believed: what is bought in the other one costs nothing."""
    app_store_products: str = Field(
        "", pattern=rf"^({PRODUCT}(,{PRODUCT})*)?$", examples=["pico.basic.monthly=basic"]
    )
    """Which plan each of the app's products is, comma-separated."""
    app_store_roots: Path | None = Field(None, examples=["/etc/pico/apple-root-ca-g3.pem"])
    """A file with the root certificates, in PEM, that lead to whoever signs for the App Store: Apple Root CA - G3."""
    app_store_issuer: str = Field(
        "",
        pattern=r"^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$",
        examples=["57246542-96fe-1a63-e053-0824d011072a"],
    )
    """The issuer id that App Store Connect shows beside its keys."""
    app_store_key_id: str = Field("", pattern=r"^([A-Z0-9]{10})?$", examples=["ABC1234567"])
    app_store_key: SecretStr | None = Field(None, examples=["-----BEGIN PRIVATE KEY-----..."])
    """The key for in-app purchases that App Store Connect made, in PEM: purchases are looked up with it."""
    app_store_api_url: str = Field(
        "", pattern=r"^(https?://[^\s/?#]+/?)?$", examples=["https://api.storekit.apple.com"]
    )
    """A proxy's address, where calls to Apple must pass one."""

    google_play_package: str = Field(
        "", pattern=r"^([A-Za-z]\w*(\.[A-Za-z]\w*)+)?$", examples=["io.callpico.app"]
    )
    """The app whose subscriptions Google sells; with it, what follows is needed, and Stripe."""
    google_play_products: str = Field(
        "", pattern=rf"^({PRODUCT}(,{PRODUCT})*)?$", examples=["pico.basic.monthly=basic"]
    )
    """Which plan each of the app's products is, comma-separated."""
    google_play_account: SecretStr | None = Field(None, examples=['{"type": "service_account", ...}'])
    """What Google's file of a service account says, that may see orders: purchases are looked up by it."""
    google_play_push_account: str = Field(
        "", pattern=r"^([^@\s]+@[^@\s]+)?$", examples=["push@pico.iam.gserviceaccount.com"]
    )
    """The address of the service account in whose name Pub/Sub pushes."""
    google_play_audience: str = Field(
        "", pattern=r"^\S*$", examples=["https://api.example/webhooks/google-play"]
    )
    """For whom the tokens of its pushes are; unset, for the endpoint's own address, as Pub/Sub has it unless told."""
    google_play_tests: bool = Field(default=False, examples=["false"])
    """Whether what license testers buy counts: they pay nothing."""
    google_play_api_url: str = Field(
        "https://androidpublisher.googleapis.com",
        pattern=r"^https?://[^\s/?#]+/?$",
        examples=["https://androidpublisher.googleapis.com"],
    )
    """The address of Google's Play Developer API, or a proxy's."""
    google_play_keys_url: str = Field(
        "https://www.googleapis.com/oauth2/v3/certs",
        pattern=r"^https?://[^\s?#]+$",
        examples=["https://www.googleapis.com/oauth2/v3/certs"],
    )
    """Where Google publishes the keys by which it signs tokens (JWKS), or a proxy's address."""

    @field_validator("app_store_key")
    @classmethod
    def _is_a_store_key(cls, key: SecretStr | None) -> SecretStr | None:
        """Refuse early what nobody could be asked with."""
        if key is not None:
            es256(key.get_secret_value(), "", {})
        return key

    @field_validator("app_store_roots")
    @classmethod
    def _are_roots(cls, file: Path | None) -> Path | None:
        """Refuse early a file that is not there or holds no certificate."""
        if file is not None:
            try:
                roots_of(file.read_bytes())
            except OSError:
                raise ValueError from None
        return file

    @field_validator("google_play_account")
    @classmethod
    def _is_an_account_of_googles(cls, account: SecretStr | None) -> SecretStr | None:
        """Refuse early what nobody could be asked with."""
        if account is not None:
            try:
                rs256(GoogleAccount.read(account.get_secret_value()).key, {})
            except (KeyError, TypeError, AttributeError):
                raise ValueError from None
        return account

    @property
    def app_store_is_half(self) -> bool:
        """Whether some of what the App Store needs is set, and not all of it."""
        parts = (
            self.app_store_key is not None, self.app_store_roots is not None,
            *map(bool, (self.app_store_bundle, self.app_store_products, self.app_store_issuer, self.app_store_key_id)),
        )  # fmt: skip
        return any(parts) != all(parts)

    @property
    def app_store_url(self) -> str:
        """Where Apple is asked."""
        return self.app_store_api_url.removesuffix("/") or APPLES[self.app_store_environment]

    @property
    def google_play_is_half(self) -> bool:
        """Whether some of what Google Play needs is set, and not all of it."""
        parts = (
            self.google_play_account is not None,
            *map(bool, (self.google_play_package, self.google_play_products, self.google_play_push_account)),
        )
        return any(parts) != all(parts)

    def stores(self, public_url: str) -> StoreAccess:
        """Return the app stores in which plans are sold, which call below `public_url`."""
        return StoreAccess(self.app_store, self.google_play(public_url))

    @property
    def app_store(self) -> AppStoreAccess | None:
        """What the App Store is reached by, and believed for; None where nothing is sold there."""
        if self.app_store_key is None or self.app_store_roots is None:
            return None
        return AppStoreAccess(
            key=AppStoreKey(
                self.app_store_issuer,
                self.app_store_key_id,
                self.app_store_key.get_secret_value(),
                self.app_store_bundle,
            ),
            app=App(self.app_store_bundle, self.app_store_environment),
            roots=tuple(roots_of(self.app_store_roots.read_bytes())),
            plans=_plans(self.app_store_products),
            api_url=self.app_store_url,
        )

    def google_play(self, public_url: str) -> GooglePlayAccess | None:
        """Return what Google Play is reached by, and believed for; None where nothing is sold there."""
        if self.google_play_account is None:
            return None
        return GooglePlayAccess(
            account=GoogleAccount.read(self.google_play_account.get_secret_value()),
            package=self.google_play_package,
            plans=_plans(self.google_play_products),
            push_account=self.google_play_push_account,
            audience=self.google_play_audience or f"{public_url}{GOOGLE_PLAY}",
            api_url=self.google_play_api_url,
            keys_url=self.google_play_keys_url,
            tests=self.google_play_tests,
        )


APPLES = {
    "Production": "https://api.storekit.apple.com",
    "Sandbox": "https://api.storekit-sandbox.apple.com",
}


def _plans(said: str) -> Mapping[str, PlanName]:
    listed = (entry.split("=") for entry in said.split(",") if entry)
    return {product: PlanName(name) for product, name in listed}
