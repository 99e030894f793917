"""App stores in memory."""

from __future__ import annotations

from typing_extensions import override

from application.ports.store_purchases import AppStoreUnavailable, StorePurchase, StorePurchases
from domain.billing import PurchaseToken


class MemoryStorePurchases(StorePurchases):
    """`StorePurchases` in a dictionary, `held`. Set `outage` to have the stores not answer."""

    def __init__(self) -> None:
        self.outage = False
        self.held: dict[PurchaseToken, StorePurchase] = {}

    @override
    async def fetch(self, purchase: PurchaseToken) -> StorePurchase | None:
        if self.outage:
            raise AppStoreUnavailable
        return self.held.get(purchase)
