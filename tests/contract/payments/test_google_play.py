"""Google Play: what is bought, renewed and given back there counts, and Google is told in time that it is had.

What holds of both stores is in `test_store_laws.py`, and who pushes in `test_google_pushes.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import permutations
from random import Random

import pytest
from aiohttp import ClientSession, web
from cryptography.hazmat.primitives.asymmetric import rsa

from adapters.google_access import GoogleAccount
from adapters.outbound.memory.system import HandClock
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
