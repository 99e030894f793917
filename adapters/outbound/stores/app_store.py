"""How subscriptions stand in Apple's App Store: `GET /inApps/v1/subscriptions/{transactionId}`.

Whoever asks shows a token signed by the key that App Store Connect made for it, good for minutes. What Apple answers
is believed as it comes: it is Apple that was asked, over TLS.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from aiohttp import ClientError, ClientSession, ClientTimeout
from typing_extensions import override

from adapters.answers import whole
from adapters.error_report import report_key
from adapters.jwt import es256
from adapters.outbound.stores import apple
from application.ports.store_purchases import (
    AppStoreRefused,
    AppStoreUnavailable,
    StorePurchase,
    StorePurchases,
)
from domain.billing import BuyerToken, PlanName, PurchaseToken

LIMITS = ClientTimeout(total=15, connect=5)
LARGEST_ANSWER = 1 << 20
LIFE = 600
"""Seconds that a token is good for; Apple takes up to an hour."""
UNKNOWN = frozenset({4040005, 4040010})
"""Apple's words for a transaction that it does not know: another one of the account's, or none at all."""


class AppStoreKeyNotTaken(Exception):
    """Apple does not take our key: until somebody mends it nobody knows what is bought there."""


@dataclass(frozen=True, slots=True)
class AppStoreKey:
    """What App Store Connect gave us to ask with, and for which app."""

    issuer: str
    key_id: str
    pem: str = field(repr=False)
    bundle: str


@dataclass(frozen=True, slots=True)
class AppStore(StorePurchases):
    """`StorePurchases` of Apple's store. `plans` are those that are sold there, by the product's id."""

    session: ClientSession
    key: AppStoreKey
    url: str
    plans: Mapping[str, PlanName]
    now: Callable[[], datetime]

    @override
    async def fetch(self, purchase: PurchaseToken) -> StorePurchase | None:
        original = purchase.opaque
        status, said = await self._ask(f"/inApps/v1/subscriptions/{quote(original, safe='')}")
        if status == 404 and said.get("errorCode") in UNKNOWN:  # noqa: PLR2004 - HTTP
            return None
        if status == 401:  # noqa: PLR2004 - HTTP
            report_key(AppStoreKeyNotTaken())
            raise AppStoreRefused
        if status != 200 or said.get("bundleId") != self.key.bundle:  # noqa: PLR2004 - HTTP
            raise AppStoreUnavailable
        for each in _transactions(said):
            if each.get("originalTransactionId") == original:
                transaction, renewal = (
                    decoded(each.get("signedTransactionInfo")),
                    decoded(each.get("signedRenewalInfo")),
                )
                renews = renewal.get("autoRenewStatus") == 1
                return apple.purchase_of(_number(each.get("status")), transaction, self.plans, renews=renews)
        return None

    @override
    async def acknowledge(self, purchase: PurchaseToken, buyer: BuyerToken) -> None:
        """Do nothing: Apple waits for no word of ours."""

    async def _ask(self, path: str) -> tuple[int, Mapping[str, Any]]:
        """Return status and answer. Raises AppStoreUnavailable where there is none."""
        at = int(self.now().timestamp())
        claims = {
            "iss": self.key.issuer, "iat": at, "exp": at + LIFE, "aud": "appstoreconnect-v1", "bid": self.key.bundle,
        }  # fmt: skip
        headers = {"Authorization": f"Bearer {es256(self.key.pem, self.key.key_id, claims)}"}
        try:
            async with self.session.get(
                self.url + path, headers=headers, timeout=LIMITS, allow_redirects=False
            ) as answer:
                status, raw = answer.status, await whole(answer, LARGEST_ANSWER)
        except (ClientError, TimeoutError, OSError):
            raise AppStoreUnavailable from None
        try:
            said = json.loads(raw)
        except (ValueError, RecursionError):  # as where Apple refuses a key
            said = None
        return status, said if isinstance(said, dict) else {}


def decoded(signed: object) -> Mapping[str, Any]:
    """Return what stands in a signed part of an answer. Raises AppStoreUnavailable for what is none."""
    try:
        body = str(signed).split(".")[1]
        said = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError, RecursionError):
        raise AppStoreUnavailable from None
    if not isinstance(said, dict):
        raise AppStoreUnavailable
    return said


def _transactions(said: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the last transaction of each subscription. Raises AppStoreUnavailable for another kind of answer."""
    groups = said.get("data")
    if not isinstance(groups, list):
        raise AppStoreUnavailable
    for group in groups:
        listed = group.get("lastTransactions") if isinstance(group, dict) else None
        for each in listed if isinstance(listed, list) else ():
            if isinstance(each, dict):
                yield each


def _number(status: object) -> int:
    """Return a status that is a number; any other entitles to nothing."""
    return status if type(status) is int else 0
