"""Apple's App Store: what it signs is verified, what it says is asked for, and a token tells whose a purchase is."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

import pytest
from aiohttp import ClientSession
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapters.inbound.http.app import build
from adapters.inbound.http_io import Webhooks
from adapters.inbound.webhooks.app_store import App, AppleSignature, roots_of
from adapters.outbound.memory.system import HandClock
from adapters.outbound.stores.app_store import AppStore, AppStoreKey
from adapters.outbound.stores.simulator import AppStoreSimulator, Authority
from application.ports.store_purchases import AppStoreUnavailable
from application.subscription_following import FOLLOW_SUBSCRIPTION
from application.use_cases import UseCases
from bootstrap.stores import AppStoreAccess, StoreAccess
from bootstrap.worlds import InMemory
from bootstrap.worlds.edge import HttpClient, always, calling
from domain.billing import PlanName, PurchaseToken, Seller
from tests.contract.payments.test_in_the_field import PAID_ONLY
from tests.support.actors import PASSWORD, Person, sign_up

BUNDLE, PRODUCT, ORIGINAL = "io.callpico.app", "pico.basic.monthly", "2000000000000001"
DAY = timedelta(days=1)


@dataclass
class Shop:
    """An account of ours, Apple, and the endpoint that Apple calls."""

    world: InMemory
    apple: AppStoreSimulator
    clock: HandClock
    http: HttpClient
    ada: Person

    async def tell(self, body: object) -> int:
        async with self.http.session.post(f"{self.http.url}/webhooks/app-store", json=body) as answer:
            return answer.status

    async def buyer(self) -> str:
        return str(await self.world.use_cases.read_buyer_token(self.ada.id))

    async def lines(self) -> int:
        await self.world.settle()
        return (await self.world.use_cases.read_subscription(self.ada.id)).entitled.lines


Edge: TypeAlias = Callable[[UseCases, AppStoreSimulator, HandClock], Webhooks]
"""Makes what Apple calls, of something else than the product's."""


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with selling() as shop:
        yield shop


@asynccontextmanager
async def selling(edge: Edge | None = None) -> AsyncIterator[Shop]:
    clock, key = HandClock(), ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    apple = AppStoreSimulator(BUNDLE, "Production", key.public_key(), clock.now)
    async with apple.running() as url, ClientSession() as session:
        stores = StoreAccess(
            AppStoreAccess(
                key=AppStoreKey("issuer", "ABC1234567", pem, BUNDLE), app=App(BUNDLE, "Production"),
                roots=tuple(roots_of(apple.authority.pem)), plans={PRODUCT: PlanName.BASIC}, api_url=url,
            )
        )  # fmt: skip
        world = InMemory(store_purchases=stores.opened(session, clock.now), offers=PAID_ONLY, clock=clock)
        ada = await sign_up(world)
        webhooks = stores.webhooks(world.use_cases, clock.now)
        if edge is not None:
            webhooks = [edge(world.use_cases, apple, clock)]
        async with calling(build(world.use_cases, ready=always, webhooks=webhooks)) as http:
            yield Shop(world, apple, clock, http, ada)


async def test_what_is_bought_in_the_app_store_entitles_until_it_is_over(shop: Shop) -> None:
    shop.apple.buy(ORIGINAL, await shop.buyer(), PRODUCT)
    assert await shop.tell(shop.apple.notification(ORIGINAL)) == 204
    assert await shop.lines() == 1
    paid = (await shop.world.use_cases.read_subscription(shop.ada.id)).subscription
    assert (paid.seller, paid.plan, paid.ends_at) == (Seller.APP_STORE, PlanName.BASIC, None)
    shop.apple.buy(ORIGINAL, await shop.buyer(), PRODUCT, renews=False)
    assert await shop.tell(shop.apple.notification(ORIGINAL, "DID_CHANGE_RENEWAL_STATUS")) == 204
    assert await shop.lines() == 1
    paid = (await shop.world.use_cases.read_subscription(shop.ada.id)).subscription
    assert paid.ends_at == paid.period_ends_at is not None
    shop.apple.buy(ORIGINAL, await shop.buyer(), PRODUCT, status=5)
    assert await shop.tell(shop.apple.notification(ORIGINAL, "REVOKE")) == 204
    assert await shop.lines() == 0


async def test_a_notification_is_a_hint_and_what_it_says_of_the_state_is_not_believed(shop: Shop) -> None:
    shop.apple.buy(ORIGINAL, await shop.buyer(), PRODUCT)
    told = shop.apple.notification(ORIGINAL)
    shop.apple.buy(ORIGINAL, await shop.buyer(), PRODUCT, status=2)
    assert await shop.tell(told) == 204
    assert await shop.lines() == 0


