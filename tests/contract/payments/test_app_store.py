"""Apple's App Store: what it signs is verified. What holds of both stores is in `test_store_laws.py`."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.serialization import Encoding
from typing_extensions import override

from adapters.inbound.http_io import SAID_AT, WebhookEndpoint, Webhooks
from adapters.inbound.webhooks.app_store import App, AppleSignature, AppStoreWebhooks, roots_of
from adapters.inbound.webhooks.app_store.webhooks import AHEAD, OLDEST
from adapters.outbound.memory.system import START, HandClock
from adapters.outbound.stores.apple import hint_of
from adapters.outbound.stores.simulator import AppStoreSimulator, Authority
from application.ports.store_purchases import AppStoreRefused
from application.use_cases import UseCases
from domain.billing import PurchaseToken, Seller
from tests.contract.payments.store_shop import BUNDLE, DAY, ORIGINAL, PRODUCT, AppleShop, selling

NOW = int(START.timestamp() * 1000)


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
    return lambda apple: signed_at(int((apple.now() + by).timestamp() * 1000))(apple)


def signed_at(at: object) -> Callable[[AppStoreSimulator], str]:
    return lambda apple: apple.notification(ORIGINAL, signedDate=at)["signedPayload"]


def of(**data: str) -> Callable[[AppStoreSimulator], str]:
    def make(apple: AppStoreSimulator) -> str:
        about = {"bundleId": BUNDLE, "environment": "Production",
                 "signedTransactionInfo": apple.authority.signed(apple.held[ORIGINAL]["transaction"])}  # fmt: skip
        return apple.notification(ORIGINAL, data=about | data)["signedPayload"]

    return make


def summed(**said: str) -> Callable[[AppStoreSimulator], str]:
    """Return what makes a notification that sums up what was told one by one."""
    about = {"bundleId": BUNDLE, "environment": "Production", "succeededCount": 5} | said
    return lambda apple: apple.authority.signed(
        {"notificationType": "RENEWAL_EXTENSION", "subtype": "SUMMARY", "notificationUUID": "u-1",
         "signedDate": int(apple.now().timestamp() * 1000), "summary": about}
    )  # fmt: skip


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
    "long ago": moved(-OLDEST - timedelta(milliseconds=1)),
    "ahead of time": moved(AHEAD + timedelta(milliseconds=1)),
    **{
        f"at {at!r}": signed_at(at)
        for at in (None, "", str(NOW), float(NOW), True, 0, -NOW, 1 << 43, 1 << 80, [NOW])
    },
    "about nothing": lambda apple: apple.authority.signed({"signedDate": NOW}),
    "about a text": lambda apple: apple.notification(ORIGINAL, data="x")["signedPayload"],
    "a sum of another app": summed(bundleId="other.app"),
}


@pytest.mark.parametrize("made", REFUSED.values(), ids=REFUSED)
async def test_what_apple_did_not_sign_for_this_app_and_lately_is_refused(
    shop: AppleShop, made: Callable[[AppStoreSimulator], object]
) -> None:
    shop.apple.buy(ORIGINAL, await shop.buyer(), PRODUCT)
    assert await shop.tell({"signedPayload": made(shop.apple)}) == 403
    assert shop.apple.asked == 0
    assert await shop.lines() == 0


@pytest.mark.parametrize("by", [-OLDEST, AHEAD])
async def test_what_was_signed_just_in_time_is_taken(shop: AppleShop, by: timedelta) -> None:
    shop.apple.buy(ORIGINAL, await shop.buyer(), PRODUCT)
    assert await shop.tell({"signedPayload": moved(by)(shop.apple)}) == 204
    assert await shop.lines() == 1


async def test_a_sum_of_what_was_told_one_by_one_is_taken_and_nothing_asked(shop: AppleShop) -> None:
    assert await shop.tell({"signedPayload": summed()(shop.apple)}) == 204
    assert shop.apple.asked == 0


@pytest.mark.parametrize("body", [[], "x", 7, None, {}, [{"signedPayload": "x"}]])
async def test_a_body_that_holds_nothing_signed_is_refused(shop: AppleShop, body: object) -> None:
    assert await shop.send(data=json.dumps(body).encode()) == 403


async def test_when_apple_signed_is_known_to_whoever_measures() -> None:
    said_at: list[datetime | None] = []

    def listening(use_cases: UseCases, apple: AppStoreSimulator, clock: HandClock) -> Webhooks:
        signature = AppleSignature(roots_of(apple.authority.pem), clock.now)
        inner = AppStoreWebhooks(use_cases, signature, App(BUNDLE, "Production"), hint_of, clock.now)

        class Listening(Webhooks):
            @override
            def endpoints(self) -> Mapping[str, WebhookEndpoint]:
                return {path: self.after(endpoint) for path, endpoint in inner.endpoints().items()}

            def after(self, endpoint: WebhookEndpoint) -> WebhookEndpoint:
                async def answer(request: web.BaseRequest, query: str) -> web.StreamResponse:
                    answered = await endpoint(request, query)
                    said_at.append(SAID_AT.get())
                    return answered

                return answer

        return Listening()

    async with selling(listening) as shop:
        shop.buy(await shop.buyer())
        assert await shop.tell({"signedPayload": moved(-DAY)(shop.apple)}) == 204
        assert said_at == [shop.clock.now() - DAY]


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


async def test_certificates_count_from_their_first_instant_to_their_last(shop: AppleShop) -> None:
    made = Authority.made(shop.clock.now(), leaf_life=DAY)
    leaf, issuer, root = made.chain
    first, last, blink = leaf.not_valid_before_utc, leaf.not_valid_after_utc, timedelta(microseconds=1)
    assert {each.not_valid_before_utc for each in (issuer, root)} == {first}
    for now, counts in ((first, True), (last, True), (first - blink, False), (last + blink, False)):
        signature = AppleSignature([root], lambda now=now: now)  # type: ignore[misc]  # mypy cannot infer it
        assert (signature.said(made.signed({"a": 1})) == {"a": 1}) is counts, now


async def test_what_is_spelled_in_another_way_is_not_believed(shop: AppleShop) -> None:
    authority, signature = shop.apple.authority, AppleSignature([shop.apple.authority.root], shop.clock.now)
    x5c = [b64encode(each.public_bytes(Encoding.DER)).decode() for each in authority.chain]
    assert signature.said(authority.signed({"a": 1}, x5c=x5c)) == {"a": 1}
    for foreign in ("\n", " ", "!", "-"):
        odd = [x5c[0][:8] + foreign + x5c[0][8:], *x5c[1:]]
        assert signature.said(authority.signed({"a": 1}, x5c=odd)) is None
    text, _, own = authority.signed({"a": 1}).rpartition(".")
    raw = urlsafe_b64decode(own + "==")
    for longer in (raw[:32] + b"\0" + raw[32:], b"\0" + raw, raw + b"\0", raw[:-1], b""):
        assert signature.said(f"{text}.{urlsafe_b64encode(longer).rstrip(b'=').decode()}") is None
    for no_object in ([1], "a", 1, None):
        assert signature.said(authority.signed(no_object)) is None  # type: ignore[arg-type]  # what is none


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
