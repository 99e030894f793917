"""Apple's App Store on loopback: it checks who asks, and answers and notifies in Apple's own words, signed."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

from adapters.outbound.stores.simulator.certificates import Authority
from adapters.simulators import listening

NOT_FOUND = 4040010


@dataclass
class AppStoreSimulator:
    """The store. Knobs: `outage`; `refusing` whoever asks. What was bought is `held` by its original transaction."""

    bundle: str
    environment: str
    asking_key: ec.EllipticCurvePublicKey
    now: Callable[[], datetime]
    authority: Authority = field(init=False)
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    outage: bool = False
    refusing: bool = False
    asked: int = 0

    def __post_init__(self) -> None:
        """Make the certificates."""
        self.authority = Authority.made(self.now())

    def buy(
        self, original: str, buyer: str | None, product: str, status: int = 1, *, renews: bool = True
    ) -> None:
        """Have somebody buy, in whose name the app says. Repeated with other words, it is changed."""
        at = self.now()
        transaction = {
            "transactionId": original, "originalTransactionId": original, "bundleId": self.bundle,
            "productId": product, "purchaseDate": _millis(at), "expiresDate": _millis(at + timedelta(days=30)),
            "type": "Auto-Renewable Subscription", "environment": self.environment, "signedDate": _millis(at),
        }  # fmt: skip
        if buyer is not None:
            transaction["appAccountToken"] = buyer
        self.held[original] = {"status": status, "transaction": transaction, "renews": renews}

    def notification(self, original: str, kind: str = "SUBSCRIBED", **said: Any) -> dict[str, str]:  # noqa: ANN401 - as Apple's JSON
        """Return the body by which the store tells that something happened to a purchase."""
        held = self.held[original]
        data = {
            "bundleId": self.bundle, "environment": self.environment, "status": held["status"],
            "signedTransactionInfo": self.authority.signed(held["transaction"]),
            "signedRenewalInfo": self.authority.signed(self._renewal(held)),
        }  # fmt: skip
        told = {
            "notificationType": kind, "notificationUUID": str(uuid4()), "version": "2.0",
            "signedDate": _millis(self.now()), "data": data, **said,
        }  # fmt: skip
        return {"signedPayload": self.authority.signed(told)}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Listen, and yield the address that stands for Apple's."""
        app = web.Application()
        app.router.add_get("/inApps/v1/subscriptions/{transaction}", self._subscriptions)
        async with listening(app) as port:
            yield f"http://127.0.0.1:{port}"

    async def _subscriptions(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.outage:
            return web.json_response(
                {"errorCode": 5000000, "errorMessage": "An unknown error occurred."}, status=500
            )
        if self.refusing or not self._is_ours(request.headers.get("Authorization", "")):
            return web.Response(status=401, text="Unauthenticated\n")
        original = request.match_info["transaction"]
        held = self.held.get(original)
        if held is None:
            return web.json_response(
                {"errorCode": NOT_FOUND, "errorMessage": "Transaction id not found."}, status=404
            )
        last = {
            "originalTransactionId": original, "status": held["status"],
            "signedTransactionInfo": self.authority.signed(held["transaction"]),
            "signedRenewalInfo": self.authority.signed(self._renewal(held)),
        }  # fmt: skip
        groups = [{"subscriptionGroupIdentifier": "1", "lastTransactions": [last]}]
        return web.json_response({"environment": self.environment, "bundleId": self.bundle, "data": groups})

    def _renewal(self, held: dict[str, Any]) -> dict[str, Any]:
        transaction = held["transaction"]
        return {
            "originalTransactionId": transaction["originalTransactionId"],
            "autoRenewProductId": transaction["productId"],
            "productId": transaction["productId"],
            "autoRenewStatus": int(held["renews"]),
            "environment": self.environment,
            "signedDate": _millis(self.now()),
        }

    def _is_ours(self, authorization: str) -> bool:
        head, said, signature = authorization.removeprefix("Bearer ").split(".")
        raw, claims = _raw(signature), json.loads(_raw(said))
        encoded = utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        try:
            self.asking_key.verify(encoded, f"{head}.{said}".encode(), ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        lives = claims["iat"] <= self.now().timestamp() < claims["exp"] <= claims["iat"] + 3600
        named = claims["aud"] == "appstoreconnect-v1" and claims["bid"] == self.bundle and bool(claims["iss"])
        return lives and named and json.loads(_raw(head)).keys() >= {"kid", "typ"}


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
