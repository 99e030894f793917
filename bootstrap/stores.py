"""The app stores, where they are configured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import ClientSession
from cryptography.x509 import Certificate

from adapters.inbound.http_io import Webhooks
from adapters.inbound.webhooks.app_store import App, AppleSignature, AppStoreWebhooks
from adapters.outbound.stores.app_store import AppStore, AppStoreKey
from adapters.outbound.stores.apple import hint_of
from adapters.outbound.stores.by_seller import StoresBySeller
from application.ports.store_purchases import StorePurchases
from application.use_cases import UseCases
from domain.billing import PlanName, Seller


@dataclass(frozen=True, slots=True, kw_only=True)
class AppStoreAccess:
    """What Apple gave us to ask with, whose signatures are believed for which app, and what is sold there."""

    key: AppStoreKey = field(repr=False)
    app: App
    roots: tuple[Certificate, ...]
    plans: Mapping[str, PlanName]
    """By the product's id."""
    api_url: str

    def store(self, session: ClientSession, now: Callable[[], datetime]) -> StorePurchases:
        """Return what asks Apple."""
        return AppStore(session, self.key, self.api_url, self.plans, now)

    def webhooks(self, use_cases: UseCases, now: Callable[[], datetime]) -> Webhooks:
        """Return what Apple calls."""
        return AppStoreWebhooks(use_cases, AppleSignature(self.roots, now), self.app, hint_of, now)


@dataclass(frozen=True, slots=True)
class StoreAccess:
    """What each app store is reached by; None: nothing is sold there."""

    apple: AppStoreAccess | None = None

    @property
    def is_any(self) -> bool:
        """Whether anything is sold in an app store."""
        return self.apple is not None

    def opened(self, session: ClientSession, now: Callable[[], datetime]) -> StorePurchases:
        """Return what asks the stores; of one that is not configured nobody can say how a purchase stands."""
        found: dict[Seller, StorePurchases] = {}
        if self.apple is not None:
            found[Seller.APP_STORE] = self.apple.store(session, now)
        return StoresBySeller(found)

    def webhooks(self, use_cases: UseCases, now: Callable[[], datetime]) -> list[Webhooks]:
        """Return what the stores call."""
        return [] if self.apple is None else [self.apple.webhooks(use_cases, now)]
