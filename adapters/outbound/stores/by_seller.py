"""The app stores together: a purchase is asked for where it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from typing_extensions import override

from application.ports.store_purchases import AppStoreUnavailable, StorePurchase, StorePurchases
from domain.billing import BuyerToken, PurchaseToken, Seller


@dataclass(frozen=True, slots=True)
class StoresBySeller(StorePurchases):
    """`StorePurchases` of each store that is configured; of another one nobody can say how it stands."""

    stores: Mapping[Seller, StorePurchases]

    @override
    async def fetch(self, purchase: PurchaseToken) -> StorePurchase | None:
        return await self._of(purchase).fetch(purchase)

    @override
    async def acknowledge(self, purchase: PurchaseToken, buyer: BuyerToken) -> None:
        await self._of(purchase).acknowledge(purchase, buyer)

    def _of(self, purchase: PurchaseToken) -> StorePurchases:
        store = self.stores.get(purchase.seller)
        if store is None:
            raise AppStoreUnavailable
        return store
