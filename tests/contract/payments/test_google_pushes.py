"""Who pushes in Google's name is verified, under keys that are read from Google, and what they push is read."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession, web
from cryptography.hazmat.primitives.asymmetric import rsa

from adapters.outbound.stores.google_keys import GoogleKeys
from adapters.outbound.stores.simulator import GooglePlaySimulator
from application.ports.store_purchases import AppStoreUnavailable
from bootstrap.worlds.edge import calling
from tests.contract.payments.store_shop import (
    AUDIENCE,
    BUNDLE,
    DAY,
    ORIGINAL,
    GoogleShop,
    selling_at_google,
)


@pytest.fixture
async def shop() -> AsyncIterator[GoogleShop]:
    async with selling_at_google() as shop:
        yield shop


def signed_by(key: rsa.RSAPrivateKey) -> Callable[[GooglePlaySimulator], str]:
    def make(google: GooglePlaySimulator) -> str:
        honest, google.signing_key = google.signing_key, key
        made = google.authorization()
        google.signing_key = honest
        return made

    return make


def moved(by: timedelta) -> Callable[[GooglePlaySimulator], str]:
    def make(google: GooglePlaySimulator) -> str:
        at = int((google.now() + by).timestamp())
        return google.authorization(iat=at, exp=at + 3600)

    return make


def but(**claims: Any) -> Callable[[GooglePlaySimulator], str]:
    return lambda google: google.authorization(**claims)


def altered(google: GooglePlaySimulator) -> str:
    head, _, signature = google.authorization().split(".")
    said = google.authorization(sub="2").split(".")[1]
    return f"{head}.{said}.{signature}"


def unsigned(google: GooglePlaySimulator) -> str:
    head, said, _ = google.authorization(alg="none").split(".")
    return f"{head}.{said}."


REFUSED: dict[str, Callable[[GooglePlaySimulator], str]] = {
    "nothing": lambda _: "",
    "no token": lambda _: "Bearer e30",
    "an empty one": lambda _: "Bearer e30.e30.",
    "no JSON": lambda _: "Bearer e30.W10.AAAA",
    "another scheme": lambda google: google.authorization().replace("Bearer", "Basic"),
    "a list": lambda _: "Bearer W10.W10.W10",
    "altered": altered,
    "of no algorithm": unsigned,
    "of another algorithm": lambda google: google.authorization(alg="HS256"),
    "by another key": signed_by(rsa.generate_private_key(65537, 2048)),
    "of another issuer": but(iss="https://accounts.example"),
    "for another audience": but(aud="https://other.example/webhooks/google-play"),
    "for several audiences": but(aud=[AUDIENCE]),
    "of another account": but(email="somebody@else.iam.gserviceaccount.example"),
    "of an account that is not verified": but(email_verified=False),
    "of an account that is said to be verified": but(email_verified="true"),
    "over": moved(-timedelta(hours=1)),
    "of tomorrow": moved(DAY),
    "good for ever": lambda google: google.authorization(iat=1, exp=1 << 40),
    "without an end": but(exp=None),
    "with an end in words": but(exp="4102444800"),
}


@pytest.mark.parametrize("made", REFUSED.values(), ids=REFUSED)
async def test_who_is_not_our_subscription_within_the_hour_is_refused(
    shop: GoogleShop, made: Callable[[GooglePlaySimulator], str]
) -> None:
    shop.buy(await shop.buyer())
    assert await shop.tell(shop.told(), {"Authorization": made(shop.google)}) == 403
    assert shop.asked == 0
    assert await shop.lines() == 0


@pytest.mark.parametrize("issuer", ["https://accounts.google.com", "accounts.google.com"])
async def test_google_calls_itself_by_two_names(shop: GoogleShop, issuer: str) -> None:
    shop.buy(await shop.buyer())
    assert await shop.tell(shop.told(), {"Authorization": but(iss=issuer)(shop.google)}) == 204


async def test_what_is_told_of_another_app_is_refused(shop: GoogleShop) -> None:
    shop.buy(await shop.buyer())
    shop.google.package = "other.app"
    assert await shop.tell(shop.told()) == 403
    shop.google.package = BUNDLE
    assert (shop.asked, await shop.lines()) == (0, 0)


def message(data: object, **said: object) -> dict[str, Any]:
    return {"message": {"messageId": "1", "data": data, **said}}


MALFORMED: Mapping[str, object] = {
    "a number": 7, "a list": [], "nothing": {}, "a message that is none": {"message": 1},
    "a message without data": {"message": {"messageId": "1"}}, "data in no base64": message("%"),
    "data in numbers": message(7), "data that is no JSON": message(b64encode(b"{").decode()),
    "data that is a list": message(b64encode(b"[]").decode()),
    "a message without a name": message(b64encode(b"{}").decode(), messageId=7),
}  # fmt: skip


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
async def test_what_is_no_message_is_malformed(shop: GoogleShop, body: object) -> None:
    assert await shop.tell(body) == 400


@pytest.mark.parametrize(
    "told",
    [
        {"subscriptionNotification": {"purchaseToken": 7}},
        {"subscriptionNotification": []},
        {"oneTimeProductNotification": {"purchaseToken": "1", "sku": "coins"}},
        {"voidedPurchaseNotification": {"purchaseToken": ORIGINAL, "productType": 2}},
        {"ofLater": {"purchaseToken": ORIGINAL}},
    ],
)
async def test_what_is_about_no_subscription_is_taken_and_leads_nowhere(
    shop: GoogleShop, told: dict[str, Any]
) -> None:
    shop.buy(await shop.buyer())
    assert await shop.tell(shop.google.pushed(told)) == 204
    assert shop.asked == 0


async def test_googles_keys_are_read_once_an_hour(shop: GoogleShop) -> None:
    shop.buy(await shop.buyer())
    for _ in range(3):
        assert await shop.tell(shop.told()) == 204
    assert shop.google.keys_read == 1
    shop.clock.advance(timedelta(hours=1))
    assert await shop.tell(shop.told()) == 204
    assert shop.google.keys_read == 2


async def test_a_key_that_is_new_is_looked_for_and_not_more_than_once_a_minute(shop: GoogleShop) -> None:
    shop.buy(await shop.buyer())
    assert await shop.tell(shop.told()) == 204
    shop.google.signing_key, shop.google.key_id = rsa.generate_private_key(65537, 2048), "google-2"
    for _ in range(3):
        assert await shop.tell(shop.told()) == 403
    assert shop.google.keys_read == 1
    shop.clock.advance(timedelta(minutes=1))
    assert await shop.tell(shop.told()) == 204
    assert shop.google.keys_read == 2


async def test_while_googles_keys_cannot_be_read_it_is_to_push_again(shop: GoogleShop) -> None:
    shop.buy(await shop.buyer())
    shop.google.keys_outage = True
    assert await shop.tell(shop.told()) == 503
    assert await shop.tell(shop.told(), {"Authorization": but(aud="x")(shop.google)}) == 403
    assert shop.google.keys_read == 1, "Google is asked for keys on a stranger's account"
    shop.google.keys_outage = False
    assert await shop.tell(shop.told()) == 204
    assert await shop.lines() == 1


@pytest.mark.parametrize(
    "said", ["{", "[]", "{}", '{"keys": 7}', '{"keys": [7]}', '{"keys": [{"kty": "RSA", "kid": "1"}]}',
             '{"keys": [{"kty": "RSA", "kid": "1", "n": "AQAB", "e": "AQAB"}]}']
)  # fmt: skip
async def test_a_list_of_another_shape_is_no_list(said: str) -> None:
    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(text=said)

    async with calling(answer) as there, ClientSession() as session:
        with pytest.raises(AppStoreUnavailable):
            await GoogleKeys(session, there.url)("1")


async def test_keys_of_another_kind_are_passed_over() -> None:
    async def answer(_: web.BaseRequest) -> web.Response:
        return web.json_response({"keys": [{"kty": "EC", "kid": "1"}]})

    async with calling(answer) as there, ClientSession() as session:
        assert await GoogleKeys(session, there.url)("1") is None
