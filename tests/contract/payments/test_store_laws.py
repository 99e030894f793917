"""What holds of both app stores: what they tell is a hint, what they answer counts, and a token tells whose it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from random import Random

import pytest
from aiohttp import ClientSession
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.inbound.webhooks.app_store import App, roots_of
from adapters.outbound.memory.store_purchases import MemoryStorePurchases
from adapters.outbound.memory.system import HandClock
from adapters.outbound.stores.app_store import AppStoreKey
from adapters.outbound.stores.simulator import AppStoreSimulator, GooglePlaySimulator
from application.ports.mail import MailKind
from application.ports.store_purchases import AppStoreUnavailable, StorePurchase, StorePurchases
from application.subscription_following import FOLLOW_SUBSCRIPTION
from bootstrap.stores import AppStoreAccess
from domain.billing import BuyerToken, PlanName, PurchaseToken, Seen, Seller, SubscriptionState
from pico_testkit.contracts.store_purchases import StorePurchasesContract
from tests.contract.payments.store_shop import (
    APPLES,
    AUDIENCE,
    BUNDLE,
    DAY,
    GOOGLE_KEY,
    GOOGLES,
    ORIGINAL,
    PRODUCT,
    PUSH_ACCOUNT,
    SHOPS,
    SIGNING_KEY,
    Shop,
    google_access,
)
from tests.support.actors import PASSWORD
from tests.support.keys import pem

Bought = Callable[[BuyerToken | None, SubscriptionState], PurchaseToken]


@pytest.fixture(params=SHOPS)
async def shop(request: pytest.FixtureRequest) -> AsyncIterator[Shop]:
    async with SHOPS[request.param]() as shop:
        yield shop


async def test_what_is_bought_in_a_store_entitles_until_it_is_over(shop: Shop) -> None:
    shop.buy(await shop.buyer())
    assert await shop.tell(shop.told()) == 204
    assert await shop.lines() == 1
    paid = (await shop.world.use_cases.read_subscription(shop.ada.id)).subscription
    assert (paid.seller, paid.plan, paid.ends_at) == (shop.seller, PlanName.BASIC, None)
    shop.buy(await shop.buyer(), renews=False)
    assert await shop.tell(shop.told()) == 204
    assert await shop.lines() == 1
    paid = (await shop.world.use_cases.read_subscription(shop.ada.id)).subscription
    assert paid.ends_at == paid.period_ends_at is not None
    shop.buy(await shop.buyer(), SubscriptionState.ENDED)
    assert await shop.tell(shop.told()) == 204
    assert await shop.lines() == 0


@pytest.mark.parametrize(("state", "lines"), [(SubscriptionState.PAST_DUE, 1), (SubscriptionState.UNPAID, 0)])
async def test_a_payment_that_fails_has_a_time_of_grace(
    shop: Shop, state: SubscriptionState, lines: int
) -> None:
    shop.buy(await shop.buyer())
    await shop.tell(shop.told())
    await shop.lines()
    shop.buy(await shop.buyer(), state)
    assert await shop.tell(shop.told()) == 204
    assert await shop.lines() == lines


async def test_a_notification_is_a_hint_and_what_it_says_of_the_state_is_not_believed(shop: Shop) -> None:
    shop.buy(await shop.buyer())
    told = shop.told()
    shop.buy(await shop.buyer(), SubscriptionState.ENDED)
    assert await shop.tell(told) == 204
    assert await shop.lines() == 0


@pytest.mark.parametrize("seed", range(4))
async def test_in_whatever_order_and_however_often_it_is_told_the_end_is_the_same(
    shop: Shop, seed: int
) -> None:
    buyer, told = await shop.buyer(), []
    for state in (SubscriptionState.ACTIVE, SubscriptionState.PAST_DUE, SubscriptionState.ENDED):
        shop.buy(buyer, state)
        told.append(shop.told())
    shop.buy(buyer, renews=False)
    told = [*told, shop.told()] * 2
    if seed:
        Random(seed).shuffle(told)
    for each in told:
        assert await shop.tell(each) == 204
        if seed % 2:
            await shop.world.settle()
    assert await shop.lines() == 1
    paid = (await shop.world.use_cases.read_subscription(shop.ada.id)).subscription
    assert paid.state is SubscriptionState.ACTIVE
    assert paid.ends_at is not None


@pytest.mark.parametrize("body", ["{", "[" * 9999, b"\xff"])
async def test_what_is_no_json_is_malformed(shop: Shop, body: str | bytes) -> None:
    assert await shop.send(data=body) == 400


async def test_a_replayed_notification_has_no_second_effect(shop: Shop) -> None:
    shop.buy(await shop.buyer())
    told = shop.told()
    for _ in range(3):
        assert await shop.tell(told) == 204
    assert len(await shop.world.queue.all_of(FOLLOW_SUBSCRIPTION)) == 1


async def test_a_test_of_the_endpoint_is_taken(shop: Shop) -> None:
    assert await shop.tell(shop.told_of_nothing()) == 204
    assert shop.asked == 0


async def test_while_the_store_does_not_answer_the_notification_is_to_be_sent_again(shop: Shop) -> None:
    shop.buy(await shop.buyer())
    told = shop.told()
    for knob in ("outage", "refusing"):
        shop.turn(knob, on=True)
        assert await shop.tell(told) == 503
        shop.turn(knob, on=False)
    assert await shop.tell(told) == 204
    assert await shop.lines() == 1


@pytest.mark.parametrize("buyer", [None, "6f9b0c7e-52a1-4b6f-9d0e-0f4a7c1d2e3b"])
async def test_a_purchase_of_nobody_known_leads_nowhere(shop: Shop, buyer: str | None) -> None:
    await shop.buyer()
    shop.buy(buyer)
    assert await shop.tell(shop.told()) == 204
    assert await shop.lines() == 0


async def test_the_accounts_own_id_is_nobodys_token(shop: Shop) -> None:
    shop.buy(str(shop.ada.id))
    assert await shop.tell(shop.told()) == 204
    assert await shop.lines() == 0


async def test_of_a_store_that_is_not_configured_nobody_can_say(shop: Shop) -> None:
    other = Seller.PLAY_STORE if shop.seller is Seller.APP_STORE else Seller.APP_STORE
    with pytest.raises(AppStoreUnavailable):
        await shop.world.store_purchases.fetch(PurchaseToken.of(other, "1"))
    with pytest.raises(AppStoreUnavailable):
        await shop.world.store_purchases.acknowledge(PurchaseToken.of(other, "1"), BuyerToken("1"))


async def test_another_apps_answer_is_not_believed(shop: Shop) -> None:
    shop.buy(await shop.buyer())
    for name in ("bundle", "package"):
        shop.turn(name, on="other.app")  # type: ignore[arg-type]
    with pytest.raises(AppStoreUnavailable):
        await shop.world.store_purchases.fetch(PurchaseToken.of(shop.seller, ORIGINAL))


async def test_who_deletes_the_account_is_told_where_to_end_it(shop: Shop) -> None:
    shop.buy(await shop.buyer())
    await shop.tell(shop.told())
    assert await shop.lines() == 1
    preview = await shop.world.use_cases.preview_deletion(shop.ada.id)
    assert preview.end_in_store is shop.seller
    await shop.world.use_cases.delete_account(shop.ada.id, PASSWORD)
    await shop.world.settle()
    assert MailKind.END_IN_STORE in [mail.kind for mail in shop.world.mail.sent if mail.to == shop.ada.email]


async def test_once_the_account_is_erased_its_token_is_nobodys(shop: Shop) -> None:
    buyer = await shop.buyer()
    shop.buy(buyer)
    assert await shop.tell(shop.told()) == 204
    await shop.world.settle()
    await shop.world.use_cases.delete_account(shop.ada.id, PASSWORD)
    await shop.world.advance(31 * DAY)
    shop.buy(buyer)
    assert await shop.tell(shop.told()) == 204
    assert shop.world.queue.count(shop.ada.id) == 0


# ------------------------------------------------------------------------------------- the port itself


class TestMemory(StorePurchasesContract):
    @pytest.fixture
    def store(self) -> MemoryStorePurchases:
        return MemoryStorePurchases()

    @pytest.fixture
    def bought(self, store: MemoryStorePurchases) -> Bought:
        def buy(buyer: BuyerToken | None, state: SubscriptionState) -> PurchaseToken:
            ends = HandClock().now() + 30 * DAY
            purchase = PurchaseToken.of(Seller.APP_STORE, ORIGINAL)
            store.held[purchase] = StorePurchase(
                buyer, Seen(state, PlanName.BASIC, ends, seller=Seller.APP_STORE)
            )
            return purchase

        return buy

    @pytest.fixture
    def outage(self, store: MemoryStorePurchases) -> Callable[[], None]:
        return lambda: setattr(store, "outage", True)

    @pytest.fixture
    def unknown(self) -> PurchaseToken:
        return PurchaseToken.of(Seller.APP_STORE, "1")


class TestAppStore(StorePurchasesContract):
    KEY = ec.generate_private_key(ec.SECP256R1())

    @pytest.fixture
    async def apple(self) -> AppStoreSimulator:
        return AppStoreSimulator(BUNDLE, "Production", self.KEY.public_key(), HandClock().now)

    @pytest.fixture
    async def store(self, apple: AppStoreSimulator) -> AsyncIterator[StorePurchases]:
        async with apple.running() as url, ClientSession() as session:
            key = AppStoreKey("issuer", "ABC1234567", pem(self.KEY), BUNDLE)
            roots = tuple(roots_of(apple.authority.pem))
            yield AppStoreAccess(
                key=key, app=App(BUNDLE, "Production"), roots=roots, plans={PRODUCT: PlanName.BASIC}, api_url=url
            ).store(session, apple.now)  # fmt: skip

    @pytest.fixture
    def bought(self, apple: AppStoreSimulator) -> Bought:
        def buy(buyer: BuyerToken | None, state: SubscriptionState) -> PurchaseToken:
            apple.buy(ORIGINAL, buyer, PRODUCT, APPLES[state])
            return PurchaseToken.of(Seller.APP_STORE, ORIGINAL)

        return buy

    @pytest.fixture
    def outage(self, apple: AppStoreSimulator) -> Callable[[], None]:
        return lambda: setattr(apple, "outage", True)

    @pytest.fixture
    def unknown(self) -> PurchaseToken:
        return PurchaseToken.of(Seller.APP_STORE, "1")


class TestGooglePlay(StorePurchasesContract):
    @pytest.fixture
    async def google(self) -> GooglePlaySimulator:
        return GooglePlaySimulator(
            BUNDLE, AUDIENCE, PUSH_ACCOUNT, GOOGLE_KEY.public_key(), HandClock().now, SIGNING_KEY
        )

    @pytest.fixture
    async def store(self, google: GooglePlaySimulator) -> AsyncIterator[StorePurchases]:
        async with google.running() as url, ClientSession() as session:
            yield google_access(url).store(session, google.now)

    @pytest.fixture
    def bought(self, google: GooglePlaySimulator) -> Bought:
        def buy(buyer: BuyerToken | None, state: SubscriptionState) -> PurchaseToken:
            google.buy(ORIGINAL, buyer, PRODUCT, GOOGLES[state])
            return PurchaseToken.of(Seller.PLAY_STORE, ORIGINAL)

        return buy

    @pytest.fixture
    def outage(self, google: GooglePlaySimulator) -> Callable[[], None]:
        return lambda: setattr(google, "outage", True)

    @pytest.fixture
    def unknown(self) -> PurchaseToken:
        return PurchaseToken.of(Seller.PLAY_STORE, "1")
