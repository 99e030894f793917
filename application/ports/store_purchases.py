"""What was bought in an app store. Whatever a store tells unasked is a hint: what counts is what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from domain.billing import NEVER_PAID, BuyerToken, PurchaseToken, Seen
from domain.kernel import ErrorKind, PicoError


class AppStoreUnavailable(PicoError):
    """The app store did not answer; asking again helps."""

    kind = ErrorKind.UNAVAILABLE
    code = "app_store_unavailable"


class AppStoreRefused(AppStoreUnavailable):
    """The app store does not take our key: until somebody mends it, nobody knows what is bought there."""


@dataclass(frozen=True, slots=True)
class StoreHint:
    """Something happened to a purchase. `ref` is the store's own id of the hint."""

    ref: str
    purchase: PurchaseToken


@dataclass(frozen=True, slots=True)
class StorePurchase:
    """What a store says of a purchase: whose it is, by the token that the app gave it, and how it stands."""

    buyer: BuyerToken | None
    seen: Seen
    replaces: PurchaseToken | None = None
    """The purchase in whose place this one was made, as the store says."""

    def takes_over(self, purchase: PurchaseToken) -> bool:
        """Tell whether this one counts and not that one; while it is not paid, the one before goes on."""
        return self.replaces == purchase and self.seen.state not in NEVER_PAID


class StorePurchases(Protocol):
    """The app stores. A purchase is known by its store and the store's own token, as `PurchaseToken.of` writes them."""

    async def fetch(self, purchase: PurchaseToken) -> StorePurchase | None:
        """Return how a purchase stands; None for one that the store does not know. Repeating is harmless.

        Raises AppStoreUnavailable, and of that AppStoreRefused. Nothing can be ended here: only the person can, in
        the store.
        """
        ...

    async def acknowledge(self, purchase: PurchaseToken, buyer: BuyerToken) -> None:
        """Tell the store that this buyer has what was bought. Repeating is harmless; not every store asks for it.

        A store that asks and is not told gives the money back: within three days, at Google. Raises
        AppStoreUnavailable.
        """
        ...
