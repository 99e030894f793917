"""Google's and Apple's push services on loopback: they check who asks, and answer in the services' own words."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256

ACCESS = "an-access-token"


@dataclass
class PushSimulator:
    """Both services. Knobs: `outage`; `refusing`; `gone`, by token, since when (ms); `development` tokens."""

    google_key: rsa.RSAPublicKey
    apple_key: ec.EllipticCurvePublicKey
    outage: bool = False
    refusing: bool = False
    gone: dict[str, int] = field(default_factory=dict)
    development: set[str] = field(default_factory=set)
    woken: list[tuple[str, str]] = field(default_factory=list)
    """Service and token, oldest first."""
    payloads: list[Any] = field(default_factory=list)
    exchanges: int = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Listen, and yield the address that stands for both services' hosts."""
        app = web.Application()
        app.router.add_post("/token", self._exchange)
        app.router.add_post("/v1/projects/{project}/messages:send", self._fcm)
        for host in ("production", "development"):
            app.router.add_post(f"/{host}/3/device/{{token}}", self._apns)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            yield f"http://127.0.0.1:{site.port}"
        finally:
            await runner.cleanup()

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
        self.woken.append(("fcm", message.pop("token")))
        self.payloads.append(message)
        return web.json_response({"name": "projects/pico/messages/1"})

    async def _apns(self, request: web.Request) -> web.Response:
        token, body = request.match_info["token"], await request.read()
        if self.outage:
            return web.json_response({"reason": "ServiceUnavailable"}, status=503)
        if not self._is_ours(request.headers.get("authorization", "")):
            return web.json_response({"reason": "InvalidProviderToken"}, status=403)
        if self.refusing:
            return web.json_response({"reason": "DeviceTokenNotForTopic"}, status=400)
        if (token in self.development) is not request.path.startswith("/development"):
            return web.json_response({"reason": "BadDeviceToken"}, status=400)
        if token in self.gone:
            return web.json_response({"reason": "Unregistered", "timestamp": self.gone[token]}, status=410)
        self.woken.append(("apns", token))
        self.payloads.append(json.loads(body))
        return web.Response()

    def _is_ours(self, authorization: str) -> bool:
        head, said, signature = authorization.removeprefix("bearer ").split(".")
        raw = _raw(signature)
        der = utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        try:
            self.apple_key.verify(der, f"{head}.{said}".encode(), ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True


def _fcm_error(status: int, code: str, headers: dict[str, str] | None = None) -> web.Response:
    kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
    error = {"code": status, "status": code, "details": [{"@type": kind, "errorCode": code}]}
    return web.json_response({"error": error}, status=status, headers=headers)


def _raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