def altered(signed: str) -> str:
    head, body, signature = signed.split(".")
    said = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    said["subtype"] = "SOMETHING_ELSE"
    return f"{head}.{urlsafe_b64encode(json.dumps(said).encode()).rstrip(b'=').decode()}.{signature}"


def inside(
    change: Callable[[AppStoreSimulator, dict[str, Any]], object],
) -> Callable[[AppStoreSimulator], str]:
    """Return what makes a notification that Apple did sign, after a change to what it says."""

    def make(apple: AppStoreSimulator) -> str:
        held = json.loads(json.dumps(apple.held[ORIGINAL]))
        change(apple, apple.held[ORIGINAL]["transaction"])
        made = apple.notification(ORIGINAL)["signedPayload"]
        apple.held[ORIGINAL] = held
        return made

    return make


def by(authority: Callable[[AppStoreSimulator], Authority]) -> Callable[[AppStoreSimulator], str]:
    """Return what makes a notification that somebody else signed."""

    def make(apple: AppStoreSimulator) -> str:
        honest, apple.authority = apple.authority, authority(apple)
        made = apple.notification(ORIGINAL)["signedPayload"]
        apple.authority = honest
        return made

    return make


def borrowed(apple: AppStoreSimulator) -> Authority:
    """Sign by a key of one's own under Apple's certificates."""
    return Authority(apple.authority.root, apple.authority.chain, Authority.made(apple.now()).key)


def in_front_of_apples(apple: AppStoreSimulator) -> Authority:
    """Put a certificate of one's own before two of Apple's."""
    own = Authority.made(apple.now())
    return Authority(apple.authority.root, (own.chain[0], *apple.authority.chain[1:]), own.key)


def moved(by: timedelta) -> Callable[[AppStoreSimulator], str]:
    return lambda apple: apple.notification(ORIGINAL, signedDate=int((apple.now() + by).timestamp() * 1000))[
        "signedPayload"
    ]


def of(**data: str) -> Callable[[AppStoreSimulator], str]:
    def make(apple: AppStoreSimulator) -> str:
        about = {"bundleId": BUNDLE, "environment": "Production",
                 "signedTransactionInfo": apple.authority.signed(apple.held[ORIGINAL]["transaction"])}  # fmt: skip
        return apple.notification(ORIGINAL, data=about | data)["signedPayload"]

    return make


REFUSED: dict[str, Callable[[AppStoreSimulator], object]] = {
    "nothing": lambda _: None,
    "a number": lambda _: 7,
    "no signature at all": lambda _: "e30.e30.",
    "altered": lambda apple: altered(apple.notification(ORIGINAL)["signedPayload"]),
    "of no algorithm": lambda apple: apple.authority.signed({"data": {}}, alg="none"),
    "by nobody's certificates": lambda apple: apple.authority.signed({"data": {}}, x5c=[]),
    "by a chain of four": lambda apple: apple.authority.signed({"data": {}}, x5c=["AA=="] * 4),
    "by another root": by(lambda apple: Authority.made(apple.now())),
    "by another key": by(borrowed),
    "by a certificate of one's own": by(in_front_of_apples),
    "for another app": of(bundleId="other.app"),
    "for the other environment": of(environment="Sandbox"),
    "with a transaction of another app": inside(lambda _, said: said.update(bundleId="other.app")),
    "with a transaction of the other environment": inside(lambda _, said: said.update(environment="Sandbox")),
    "with a transaction that nobody signed": of(signedTransactionInfo="e30.e30.AA"),
    "long ago": moved(-9 * DAY),
    "of tomorrow": moved(DAY),
}


@pytest.mark.parametrize("made", REFUSED.values(), ids=REFUSED)
async def test_what_apple_did_not_sign_for_this_app_and_lately_is_refused(
    shop: Shop, made: Callable[[AppStoreSimulator], object]
) -> None:
    shop.apple.buy(ORIGINAL, await shop.buyer(), PRODUCT)
    assert await shop.tell({"signedPayload": made(shop.apple)}) == 403
    assert shop.apple.asked == 0
    assert await shop.lines() == 0


@pytest.mark.parametrize("role", ["leaf", "issuer"])
async def test_certificates_that_are_not_for_receipts_are_not_believed(shop: Shop, role: str) -> None:
    marks = {"issuer": "1.2.840.113635.100.6.2.1", "leaf": "1.2.840.113635.100.6.11.1"}
    await believes(shop, Authority.made(shop.clock.now(), marks=marks), yes=True)
    await believes(shop, Authority.made(shop.clock.now(), marks=marks | {role: "1.2.3"}), yes=False)


