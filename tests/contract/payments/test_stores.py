"""What is bought in an app store: decoded notifications lead to the state that the store answers."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.outbound.stores import apple, google
from application.ports.mail import MailKind
from application.ports.store_purchases import AppStoreUnavailable, StoreHint, StorePurchase
from bootstrap.worlds import InMemory
from domain.billing import BuyerToken, PlanName, PurchaseToken, Seen, Seller, SubscriptionState
from tests.contract.payments.test_in_the_field import PAID_ONLY
from tests.support.actors import PASSWORD, Person, sign_up
from tests.support.provider_files import sample_webhooks

SAMPLES = sample_webhooks("store_notifications.json")
NOTIFICATION, TRANSACTION = SAMPLES["apple_decoded_notification"], SAMPLES["apple_decoded_transaction"]
PUSH = SAMPLES["google_pubsub_push"]
BUNDLE = "example.pico.app"
PLANS = {"pico.line.monthly": PlanName.BASIC}
ENDS = datetime.fromtimestamp(1797984000, UTC)
PLAY: dict[str, Any] = {
    "subscriptionState": "SUBSCRIPTION_STATE_CANCELED",
    "lineItems": [{"productId": "pico.line.monthly", "expiryTime": "2026-12-23T00:00:00Z"}],
    "externalAccountIdentifiers": {"obfuscatedExternalAccountId": TRANSACTION["appAccountToken"]},
}


def test_apples_sample_is_a_subscription_that_ends_with_its_period() -> None:
    hint = apple.hint_of(NOTIFICATION, TRANSACTION)
    assert hint == StoreHint(
        "00000000-0000-4000-8000-000000000001", PurchaseToken("app_store:2000000000000001")
    )
    renews = NOTIFICATION["subtype"] != "AUTO_RENEW_DISABLED"
    found = apple.purchase_of(NOTIFICATION["data"]["status"], TRANSACTION, PLANS, renews=renews)
    assert found == StorePurchase(
        BuyerToken("00000000-0000-4000-8000-0000000000ac"),
        Seen(SubscriptionState.ACTIVE, PlanName.BASIC, ENDS, ENDS, Seller.APP_STORE),
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (1, SubscriptionState.ACTIVE), (2, SubscriptionState.ENDED), (3, SubscriptionState.UNPAID),
        (4, SubscriptionState.PAST_DUE), (5, SubscriptionState.ENDED), (6, SubscriptionState.UNPAID),
    ],
)  # fmt: skip
def test_each_of_apples_states_is_one_of_ours(status: int, state: SubscriptionState) -> None:
    seen = apple.purchase_of(status, TRANSACTION, PLANS, renews=True).seen
    assert (seen.state, seen.ends_at) == (state, ENDS if state is SubscriptionState.ENDED else None)


def test_googles_sample_names_a_purchase_and_what_happened_is_not_believed() -> None:
    message = PUSH["message"]
    told = json.loads(b64decode(message["data"]))
    hint = google.hint_of(message["messageId"], told)
    assert hint == StoreHint("136969346945", PurchaseToken("play_store:opaque-token"))
    found = google.purchase_of(PLAY, PLANS, ENDS - timedelta(seconds=1))
    assert found == StorePurchase(
        BuyerToken("00000000-0000-4000-8000-0000000000ac"),
        Seen(SubscriptionState.ACTIVE, PlanName.BASIC, ENDS, ENDS, Seller.PLAY_STORE),
    )
    assert google.purchase_of(PLAY, PLANS, ENDS).seen.state is SubscriptionState.ENDED


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("PENDING", SubscriptionState.INCOMPLETE), ("ACTIVE", SubscriptionState.ACTIVE),
        ("IN_GRACE_PERIOD", SubscriptionState.PAST_DUE), ("ON_HOLD", SubscriptionState.UNPAID),
        ("PAUSED", SubscriptionState.PAUSED), ("EXPIRED", SubscriptionState.ENDED),
        ("CANCELED", SubscriptionState.ENDED), ("PENDING_PURCHASE_CANCELED", SubscriptionState.NONE),
        ("OF_LATER", SubscriptionState.UNPAID),
    ],
)  # fmt: skip
def test_each_of_googles_states_is_one_of_ours(word: str, state: SubscriptionState) -> None:
    said = {"subscriptionState": f"SUBSCRIPTION_STATE_{word}"}
    assert google.purchase_of(said, PLANS, ENDS).seen.state is state


def test_apples_too() -> None:
    assert apple.hint_of({**NOTIFICATION, "notificationUUID": 7}, TRANSACTION) is None
    assert apple.hint_of(NOTIFICATION, {}) is None


@pytest.mark.parametrize("token", [None, 7, ""])
def test_a_purchase_that_names_nobody_is_nobodys(token: object) -> None:
    assert apple.purchase_of(1, {"appAccountToken": token}, PLANS, renews=True).buyer is None
    external = {"externalAccountIdentifiers": {"obfuscatedExternalAccountId": token}}
    assert google.purchase_of(external, PLANS, ENDS).buyer is None


@pytest.fixture
def world() -> InMemory:
    return InMemory(offers=PAID_ONLY)


async def buys(world: InMemory, store: Seller, state: SubscriptionState = SubscriptionState.ACTIVE) -> Person:
    ada = await sign_up(world)
    await stands(world, ada, store, state)
    return ada


async def stands(world: InMemory, ada: Person, store: Seller, state: SubscriptionState) -> None:
    """Have the store say so, and hint at it."""
    purchase = PurchaseToken.of(store, "1")
    ends = world.clock.now() + timedelta(days=30)
    world.store_purchases.held[purchase] = StorePurchase(
        await world.use_cases.read_buyer_token(ada.id), Seen(state, PlanName.BASIC, ends, seller=store)
    )
    await hinted(world, store)


async def hinted(world: InMemory, store: Seller) -> None:
    hint = StoreHint(str(world.ids.new()), PurchaseToken.of(store, "1"))
    for _ in range(2):
        await world.use_cases.receive_store_hint(hint)
    await world.settle()


@pytest.mark.parametrize("store", [Seller.APP_STORE, Seller.PLAY_STORE])
async def test_what_is_bought_in_a_store_entitles_as_long_as_the_store_says_so(
    world: InMemory, store: Seller
) -> None:
    ada = await buys(world, store)
    await ada.with_line("+12025550143")
    paid = await world.use_cases.read_subscription(ada.id)
    assert (paid.subscription.seller, paid.entitled.lines) == (store, 1)
    await stands(world, ada, store, SubscriptionState.ENDED)
    assert (await world.use_cases.read_subscription(ada.id)).entitled.lines == 0


async def test_who_deletes_the_account_is_told_where_to_end_it_and_nobody_else_is(world: InMemory) -> None:
    ada, ben = await buys(world, Seller.PLAY_STORE), await sign_up(world, "ben")
    for person in (ada, ben):
        assert (await world.use_cases.preview_deletion(person.id)).end_in_store == (
            Seller.PLAY_STORE if person is ada else None
        )
        await world.use_cases.delete_account(person.id, PASSWORD)
        await world.settle()
        kinds = [mail.kind for mail in world.mail.sent if mail.to == person.email]
        assert (MailKind.END_IN_STORE in kinds) == (person is ada)
    await world.advance(timedelta(days=30))
    receipt = await world.ledger.receipt(await world.fingerprint(ada.id))
    assert receipt is not None
    assert receipt.facts["subscriptions_in_stores"] == 1
    await hinted(world, Seller.PLAY_STORE)  # its person is gone


async def test_a_store_that_does_not_answer_changes_nothing(world: InMemory) -> None:
    ada = await buys(world, Seller.APP_STORE)
    world.store_purchases.outage = True
    with pytest.raises(AppStoreUnavailable):
        await world.use_cases.receive_store_hint(StoreHint("2", PurchaseToken.of(Seller.APP_STORE, "1")))
    await world.advance(timedelta(days=8))
    assert (await world.use_cases.read_subscription(ada.id)).entitled.lines == 1


async def test_nobodys_purchase_and_somebody_elses_lead_nowhere(world: InMemory) -> None:
    ada = await sign_up(world)
    unknown, foreign = PurchaseToken.of(Seller.APP_STORE, "8"), PurchaseToken.of(Seller.APP_STORE, "9")
    seen = Seen(SubscriptionState.ACTIVE, PlanName.BASIC, seller=Seller.APP_STORE)
    world.store_purchases.held[foreign] = StorePurchase(None, seen)
    for purchase in (unknown, foreign):
        await world.use_cases.receive_store_hint(StoreHint("1", purchase))
    await world.settle()
    assert (await world.use_cases.read_subscription(ada.id)).entitled.lines == 0


@pytest.mark.parametrize("state", [SubscriptionState.ENDED, SubscriptionState.ACTIVE])
async def test_a_word_about_another_purchase_takes_nothing_from_the_one_that_counts(
    world: InMemory, state: SubscriptionState
) -> None:
    """One of long ago, told of late; or one in which a stranger's app named this account."""
    ada = await buys(world, Seller.APP_STORE)
    other = PurchaseToken.of(Seller.PLAY_STORE, "other")
    world.store_purchases.held[other] = StorePurchase(
        await world.use_cases.read_buyer_token(ada.id),
        Seen(state, PlanName.BASIC, seller=Seller.PLAY_STORE),
    )
    await world.use_cases.receive_store_hint(StoreHint("late", other))
    await world.settle()
    del world.store_purchases.held[other]
    await world.advance(timedelta(days=8))
    paid = await world.use_cases.read_subscription(ada.id)
    assert (paid.subscription.seller, paid.entitled.lines) == (Seller.APP_STORE, 1)


async def test_a_purchase_that_counts_takes_the_place_of_one_that_is_over(world: InMemory) -> None:
    ada = await buys(world, Seller.APP_STORE)
    await stands(world, ada, Seller.APP_STORE, SubscriptionState.ENDED)
    other = PurchaseToken.of(Seller.PLAY_STORE, "other")
    world.store_purchases.held[other] = StorePurchase(
        await world.use_cases.read_buyer_token(ada.id),
        Seen(SubscriptionState.ACTIVE, PlanName.BASIC, seller=Seller.PLAY_STORE),
    )
    await world.use_cases.receive_store_hint(StoreHint("new", other))
    await world.settle()
    paid = await world.use_cases.read_subscription(ada.id)
    assert (paid.subscription.seller, paid.entitled.lines) == (Seller.PLAY_STORE, 1)
