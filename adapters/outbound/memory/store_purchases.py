"""App stores in memory."""

from __future__ import annotations

from typing_extensions import override

from application.ports.store_purchases import AppStoreUnavailable, StorePurchase, StorePurchases
from domain.billing import BuyerToken, PurchaseToken


class MemoryStorePurchases(StorePurchases):
    """`StorePurchases` in dictionaries: what is `held`, and `acknowledged`. `outage`: no store answers."""

    def __init__(self) -> None:
        self.outage = False
        self.held: dict[PurchaseToken, StorePurchase] = {}
        self.acknowledged: dict[PurchaseToken, BuyerToken] = {}

    @override
    async def fetch(self, purchase: PurchaseToken) -> StorePurchase | None:
        if self.outage:
            raise AppStoreUnavailable
        return self.held.get(purchase)

    @override
    async def acknowledge(self, purchase: PurchaseToken, buyer: BuyerToken) -> None:
        if self.outage:
            raise AppStoreUnavailable
        self.acknowledged[purchase] = buyer
