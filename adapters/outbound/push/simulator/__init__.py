"""Google's and Apple's push services on loopback: they check who asks, and answer in the services' own words.

Apple's speaks HTTP/2 and nothing else, as Apple does.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256

from adapters.outbound.push.simulator.http2 import serving_http2

ACCESS = "an-access-token"
REMEMBERED = 1_000


class Services(NamedTuple):
    """The addresses that stand for Google's hosts, and for each of Apple's."""

    google: str
    apple: str
    apple_development: str


@dataclass
class PushSimulator:
    """Both services. Knobs: `outage`; `refusing`; `gone`, by token, since when (ms); `development` tokens."""

    google_key: rsa.RSAPublicKey
    apple_key: ec.EllipticCurvePublicKey
    outage: bool = False
    refusing: bool = False
    gone: dict[str, int] = field(default_factory=dict)
    development: set[str] = field(default_factory=set)
    woken: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """Service and token, oldest first."""
    payloads: deque[Any] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    counts: Counter[str] = field(default_factory=lambda: Counter(apns=0, fcm=0))
    """How often each service woke a device."""
    exchanges: int = 0
    connections: int = 0
    """How often somebody connected to Apple's."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Services]:
        """Listen, and yield the addresses that stand for both services' hosts."""
        app = web.Application()
        app.router.add_post("/token", self._exchange)
        app.router.add_post("/v1/projects/{project}/messages:send", self._fcm)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            async with serving_http2(self._apns, self._connected) as apple:
                yield Services(f"http://127.0.0.1:{site.port}", f"{apple}/production", f"{apple}/development")
        finally:
            await runner.cleanup()

    def _connected(self) -> None:
        self.connections += 1

    def holdings(self) -> dict[str, int]:
        """What the services remember of what they did: how often they woke a device."""
        return dict(self.counts)

    async def _exchange(self, request: web.Request) -> web.Response:
        form = await request.post()
        head, said, signature = str(form["assertion"]).split(".")
        try:
            self.google_key.verify(_raw(signature), f"{head}.{said}".encode(), padding.PKCS1v15(), SHA256())
        except InvalidSignature:
            return web.json_response({"error": "invalid_grant"}, status=400)
        self.exchanges += 1
        return web.json_response({"access_token": ACCESS, "expires_in": 3599, "token_type": "Bearer"})

    async def _fcm(self, request: web.Request) -> web.Response:
        message = (await request.json())["message"]
        if self.outage:
            return _fcm_error(503, "UNAVAILABLE", {"Retry-After": "30"})
        if request.headers.get("Authorization") != f"Bearer {ACCESS}":
            return _fcm_error(401, "THIRD_PARTY_AUTH_ERROR")
        if self.refusing:
            return _fcm_error(403, "SENDER_ID_MISMATCH")
        if message["token"] in self.gone:
            return _fcm_error(404, "UNREGISTERED")
        self._wake("fcm", message.pop("token"), message)
        return web.json_response({"name": "projects/pico/messages/1"})

    def _apns(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        host, _, token = path.removeprefix("/").partition("/3/device/")
        if self.outage:
            return _apns_error(503, "ServiceUnavailable")
        if not self._is_ours(headers.get("authorization", "")):
            return _apns_error(403, "InvalidProviderToken")
        if self.refusing:
            return _apns_error(400, "DeviceTokenNotForTopic")
        if (token in self.development) is not (host == "development"):
            return _apns_error(400, "BadDeviceToken")
        if token in self.gone:
            return _apns_error(410, "Unregistered", self.gone[token])
        self._wake("apns", token, json.loads(body))
        return 200, b""

    def _wake(self, service: str, token: str, payload: object) -> None:
        self.woken.append((service, token))
        self.payloads.append(payload)
        self.counts[service] += 1

    def _is_ours(self, authorization: str) -> bool:
        try:
            head, said, signature = authorization.removeprefix("bearer ").split(".")
            raw = _raw(signature)
            der = utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
            self.apple_key.verify(der, f"{head}.{said}".encode(), ec.ECDSA(SHA256()))
        except (ValueError, InvalidSignature):
            return False
        return True


def _apns_error(status: int, reason: str, since: int | None = None) -> tuple[int, bytes]:
    told = {"reason": reason} if since is None else {"reason": reason, "timestamp": since}
    return status, json.dumps(told).encode()


def _fcm_error(status: int, code: str, headers: dict[str, str] | None = None) -> web.Response:
    kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
    error = {"code": status, "status": code, "details": [{"@type": kind, "errorCode": code}]}
    return web.json_response({"error": error}, status=status, headers=headers)


def _raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
