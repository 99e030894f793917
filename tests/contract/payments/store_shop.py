"""An account of ours, an app store, and the endpoint that the store calls: Apple's and Google's alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar, TypeAlias

from aiohttp import ClientSession
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from typing_extensions import override

from adapters.google_access import GoogleAccount
from adapters.inbound.http.app import build
from adapters.inbound.http_io import Webhooks
from adapters.inbound.webhooks.app_store import App, roots_of
from adapters.outbound.memory.system import HandClock
from adapters.outbound.stores.app_store import AppStoreKey
from adapters.outbound.stores.simulator import AppStoreSimulator, GooglePlaySimulator
from application.use_cases import UseCases
from bootstrap.stores import AppStoreAccess, GooglePlayAccess, StoreAccess
from bootstrap.worlds import InMemory
from bootstrap.worlds.edge import HttpClient, always, calling
from domain.billing import PlanName, Seller, SubscriptionState
from tests.contract.payments.test_in_the_field import PAID_ONLY
from tests.support.actors import Person, sign_up
from tests.support.keys import pem

BUNDLE, PRODUCT, ORIGINAL = "io.callpico.app", "pico.basic.monthly", "2000000000000001"
AUDIENCE, PUSH_ACCOUNT = (
    "https://api.example/webhooks/google-play",
    "push@pico.iam.gserviceaccount.example",
)
DAY = timedelta(days=1)


@dataclass
class Shop(ABC):
    """The account, and what the store does and tells."""

    world: InMemory
    clock: HandClock
    http: HttpClient
    ada: Person
    seller: ClassVar[Seller]
    path: ClassVar[str]

    @abstractmethod
    def buy(
        self,
        buyer: str | None,
        state: SubscriptionState = SubscriptionState.ACTIVE,
        *,
        renews: bool = True,
        purchase: str = ORIGINAL,
    ) -> None:
        """Have somebody buy, or have what was bought stand otherwise."""

    @abstractmethod
    def told(self, purchase: str = ORIGINAL) -> object:
        """Return what the store tells of a purchase."""

    @abstractmethod
    def told_of_nothing(self) -> object:
        """Return what the store tells to try the endpoint."""

    @property
    @abstractmethod
    def asked(self) -> int:
        """How often the store was asked how a purchase stands."""

    @abstractmethod
    def turn(self, knob: str, *, on: bool) -> None:
        """Turn a knob of the store."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What the store sends beside what it tells."""
        return {}

    async def tell(self, body: object, headers: Mapping[str, str] | None = None) -> int:
        """Have the store tell something; return what it is answered."""
        return await self.send(headers, json=body)

    async def send(self, headers: Mapping[str, str] | None = None, **body: object) -> int:
        """Have the store send any body; return what it is answered."""
        sent = self.headers if headers is None else headers
        async with self.http.session.post(self.http.url + self.path, headers=sent, **body) as answer:  # type: ignore[arg-type]
            return answer.status

    async def buyer(self) -> str:
        """Return the account's token."""
        return str(await self.world.use_cases.read_buyer_token(self.ada.id))

    async def lines(self) -> int:
        """Do what is due, and return how many lines the account may have."""
        await self.world.settle()
        return (await self.world.use_cases.read_subscription(self.ada.id)).entitled.lines


@dataclass
class AppleShop(Shop):
    """Apple's App Store."""

    apple: AppStoreSimulator
    seller = Seller.APP_STORE
    path = "/webhooks/app-store"

    @override
    def buy(
        self,
        buyer: str | None,
        state: SubscriptionState = SubscriptionState.ACTIVE,
        *,
        renews: bool = True,
        purchase: str = ORIGINAL,
    ) -> None:
        self.apple.buy(purchase, buyer, PRODUCT, APPLES[state], renews=renews)

    @override
    def told(self, purchase: str = ORIGINAL) -> object:
        return self.apple.notification(purchase)

    @override
    def told_of_nothing(self) -> object:
        self.apple.buy(ORIGINAL, None, PRODUCT)
        return self.apple.notification(
            ORIGINAL, "TEST", data={"bundleId": BUNDLE, "environment": "Production"}
        )

    @property
    @override
    def asked(self) -> int:
        return self.apple.asked

    @override
    def turn(self, knob: str, *, on: bool) -> None:
        setattr(self.apple, knob, on)


