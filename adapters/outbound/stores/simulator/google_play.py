"""Google Play on loopback: it checks who asks, answers in Google's own words, and pushes as Pub/Sub does, signed."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from adapters.simulators import listening

SCOPE = "https://www.googleapis.com/auth/androidpublisher"
ACCESS, KEY_ID = "a-play-access-token", "google-1"
ACKNOWLEDGE_WITHIN = timedelta(days=3)
KIND = {"subscription": 1, "once": 2}


@dataclass
class GooglePlaySimulator:
    """The store, who lets in, and who pushes. Knobs: `outage`, `keys_outage`, `refusing`, `refusing_acknowledgements`.

    What was bought is `held` by its purchase token. What nobody acknowledges within three days is given back.
    """

    package: str
    audience: str
    push_account: str
    asking_key: rsa.RSAPublicKey
    now: Callable[[], datetime]
    signing_key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    key_id: str = KEY_ID
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    outage: bool = False
    keys_outage: bool = False
    refusing: bool = False
    refusing_acknowledgements: bool = False
    asked: int = 0
    keys_read: int = 0
    acknowledgements: int = 0
    _messages: count[int] = field(default_factory=lambda: count(1))

    def buy(
        self, token: str, buyer: str | None, product: str, state: str = "ACTIVE", **said: Any  # noqa: ANN401 - as Google's JSON
    ) -> None:  # fmt: skip
        """Have somebody buy, in whose name the app says. Repeated with other words, it is changed.

        One that is linked to an earlier purchase ends that.
        """
        at, before = self.now(), self.held.get(token, {})
        purchase = {
            "kind": "androidpublisher#subscriptionPurchaseV2", "regionCode": "US", "startTime": at.isoformat(),
            "subscriptionState": f"SUBSCRIPTION_STATE_{state}",
            "acknowledgementState": before.get("acknowledgementState", "ACKNOWLEDGEMENT_STATE_PENDING"),
            "lineItems": [{
                "productId": product, "expiryTime": (at + timedelta(days=30)).isoformat(),
                "autoRenewingPlan": {"autoRenewEnabled": state != "CANCELED"},
            }],
        }  # fmt: skip
        if buyer is not None:
            purchase["externalAccountIdentifiers"] = {"obfuscatedExternalAccountId": buyer}
        self.held[token] = purchase | said
        linked = self.held.get(str(said.get("linkedPurchaseToken")))
        if linked is not None and state != "PENDING":
            linked["subscriptionState"] = "SUBSCRIPTION_STATE_EXPIRED"

    def give_back_what_nobody_acknowledged(self) -> None:
        """End what was bought three days ago and acknowledged by nobody, as Google does."""
        for purchase in self.held.values():
            bought = datetime.fromisoformat(purchase["startTime"])
            waits = purchase["acknowledgementState"] == "ACKNOWLEDGEMENT_STATE_PENDING"
            if waits and self.now() >= bought + ACKNOWLEDGE_WITHIN:
                purchase["subscriptionState"] = "SUBSCRIPTION_STATE_EXPIRED"

    def notification(self, token: str, kind: int = 4, **said: Any) -> dict[str, Any]:  # noqa: ANN401 - as Google's JSON
        """Return what Pub/Sub pushes when something happened to a purchase."""
        told = {"version": "1.0", "notificationType": kind, "purchaseToken": token}
        return self.pushed({"subscriptionNotification": told, **said})

    def voided(self, token: str, kind: str = "subscription") -> dict[str, Any]:
        """Return what Pub/Sub pushes when a purchase was given back."""
        told = {"purchaseToken": token, "orderId": "GPA.1", "productType": KIND[kind], "refundType": 1}
        return self.pushed({"voidedPurchaseNotification": told})

    def pushed(self, said: dict[str, Any]) -> dict[str, Any]:
        """Return what Pub/Sub pushes when the store says this."""
        millis = str(int(self.now().timestamp() * 1000))
        told = {"version": "1.0", "packageName": self.package, "eventTimeMillis": millis, **said}
        number = str(next(self._messages))
        message = {
            "data": b64encode(json.dumps(told).encode()).decode(), "messageId": number, "message_id": number,
            "publishTime": self.now().isoformat(),
        }  # fmt: skip
        return {"message": message, "subscription": "projects/pico/subscriptions/play"}

    def authorization(self, *, alg: str = "RS256", **claims: Any) -> str:  # noqa: ANN401 - as Google's JSON
        """Return the header by which Pub/Sub shows who pushes."""
        at = int(self.now().timestamp())
        said = {
            "iss": "https://accounts.google.com", "aud": self.audience, "email": self.push_account,
            "email_verified": True, "sub": "1", "azp": "1", "iat": at, "exp": at + 3600, **claims,
        }  # fmt: skip
        head = {"alg": alg, "kid": self.key_id, "typ": "JWT"}
        text = f"{_text(json.dumps(head).encode())}.{_text(json.dumps(said).encode())}"
        signature = self.signing_key.sign(text.encode(), padding.PKCS1v15(), SHA256())
        return f"Bearer {text}.{_text(signature)}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Listen, and yield the address that stands for all of Google's hosts."""
        app = web.Application()
        purchases = "/androidpublisher/v3/applications/{package}/purchases"
        app.router.add_post("/token", self._exchange)
        app.router.add_get("/oauth2/v3/certs", self._keys)
        app.router.add_get(f"{purchases}/subscriptionsv2/tokens/{{token}}", self._read)
        app.router.add_post(
            f"{purchases}/subscriptions/{{product}}/tokens/{{token}}:acknowledge", self._acknowledge
        )
        async with listening(app) as port:
            yield f"http://127.0.0.1:{port}"

    async def _exchange(self, request: web.Request) -> web.Response:
        head, said, signature = str((await request.post())["assertion"]).split(".")
        try:
            self.asking_key.verify(_raw(signature), f"{head}.{said}".encode(), padding.PKCS1v15(), SHA256())
        except InvalidSignature:
            return web.json_response({"error": "invalid_grant"}, status=400)
        if json.loads(_raw(said))["scope"] != SCOPE:
            return web.json_response({"error": "invalid_scope"}, status=400)
        return web.json_response({"access_token": ACCESS, "expires_in": 3599, "token_type": "Bearer"})

    async def _keys(self, _request: web.Request) -> web.Response:
        self.keys_read += 1
        if self.keys_outage:
            return web.Response(status=500)
        numbers = self.signing_key.public_key().public_numbers()
        key = {
            "kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.key_id,
            "n": _text(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8)), "e": _text(numbers.e.to_bytes(3)),
        }  # fmt: skip
        return web.json_response({"keys": [key]})

    async def _read(self, request: web.Request) -> web.Response:
        return self._refusal(request) or web.json_response(self.held[request.match_info["token"]])

    async def _acknowledge(self, request: web.Request) -> web.Response:
        no = self._refusal(request)
        if no is not None or self.refusing_acknowledgements:
            return no or _error(409, "concurrentUpdate")
        purchase, said = self.held[request.match_info["token"]], await request.json()
        if request.match_info["product"] not in {each["productId"] for each in purchase["lineItems"]}:
            return _error(400, "purchaseTokenDoesNotMatchSubscriptionId")
        purchase["acknowledgementState"] = "ACKNOWLEDGEMENT_STATE_ACKNOWLEDGED"
        purchase.pop("outOfAppPurchaseContext", None)
        named = said.get("externalAccountIds", {}).get("obfuscatedAccountId")
        if named is not None:
            purchase["externalAccountIdentifiers"] = {"obfuscatedExternalAccountId": named}
        self.acknowledgements += 1
        return web.Response(status=204)

    def _refusal(self, request: web.Request) -> web.Response | None:
        self.asked += 1
        token = request.match_info["token"]
        if self.outage:
            return _error(503, "backendError")
        if request.headers.get("Authorization") != f"Bearer {ACCESS}":
            return _error(401, "authError")
        if self.refusing:
            return _error(403, "permissionDenied")
        if request.match_info["package"] != self.package:
            return _error(404, "applicationNotFound")
        if token in self.forgotten:
            return _error(410, "subscriptionNoLongerAvailable")
        return None if token in self.held else _error(404, "purchaseTokenNotFound")


def _error(status: int, reason: str) -> web.Response:
    error = {"code": status, "message": reason, "errors": [{"domain": "androidpublisher", "reason": reason}]}
    return web.json_response({"error": error}, status=status)


def _raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
