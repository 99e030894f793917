"""What every app store promises, whichever stands behind the port."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from application.ports.store_purchases import AppStoreUnavailable, StorePurchases
from domain.billing import BuyerToken, PlanName, PurchaseToken, SubscriptionState

BUYER, OTHER = (BuyerToken(f"00000000-0000-4000-8000-00000000000{digit}") for digit in (1, 2))


class StorePurchasesContract:
    """Subclass it, and give the fixtures `store`, `bought` and the knobs `outage`, `unknown`."""

    @pytest.fixture
    def store(self) -> StorePurchases:
        raise NotImplementedError

    @pytest.fixture
    def bought(self) -> Callable[[BuyerToken | None, SubscriptionState], PurchaseToken]:
        """Have somebody buy the basic plan, or have what was bought stand otherwise."""
        raise NotImplementedError

    @pytest.fixture
    def outage(self) -> Callable[[], None]:
        """Make the store not answer."""
        raise NotImplementedError

    @pytest.fixture
    def unknown(self) -> PurchaseToken:
        """Return the token of a purchase that nobody made."""
        raise NotImplementedError

    @pytest.mark.parametrize(
        "state",
        [
            SubscriptionState.ACTIVE,
            SubscriptionState.PAST_DUE,
            SubscriptionState.UNPAID,
            SubscriptionState.ENDED,
        ],
    )
    async def test_a_purchase_is_told_as_it_stands(
        self,
        store: StorePurchases,
        bought: Callable[[BuyerToken | None, SubscriptionState], PurchaseToken],
        state: SubscriptionState,
    ) -> None:
        purchase = bought(BUYER, state)
        found = await store.fetch(purchase)
        assert found is not None
        assert (found.buyer, found.seen.state, found.seen.plan) == (BUYER, state, PlanName.BASIC)
        assert found.seen.seller is purchase.seller
        assert found.seen.period_ends_at is not None
        assert found == await store.fetch(purchase)

    async def test_what_names_nobody_is_nobodys(
        self,
        store: StorePurchases,
        bought: Callable[[BuyerToken | None, SubscriptionState], PurchaseToken],
    ) -> None:
        found = await store.fetch(bought(None, SubscriptionState.ACTIVE))
        assert found is not None
        assert found.buyer is None

    async def test_what_nobody_bought_is_not_there(
        self, store: StorePurchases, unknown: PurchaseToken
    ) -> None:
        assert await store.fetch(unknown) is None
        await store.acknowledge(unknown, BUYER)

    async def test_what_is_acknowledged_waits_no_more_and_is_still_whose_it_was(
        self,
        store: StorePurchases,
        bought: Callable[[BuyerToken | None, SubscriptionState], PurchaseToken],
    ) -> None:
        purchase = bought(BUYER, SubscriptionState.ACTIVE)
        for _ in range(2):
            await store.acknowledge(purchase, BUYER)
        found = await store.fetch(purchase)
        assert found is not None
        assert found.buyer == BUYER
        assert not found.seen.unacknowledged

    async def test_a_store_that_does_not_answer_says_nothing(
        self,
        store: StorePurchases,
        bought: Callable[[BuyerToken | None, SubscriptionState], PurchaseToken],
        outage: Callable[[], None],
    ) -> None:
        purchase = bought(BUYER, SubscriptionState.ACTIVE)
        outage()
        with pytest.raises(AppStoreUnavailable):
            await store.fetch(purchase)
