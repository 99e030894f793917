"""The app stores together: a purchase is asked for where it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from typing_extensions import override

from application.ports.store_purchases import AppStoreUnavailable, StorePurchase, StorePurchases
from domain.billing import PurchaseToken, Seller


@dataclass(frozen=True, slots=True)
class StoresBySeller(StorePurchases):
    """`StorePurchases` of each store that is configured; of another one nobody can say how it stands."""

    stores: Mapping[Seller, StorePurchases]

    @override
    async def fetch(self, purchase: PurchaseToken) -> StorePurchase | None:
        store = self.stores.get(Seller(purchase.partition(":")[0]))
        if store is None:
            raise AppStoreUnavailable
        return await store.fetch(purchase)