async def test_certificates_whose_time_is_over_are_not_believed(shop: Shop) -> None:
    made = Authority.made(shop.clock.now(), leaf_life=DAY)
    await believes(shop, made, yes=True)
    shop.clock.advance(2 * DAY)
    await believes(shop, made, yes=False)


async def believes(shop: Shop, authority: Authority, *, yes: bool) -> None:
    signature = AppleSignature(roots_of(authority.pem), shop.clock.now)
    assert signature.said(authority.signed({"a": 1})) == ({"a": 1} if yes else None)


@pytest.mark.parametrize("body", ["{", "[" * 9999])
async def test_what_is_no_json_is_malformed(shop: Shop, body: str) -> None:
    async with shop.http.session.post(f"{shop.http.url}/webhooks/app-store", data=body) as answer:
        assert answer.status == 400


async def test_a_replayed_notification_has_no_second_effect_and_an_old_copy_none_at_all(shop: Shop) -> None:
    shop.apple.buy(ORIGINAL, await shop.buyer(), PRODUCT)
    told = shop.apple.notification(ORIGINAL)
    for _ in range(3):
        assert await shop.tell(told) == 204
    assert len(await shop.world.queue.all_of(FOLLOW_SUBSCRIPTION)) == 1
    shop.clock.advance(9 * DAY)
    assert await shop.tell(told) == 403


async def test_a_test_of_the_endpoint_is_taken(shop: Shop) -> None:
    shop.apple.buy(ORIGINAL, None, PRODUCT)
    about = {"bundleId": BUNDLE, "environment": "Production"}
    assert await shop.tell(shop.apple.notification(ORIGINAL, "TEST", data=about)) == 204
    assert shop.apple.asked == 0


async def test_while_apple_does_not_answer_the_notification_is_to_be_sent_again(shop: Shop) -> None:
    shop.apple.buy(ORIGINAL, await shop.buyer(), PRODUCT)
    told = shop.apple.notification(ORIGINAL)
    for knob in ("outage", "refusing"):
        setattr(shop.apple, knob, True)
        assert await shop.tell(told) == 503
        setattr(shop.apple, knob, False)
    assert await shop.tell(told) == 204
    assert await shop.lines() == 1


@pytest.mark.parametrize("buyer", [None, "6f9b0c7e-52a1-4b6f-9d0e-0f4a7c1d2e3b"])
async def test_a_purchase_of_nobody_known_leads_nowhere(shop: Shop, buyer: str | None) -> None:
    await shop.buyer()
    shop.apple.buy(ORIGINAL, buyer, PRODUCT)
    assert await shop.tell(shop.apple.notification(ORIGINAL)) == 204
    assert await shop.lines() == 0


async def test_the_accounts_own_id_is_nobodys_token(shop: Shop) -> None:
    shop.apple.buy(ORIGINAL, str(shop.ada.id), PRODUCT)
    assert await shop.tell(shop.apple.notification(ORIGINAL)) == 204
    assert await shop.lines() == 0


async def test_apple_says_when_it_knows_no_such_purchase(shop: Shop) -> None:
    assert await shop.world.store_purchases.fetch(PurchaseToken("app_store:1")) is None
    with pytest.raises(AppStoreUnavailable):
        await shop.world.store_purchases.fetch(PurchaseToken("play_store:1"))


async def test_another_apps_answer_is_not_believed(shop: Shop) -> None:
    shop.apple.buy(ORIGINAL, await shop.buyer(), PRODUCT)
    shop.apple.bundle = "other.app"
    asking: Any = shop.world.store_purchases
    apples: AppStore = asking.stores[Seller.APP_STORE]
    with pytest.raises(AppStoreUnavailable):
        await apples.fetch(PurchaseToken(f"app_store:{ORIGINAL}"))


async def test_once_the_account_is_erased_its_token_is_nobodys(shop: Shop) -> None:
    buyer = await shop.buyer()
    shop.apple.buy(ORIGINAL, buyer, PRODUCT)
    assert await shop.tell(shop.apple.notification(ORIGINAL)) == 204
    await shop.world.settle()
    await shop.world.use_cases.delete_account(shop.ada.id, PASSWORD)
    await shop.world.advance(31 * DAY)
    shop.apple.buy(ORIGINAL, buyer, PRODUCT)
    assert await shop.tell(shop.apple.notification(ORIGINAL, "DID_RENEW")) == 204
    assert shop.world.queue.count(shop.ada.id) == 0
