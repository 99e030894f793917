"""The app stores, where they are configured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import ClientSession
from cryptography.x509 import Certificate

from adapters.google_access import GoogleAccount
from adapters.inbound.http_io import Webhooks
from adapters.inbound.webhooks.app_store import App, AppleSignature, AppStoreWebhooks
from adapters.inbound.webhooks.google_play import GooglePlayWebhooks, PushToken
from adapters.outbound.stores import apple, google
from adapters.outbound.stores.app_store import AppStore, AppStoreKey
from adapters.outbound.stores.by_seller import StoresBySeller
from adapters.outbound.stores.google_keys import GoogleKeys
from adapters.outbound.stores.google_play import GooglePlay
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
        return AppStoreWebhooks(use_cases, AppleSignature(self.roots, now), self.app, apple.hint_of, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class GooglePlayAccess:
    """What Google gave us to ask with, whose pushes are believed for which app, and what is sold there."""

    account: GoogleAccount
    package: str
    plans: Mapping[str, PlanName]
    """By the product's id."""
    push_account: str
    """In whose name Pub/Sub pushes."""
    audience: str
    """For whom its tokens are."""
    api_url: str
    keys_url: str
    tests: bool = False
    """Whether what testers buy for nothing counts."""

    def store(self, session: ClientSession, now: Callable[[], datetime]) -> StorePurchases:
        """Return what asks Google."""
        return GooglePlay(
            session, self.account, self.package, self.plans, self.api_url, now, tests=self.tests
        )

    def webhooks(self, use_cases: UseCases, session: ClientSession, now: Callable[[], datetime]) -> Webhooks:
        """Return what Google calls."""
        keys = GoogleKeys(session, self.keys_url, lambda: now().timestamp())
        token = PushToken(self.audience, self.push_account, keys, now)
        return GooglePlayWebhooks(use_cases, token, self.package, google.hint_of)


@dataclass(frozen=True, slots=True)
class StoreAccess:
    """What each app store is reached by; None: nothing is sold there."""

    apple: AppStoreAccess | None = None
    google: GooglePlayAccess | None = None

    def opened(self, session: ClientSession, now: Callable[[], datetime]) -> StorePurchases:
        """Return what asks the stores; of one that is not configured nobody can say how a purchase stands."""
        found: dict[Seller, StorePurchases] = {}
        if self.apple is not None:
            found[Seller.APP_STORE] = self.apple.store(session, now)
        if self.google is not None:
            found[Seller.PLAY_STORE] = self.google.store(session, now)
        return StoresBySeller(found)

    def webhooks(
        self, use_cases: UseCases, session: ClientSession, now: Callable[[], datetime]
    ) -> list[Webhooks]:
        """Return what the stores call."""
        found: list[Webhooks] = []
        if self.apple is not None:
            found.append(self.apple.webhooks(use_cases, now))
        if self.google is not None:
            found.append(self.google.webhooks(use_cases, session, now))
        return found
