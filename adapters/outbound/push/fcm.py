"""Firebase Cloud Messaging, HTTP v1: a service account's key is exchanged for an hour's access token (RFC 7523)."""

from __future__ import annotations

import json
import time
from asyncio import Lock
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from aiohttp import ClientError, ClientSession, ClientTimeout

from adapters.answers import whole
from adapters.jwt import rs256
from application.ports.push import PushRefused, PushTokenGone, PushUnavailable
from domain.push import DeviceToken

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFE, MARGIN = 3600, 300
"""Seconds that an access token lives, and before its end in which another one is asked for."""
SECONDS = ClientTimeout(total=10)
LARGEST_ANSWER = 64 << 10
"""Bytes: a token, or why there is none."""


@dataclass(frozen=True, slots=True)
class FirebaseProject:
    """What Google's file of a service account says. Raises KeyError, ValueError for another file."""

    project: str
    email: str
    key: str = field(repr=False)
    token_url: str

    @classmethod
    def read(cls, text: str) -> FirebaseProject:
        """Read the file."""
        said = json.loads(text)
        return cls(said["project_id"], said["client_email"], said["private_key"], said["token_uri"])


@dataclass(slots=True)
class Fcm:
    """Wakes Android devices. What is sent is the same for all: `{"k": "sync"}`, of which the last one counts."""

    session: ClientSession
    account: FirebaseProject
    url: str = "https://fcm.googleapis.com"
    now: Callable[[], float] = time.time
    _token: str = field(default="", init=False, repr=False)
    _until: float = field(default=0.0, init=False)
    _asking: Lock = field(default_factory=Lock, init=False)

    async def __call__(self, token: DeviceToken) -> None:
        """Wake a device. Raises what `Push.wake` does."""
        access = await self._access()
        address = f"{self.url}/v1/projects/{quote(self.account.project, safe='')}/messages:send"
        message = {
            "token": str(token),
            "data": {"k": "sync"},
            "android": {"priority": "HIGH", "ttl": "3600s", "collapse_key": "sync"},
        }
        headers = {"Authorization": f"Bearer {access}"}
        status, wait, said = await self._post(address, json={"message": message}, headers=headers)
        if status == 200:  # noqa: PLR2004
            return
        if status == 401:  # noqa: PLR2004 - the access token was withdrawn before its time
            self._until = 0.0
        raise _refusal(status, wait, said)

    async def _access(self) -> str:
        """Return an access token; one request asks for it, the others wait."""
        async with self._asking:
            now = self.now()
            if now < self._until - MARGIN:
                return self._token
            claims = {
                "iss": self.account.email, "scope": SCOPE, "aud": self.account.token_url, "iat": int(now),
                "exp": int(now) + LIFE,
            }  # fmt: skip
            form = {"grant_type": GRANT, "assertion": rs256(self.account.key, claims)}
            status, wait, said = await self._post(self.account.token_url, data=form)
            access, lives = said.get("access_token"), said.get("expires_in")
            if status != 200 or not isinstance(access, str) or not isinstance(lives, int):  # noqa: PLR2004
                raise PushRefused if 400 <= status < 500 and status != 429 else PushUnavailable(wait)  # noqa: PLR2004
            self._token, self._until = access, now + lives
            return access

    async def _post(self, address: str, **sent: Any) -> tuple[int, timedelta | None, dict[str, Any]]:  # noqa: ANN401 - as aiohttp takes it
        try:
            async with self.session.post(address, timeout=SECONDS, allow_redirects=False, **sent) as answer:
                said = await whole(answer, LARGEST_ANSWER)
                wait = answer.headers.get("Retry-After", "")
                status = answer.status
        except (ClientError, TimeoutError, OSError):
            raise PushUnavailable from None
        try:
            found = json.loads(said)
        except ValueError:
            found = None
        seconds = timedelta(seconds=int(wait)) if wait.isdecimal() and len(wait) < 6 else None  # noqa: PLR2004
        return status, seconds, found if isinstance(found, dict) else {}


def _refusal(status: int, wait: timedelta | None, said: dict[str, Any]) -> Exception:
    """Return what a refusal means. Only what names the token is the token's fault: never a status alone."""
    error = said.get("error")
    details = error.get("details") if isinstance(error, dict) else None
    listed = [each for each in details if isinstance(each, dict)] if isinstance(details, list) else []
    codes = {each.get("errorCode") for each in listed if str(each.get("@type")).endswith("FcmError")}
    fields = {
        violation.get("field")
        for each in listed
        if str(each.get("@type")).endswith("BadRequest")
        for violation in each.get("fieldViolations") or ()
        if isinstance(violation, dict)
    }
    if "UNREGISTERED" in codes or ("INVALID_ARGUMENT" in codes and fields == {"message.token"}):
        return PushTokenGone()
    if status in {401, 429} or status >= 500 or codes & {"QUOTA_EXCEEDED", "UNAVAILABLE", "INTERNAL"}:  # noqa: PLR2004
        return PushUnavailable(wait)
    return PushRefused()