@dataclass
class GoogleShop(Shop):
    """Google Play."""

    google: GooglePlaySimulator
    seller = Seller.PLAY_STORE
    path = "/webhooks/google-play"

    @override
    def buy(
        self,
        buyer: str | None,
        state: SubscriptionState = SubscriptionState.ACTIVE,
        *,
        renews: bool = True,
        purchase: str = ORIGINAL,
    ) -> None:
        self.google.buy(purchase, buyer, PRODUCT, GOOGLES[state] if renews else "CANCELED")

    @override
    def told(self, purchase: str = ORIGINAL) -> object:
        return self.google.notification(purchase)

    @override
    def told_of_nothing(self) -> object:
        return self.google.pushed({"testNotification": {"version": "1.0"}})

    @property
    @override
    def asked(self) -> int:
        return self.google.asked

    @override
    def turn(self, knob: str, *, on: bool) -> None:
        setattr(self.google, knob, on)

    @property
    @override
    def headers(self) -> Mapping[str, str]:
        return {"Authorization": self.google.authorization()}


APPLES = {
    SubscriptionState.ACTIVE: 1, SubscriptionState.ENDED: 2, SubscriptionState.UNPAID: 3,
    SubscriptionState.PAST_DUE: 4,
}  # fmt: skip
GOOGLES = {
    SubscriptionState.ACTIVE: "ACTIVE", SubscriptionState.ENDED: "EXPIRED", SubscriptionState.UNPAID: "ON_HOLD",
    SubscriptionState.PAST_DUE: "IN_GRACE_PERIOD", SubscriptionState.INCOMPLETE: "PENDING",
    SubscriptionState.PAUSED: "PAUSED",
}  # fmt: skip

Edge: TypeAlias = Callable[[UseCases, AppStoreSimulator, HandClock], Webhooks]
"""Makes what Apple calls, of something else than the product's."""
GoogleEdge: TypeAlias = Callable[[UseCases, GooglePlaySimulator, ClientSession, str, HandClock], Webhooks]
"""Makes what Google calls, of something else than the product's, given where Google is."""


@asynccontextmanager
async def selling(edge: Edge | None = None) -> AsyncIterator[AppleShop]:
    """Have Apple sell until the block ends."""
    clock, key = HandClock(), ec.generate_private_key(ec.SECP256R1())
    apple = AppStoreSimulator(BUNDLE, "Production", key.public_key(), clock.now)
    async with apple.running() as url, ClientSession() as session:
        stores = StoreAccess(
            AppStoreAccess(
                key=AppStoreKey("issuer", "ABC1234567", pem(key), BUNDLE), app=App(BUNDLE, "Production"),
                roots=tuple(roots_of(apple.authority.pem)), plans={PRODUCT: PlanName.BASIC}, api_url=url,
            )
        )  # fmt: skip
        world = InMemory(store_purchases=stores.opened(session, clock.now), offers=PAID_ONLY, clock=clock)
        ada = await sign_up(world)
        webhooks = stores.webhooks(world.use_cases, session, clock.now)
        if edge is not None:
            webhooks = [edge(world.use_cases, apple, clock)]
        async with calling(build(world.use_cases, ready=always, webhooks=webhooks)) as http:
            yield AppleShop(world, clock, http, ada, apple)


GOOGLE_KEY, SIGNING_KEY = (rsa.generate_private_key(65537, 2048) for _ in range(2))


def google_access(url: str) -> GooglePlayAccess:
    """Return what Google Play, simulated at `url`, is reached by and believed for."""
    return GooglePlayAccess(
        account=GoogleAccount("pico@pico.iam.gserviceaccount.example", pem(GOOGLE_KEY), f"{url}/token"),
        package=BUNDLE,
        plans={PRODUCT: PlanName.BASIC},
        push_account=PUSH_ACCOUNT,
        audience=AUDIENCE,
        api_url=url,
        keys_url=f"{url}/oauth2/v3/certs",
    )


@asynccontextmanager
async def selling_at_google(
    edge: GoogleEdge | None = None, *, package: str = BUNDLE, tests: bool = False
) -> AsyncIterator[GoogleShop]:
    """Have Google sell until the block ends."""
    clock = HandClock()
    google = GooglePlaySimulator(
        package, AUDIENCE, PUSH_ACCOUNT, GOOGLE_KEY.public_key(), clock.now, SIGNING_KEY
    )
    async with google.running() as url, ClientSession() as session:
        stores = StoreAccess(google=replace(google_access(url), package=package, tests=tests))
        world = InMemory(store_purchases=stores.opened(session, clock.now), offers=PAID_ONLY, clock=clock)
        ada = await sign_up(world)
        webhooks = stores.webhooks(world.use_cases, session, clock.now)
        if edge is not None:
            webhooks = [edge(world.use_cases, google, session, url, clock)]
        async with calling(build(world.use_cases, ready=always, webhooks=webhooks)) as http:
            yield GoogleShop(world, clock, http, ada, google)


SHOPS: Mapping[str, Callable[[], AbstractAsyncContextManager[Shop]]] = {
    "apple": selling,
    "google": selling_at_google,
}
