"""Google Play: who pushes is verified, and Google is told in time that what was bought is had.

What holds of both stores is in `test_store_laws.py`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from itertools import permutations
from random import Random
from typing import Any

import pytest
from aiohttp import ClientSession, web
from cryptography.hazmat.primitives.asymmetric import rsa

from adapters.google_access import GoogleAccount
from adapters.outbound.memory.system import HandClock
from adapters.outbound.stores.google_keys import GoogleKeys
from adapters.outbound.stores.google_play import GooglePlay
from adapters.outbound.stores.simulator import GooglePlaySimulator
from application.ports.store_purchases import AppStoreRefused, AppStoreUnavailable
from bootstrap.worlds.edge import calling
from domain.billing import PlanName, PurchaseToken, Seller, SubscriptionState
from tests.contract.payments.store_shop import (
    AUDIENCE,
    BUNDLE,
    DAY,
    GOOGLE_KEY,
    ORIGINAL,
    PRODUCT,
    PUSH_ACCOUNT,
    SIGNING_KEY,
    GoogleShop,
    google_access,
    selling_at_google,
)
from tests.support.actors import PASSWORD
from tests.support.keys import pem
from tests.support.provider_files import sample_webhooks

PUSH = sample_webhooks("store_notifications.json")["google_pubsub_push"]
SAMPLE, OF_THE_SAMPLE = "opaque-token", "example.pico.app"
SECOND = timedelta(seconds=1)


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


@pytest.mark.parametrize("seed", range(4))
async def test_the_sample_in_any_order_and_more_than_once_leads_to_what_google_answers(seed: int) -> None:
    async with selling_at_google() as shop:
        shop.buy(await shop.buyer(), renews=False, purchase=SAMPLE)
        assert await shop.tell(PUSH) == 403  # of another app
    async with selling_at_google(package=OF_THE_SAMPLE) as shop:
        shop.buy(await shop.buyer(), purchase=SAMPLE)
        told = [PUSH, shop.told(SAMPLE), shop.told_of_nothing(), shop.google.voided(SAMPLE)] * 2
        shop.buy(await shop.buyer(), renews=False, purchase=SAMPLE)
        if seed:
            Random(seed).shuffle(told)
        for each in told:
            assert await shop.tell(each) == 204
        assert await shop.lines() == 1
        paid = (await shop.world.use_cases.read_subscription(shop.ada.id)).subscription
        assert paid.ends_at == paid.period_ends_at is not None


async def test_what_was_given_back_entitles_no_more(shop: GoogleShop) -> None:
    shop.buy(await shop.buyer())
    await shop.tell(shop.told())
    assert await shop.lines() == 1
    shop.buy(await shop.buyer(), SubscriptionState.ENDED)
    assert await shop.tell(shop.google.voided(ORIGINAL)) == 204
    assert await shop.lines() == 0


# ------------------------------------------------------------------------------------- Google's keys


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


# ------------------------------------------------------------------------------------- what is bought


async def test_google_is_told_within_the_time_that_the_person_has_what_was_bought(shop: GoogleShop) -> None:
    shop.buy(await shop.buyer())
    for _ in range(2):
        await shop.tell(shop.told())
        assert await shop.lines() == 1
    assert shop.google.acknowledgements == 1
    shop.clock.advance(3 * DAY)
    shop.google.give_back_what_nobody_acknowledged()
    await shop.tell(shop.told())
    assert await shop.lines() == 1


async def test_an_acknowledgement_that_fails_is_made_up_for(shop: GoogleShop) -> None:
    shop.buy(await shop.buyer())
    shop.google.refusing_acknowledgements = True
    await shop.tell(shop.told())
    assert await shop.lines() == 1, "the person waits for what Google need not wait for"
    assert shop.google.acknowledgements == 0
    shop.google.refusing_acknowledgements = False
    await shop.world.advance(timedelta(hours=2))
    assert shop.google.acknowledgements == 1


async def test_what_nobody_has_is_acknowledged_to_nobody_so_that_google_gives_the_money_back(
    shop: GoogleShop,
) -> None:
    buyer = await shop.buyer()
    shop.buy(None, purchase="nobody's")
    shop.google.buy("not-a-plan", buyer, "something.else")
    shop.buy(buyer, SubscriptionState.INCOMPLETE, purchase="not-paid-yet")
    for purchase in ("nobody's", "not-a-plan"):
        assert await shop.tell(shop.told(purchase)) == 204
        assert await shop.lines() == 0
    assert await shop.tell(shop.told("not-paid-yet")) == 204
    assert await shop.lines() == 0
    shop.buy(buyer, purchase="first")
    await shop.tell(shop.told("first"))
    assert await shop.lines() == 1
    shop.buy(buyer, purchase="bought-twice")
    await shop.tell(shop.told("bought-twice"))
    assert await shop.lines() == 1
    assert shop.google.acknowledgements == 1
    assert shop.google.held["first"]["acknowledgementState"] == "ACKNOWLEDGEMENT_STATE_ACKNOWLEDGED"


async def test_nor_is_what_was_bought_on_the_way_out(shop: GoogleShop) -> None:
    shop.buy(await shop.buyer())
    await shop.world.use_cases.delete_account(shop.ada.id, PASSWORD)
    assert await shop.tell(shop.told()) == 204
    await shop.world.settle()
    assert shop.google.acknowledgements == 0
    await shop.world.use_cases.recover_account(shop.ada.email, PASSWORD)
    assert await shop.lines() == 1
    assert shop.google.acknowledgements == 1, "who comes back has what was bought"


async def test_one_that_is_renewed_in_googles_own_app_is_whose_the_one_before_was(shop: GoogleShop) -> None:
    buyer = await shop.buyer()
    context = {
        "expiredPurchaseToken": "1",
        "expiredExternalAccountIdentifiers": {"obfuscatedExternalAccountId": buyer},
    }
    shop.google.buy(ORIGINAL, None, PRODUCT, outOfAppPurchaseContext=context)
    for _ in range(2):
        await shop.tell(shop.told())
        assert await shop.lines() == 1
    assert "outOfAppPurchaseContext" not in shop.google.held[ORIGINAL], "it stays until it is acknowledged"


@pytest.mark.parametrize("order", list(permutations(["first", "second", "third"])))
@pytest.mark.parametrize("last", ["ACTIVE", "ON_HOLD", "CANCELED", "EXPIRED"])
async def test_a_purchase_in_the_place_of_an_earlier_one_counts_whichever_is_told_of_first(
    shop: GoogleShop, order: tuple[str, ...], last: str
) -> None:
    buyer = await shop.buyer()
    shop.buy(buyer, purchase="first")
    shop.google.buy("second", buyer, PRODUCT, linkedPurchaseToken="first")
    shop.google.buy("third", buyer, PRODUCT, last, linkedPurchaseToken="second")
    for purchase in order:
        assert await shop.tell(shop.told(purchase)) == 204
        await shop.world.settle()
    assert await shop.lines() == (1 if last in {"ACTIVE", "CANCELED"} else 0)


@pytest.mark.parametrize("order", list(permutations(["old", "new"])))
async def test_a_change_that_is_not_paid_yet_takes_nothing_away(
    shop: GoogleShop, order: tuple[str, ...]
) -> None:
    buyer = await shop.buyer()
    shop.buy(buyer, purchase="old")
    shop.google.buy("new", buyer, PRODUCT, "PENDING", linkedPurchaseToken="old")
    for purchase in order:
        assert await shop.tell(shop.told(purchase)) == 204
        await shop.world.settle()
    assert await shop.lines() == 1
    shop.google.buy("new", buyer, PRODUCT, "PENDING_PURCHASE_CANCELED", linkedPurchaseToken="none")
    assert await shop.tell(shop.told("new")) == 204
    assert await shop.lines() == 1


async def test_one_that_is_cancelled_goes_on_until_its_period_ends_and_no_longer(shop: GoogleShop) -> None:
    shop.buy(await shop.buyer(), renews=False)
    await shop.tell(shop.told())
    assert await shop.lines() == 1
    await shop.world.advance(30 * DAY - SECOND)
    assert await shop.lines() == 1
    await shop.world.advance(timedelta(hours=3))  # Google calls it cancelled still
    assert await shop.lines() == 0


async def test_what_google_forgot_is_over(shop: GoogleShop) -> None:
    shop.buy(await shop.buyer())
    await shop.tell(shop.told())
    assert await shop.lines() == 1
    shop.google.forgotten.add(ORIGINAL)
    await shop.world.advance(8 * DAY)
    assert await shop.lines() == 0


@pytest.mark.parametrize("tests", [False, True])
async def test_what_testers_buy_for_nothing_counts_where_it_is_said_to(tests: bool) -> None:
    async with selling_at_google(tests=tests) as shop:
        shop.google.buy(ORIGINAL, await shop.buyer(), PRODUCT, testPurchase={})
        assert await shop.tell(shop.told()) == 204
        assert await shop.lines() == (1 if tests else 0)


async def test_of_several_products_the_plan_counts_that_ends_last(shop: GoogleShop) -> None:
    buyer, at = await shop.buyer(), shop.clock.now()
    items = [
        {"productId": "extra", "expiryTime": (at + 90 * DAY).isoformat()},
        {"productId": PRODUCT, "expiryTime": (at + DAY).isoformat()},
        {"productId": PRODUCT, "expiryTime": (at + 2 * DAY).isoformat(), "prepaidPlan": {}},
        {"productId": PRODUCT, "expiryTime": "soon"}, {"productId": PRODUCT}, 7,
    ]  # fmt: skip
    shop.google.buy(ORIGINAL, buyer, PRODUCT, lineItems=items)
    found = await shop.world.store_purchases.fetch(PurchaseToken.of(Seller.PLAY_STORE, ORIGINAL))
    assert found is not None
    assert (found.seen.plan, found.seen.period_ends_at) == (PlanName.BASIC, at + 2 * DAY)
    assert found.seen.ends_at == at + 2 * DAY, "what is paid in advance is not renewed"


# ------------------------------------------------------------------------------------- being let in


async def test_a_key_that_google_does_not_take_is_said() -> None:
    google = GooglePlaySimulator(
        BUNDLE, AUDIENCE, PUSH_ACCOUNT, GOOGLE_KEY.public_key(), HandClock().now, SIGNING_KEY
    )
    async with google.running() as url, ClientSession() as session:
        stranger = GoogleAccount("x@example", pem(rsa.generate_private_key(65537, 2048)), f"{url}/token")
        purchase = PurchaseToken.of(Seller.PLAY_STORE, ORIGINAL)
        with pytest.raises(AppStoreRefused):
            await GooglePlay(session, stranger, BUNDLE, {}, url, google.now).fetch(purchase)
        google.refusing = True
        with pytest.raises(AppStoreRefused):
            await google_access(url).store(session, google.now).fetch(purchase)


@pytest.mark.parametrize(
    ("status", "said", "is_unknown"),
    [
        (404, {"reason": "purchaseTokenNotFound"}, True), (404, {"reason": "applicationNotFound"}, False),
        (400, {"reason": "invalid", "location": "token"}, True), (400, {"reason": "invalid"}, False),
        (403, {"reason": "rateLimitExceeded"}, False), (410, {"reason": "ofLater"}, True), (500, {}, False),
        (200, {}, False), (302, {}, False),
    ],
)  # fmt: skip
async def test_only_what_names_the_purchase_says_that_there_is_none(
    status: int, said: dict[str, str], is_unknown: bool
) -> None:  # fmt: skip
    async def answer(request: web.BaseRequest) -> web.Response:
        if request.path == "/token":
            return web.json_response({"access_token": "a", "expires_in": 3600})
        return web.json_response({"error": {"errors": [said]}} if status != 200 else {}, status=status)

    async with calling(answer) as there, ClientSession() as session:
        store = google_access(there.url).store(session, HandClock().now)
        purchase = PurchaseToken.of(Seller.PLAY_STORE, ORIGINAL)
        if is_unknown:
            assert await store.fetch(purchase) is None
        else:
            with pytest.raises(AppStoreUnavailable) as raised:
                await store.fetch(purchase)
            assert raised.type is AppStoreUnavailable
