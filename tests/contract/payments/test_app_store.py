"""Apple's App Store: what it signs is verified. What holds of both stores is in `test_store_laws.py`."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from adapters.inbound.webhooks.app_store import AppleSignature, roots_of
from adapters.outbound.stores.simulator import AppStoreSimulator, Authority
from application.ports.store_purchases import AppStoreRefused
from domain.billing import PurchaseToken, Seller
from tests.contract.payments.store_shop import BUNDLE, DAY, ORIGINAL, PRODUCT, AppleShop, selling


@pytest.fixture
async def shop() -> AsyncIterator[AppleShop]:
    async with selling() as shop:
        yield shop


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
    shop: AppleShop, made: Callable[[AppStoreSimulator], object]
) -> None:
    shop.apple.buy(ORIGINAL, await shop.buyer(), PRODUCT)
    assert await shop.tell({"signedPayload": made(shop.apple)}) == 403
    assert shop.apple.asked == 0
    assert await shop.lines() == 0


@pytest.mark.parametrize("role", ["leaf", "issuer"])
async def test_certificates_that_are_not_for_receipts_are_not_believed(shop: AppleShop, role: str) -> None:
    marks = {"issuer": "1.2.840.113635.100.6.2.1", "leaf": "1.2.840.113635.100.6.11.1"}
    await believes(shop, Authority.made(shop.clock.now(), marks=marks), yes=True)
    await believes(shop, Authority.made(shop.clock.now(), marks=marks | {role: "1.2.3"}), yes=False)


async def test_certificates_whose_time_is_over_are_not_believed(shop: AppleShop) -> None:
    made = Authority.made(shop.clock.now(), leaf_life=DAY)
    await believes(shop, made, yes=True)
    shop.clock.advance(2 * DAY)
    await believes(shop, made, yes=False)


async def believes(shop: AppleShop, authority: Authority, *, yes: bool) -> None:
    signature = AppleSignature(roots_of(authority.pem), shop.clock.now)
    assert signature.said(authority.signed({"a": 1})) == ({"a": 1} if yes else None)


async def test_an_old_copy_is_refused(shop: AppleShop) -> None:
    shop.buy(await shop.buyer())
    told = shop.told()
    assert await shop.tell(told) == 204
    shop.clock.advance(9 * DAY)
    assert await shop.tell(told) == 403


async def test_a_key_that_apple_does_not_take_is_said(shop: AppleShop) -> None:
    shop.apple.refusing = True
    with pytest.raises(AppStoreRefused):
        await shop.world.store_purchases.fetch(PurchaseToken.of(Seller.APP_STORE, ORIGINAL))
