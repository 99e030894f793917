"""How subscriptions stand in Google Play: `purchases.subscriptionsv2.get`, and `purchases.subscriptions.acknowledge`.

Whoever asks has a service account that was invited in the Play Console. What Google answers is believed as it comes: it
is Google that was asked, over TLS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from aiohttp import ClientSession
from typing_extensions import override

from adapters.error_report import report_key
from adapters.google_access import (
    AccessRefused,
    AccessUnavailable,
    GoogleAccess,
    GoogleAccount,
    GoogleAnswer,
)
from adapters.outbound.stores import google
from application.ports.store_purchases import (
    AppStoreRefused,
    AppStoreUnavailable,
    StorePurchase,
    StorePurchases,
)
from domain.billing import BuyerToken, PlanName, PurchaseToken

SCOPE = "https://www.googleapis.com/auth/androidpublisher"
LARGEST_ANSWER = 1 << 20
DONE = frozenset({200, 204})
TOO_MUCH = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded"})
"""Why Google refuses, by 403 too, what it would take from us at another time."""


class GooglePlayKeyNotTaken(Exception):
    """Google does not take our key: until somebody mends it nobody knows what is bought there."""


class GooglePlay(StorePurchases):
    """`StorePurchases` of Google's store, of one app. `plans` are those that are sold there, by the product's id."""

    def __init__(
        self,
        session: ClientSession,
        account: GoogleAccount,
        package: str,
        plans: Mapping[str, PlanName],
        url: str,
        now: Callable[[], datetime],
        *,
        tests: bool = False,
    ) -> None:
        """Ask `url` in the account's name. With `tests` what testers buy for nothing counts, too."""
        self._access = GoogleAccess(session, account, SCOPE, lambda: now().timestamp())
        self._purchases = f"{url}/androidpublisher/v3/applications/{quote(package, safe='')}/purchases"
        self._plans = plans
        self._now = now
        self._tests = tests

    @override
    async def fetch(self, purchase: PurchaseToken) -> StorePurchase | None:
        said = await self._read(purchase)
        return None if said is None else google.purchase_of(said, self._plans, self._now())

    @override
    async def acknowledge(self, purchase: PurchaseToken, buyer: BuyerToken) -> None:
        said = await self._read(purchase)
        if said is None or said.get("acknowledgementState") != google.UNACKNOWLEDGED:
            return
        product = quote(str(google.item_of(said, self._plans).get("productId")), safe="")
        address = f"{self._purchases}/subscriptions/{product}/tokens/{_quoted(purchase)}:acknowledge"
        # What tells whose one is that was renewed in Google's own app goes when it is acknowledged, unless we say it.
        told = {"externalAccountIds": {"obfuscatedAccountId": str(buyer)}}
        if (await self._ask("POST", address, told)).status not in DONE:
            raise AppStoreUnavailable

    async def _read(self, purchase: PurchaseToken) -> Mapping[str, Any] | None:
        """Return what Google says of a purchase; None where it knows none. Raises AppStoreUnavailable."""
        answer = await self._ask("GET", f"{self._purchases}/subscriptionsv2/tokens/{_quoted(purchase)}")
        if is_unknown(answer):
            return None
        if answer.status != 200 or not answer.said:  # noqa: PLR2004 - HTTP
            raise AppStoreUnavailable
        return None if "testPurchase" in answer.said and not self._tests else answer.said

    async def _ask(self, method: str, address: str, said: object = None) -> GoogleAnswer:
        try:
            answer = await self._access.ask(method, address, said=said, most=LARGEST_ANSWER)
        except AccessUnavailable:
            raise AppStoreUnavailable from None
        except AccessRefused:
            answer = None
        if answer is None or (answer.status in {401, 403} and not TOO_MUCH & reasons(answer)):
            report_key(GooglePlayKeyNotTaken())
            raise AppStoreRefused
        return answer


def is_unknown(answer: GoogleAnswer) -> bool:
    """Tell whether Google says that it knows no such purchase, or not any more: 60 days after it ended it forgets it.

    Only what names the token is the token's fault: another 404 says that the app is unknown, which is ours.
    """
    if answer.status == 410:  # noqa: PLR2004 - HTTP
        return True
    at_fault = any(fault.get("location") == "token" for fault in _faults(answer))
    return answer.status in {400, 404} and (at_fault or "purchaseTokenNotFound" in reasons(answer))


def reasons(answer: GoogleAnswer) -> set[str]:
    """Return Google's words for why it refuses."""
    return {str(fault.get("reason")) for fault in _faults(answer)}


def _faults(answer: GoogleAnswer) -> list[Mapping[str, Any]]:
    error = answer.said.get("error")
    listed = error.get("errors") if isinstance(error, dict) else None
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _quoted(purchase: PurchaseToken) -> str:
    return quote(purchase.opaque, safe="")
