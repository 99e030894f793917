"""What an operator sets to have plans sold in an app store, too: nothing, or Apple's part."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from adapters.inbound.webhooks.app_store import App, roots_of
from adapters.jwt import es256
from adapters.outbound.stores.app_store import AppStoreKey
from bootstrap.stores import AppStoreAccess, StoreAccess
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
    def stores(self) -> StoreAccess:
        """The app stores in which plans are sold."""
        return StoreAccess(self.app_store)

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


APPLES = {
    "Production": "https://api.storekit.apple.com",
    "Sandbox": "https://api.storekit-sandbox.apple.com",
}


def _plans(said: str) -> Mapping[str, PlanName]:
    listed = (entry.split("=") for entry in said.split(",") if entry)
    return {product: PlanName(name) for product, name in listed}
