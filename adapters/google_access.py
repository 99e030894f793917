"""How we are let in at Google's APIs: a service account's key is exchanged for an hour's access token (RFC 7523)."""

from __future__ import annotations

import json
from asyncio import Lock
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from adapters.answers import whole
from adapters.jwt import rs256

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFE, MARGIN = 3600, 300
"""Seconds that an access token lives, and before its end in which another one is asked for."""
SECONDS = ClientTimeout(total=10)
LARGEST_ANSWER = 64 << 10
"""Bytes: a token, or why there is none."""


class AccessRefused(Exception):
    """Google does not take the account's key: asking again does not help."""


class AccessUnavailable(Exception):
    """Google does not answer, or not now; `retry_after` where it says when."""

    def __init__(self, retry_after: timedelta | None = None) -> None:
        """Keep when to ask again."""
        super().__init__()
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class GoogleAnswer:
    """What an API of Google's said: a JSON object, empty where it said none, and when to ask again."""

    status: int
    retry_after: timedelta | None
    said: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GoogleAccount:
    """Whose key it is, and where it is exchanged, as Google's file of a service account says."""

    email: str
    key: str = field(repr=False)
    token_url: str

    @classmethod
    def read(cls, text: str) -> GoogleAccount:
        """Read the file. Raises KeyError, TypeError, ValueError for another one."""
        said = json.loads(text)
        return cls(said["client_email"], said["private_key"], said["token_uri"])


@dataclass(slots=True)
class GoogleAccess:
    """Asks Google's APIs in a service account's name, for one scope."""

    session: ClientSession
    account: GoogleAccount
    scope: str
    now: Callable[[], float]
    _token: str = field(default="", init=False, repr=False)
    _until: float = field(default=0.0, init=False)
    _asking: Lock = field(default_factory=Lock, init=False)

    async def ask(
        self, method: str, address: str, *, said: object = None, most: int = LARGEST_ANSWER
    ) -> GoogleAnswer:
        """Ask, with `said` as JSON. An answer has `most` bytes. Raises AccessRefused, AccessUnavailable.

        After a 401 the next question is asked with another token: this one was withdrawn before its time.
        """
        headers = {"Authorization": f"Bearer {await self._access()}"}
        answer = await self._send(method, address, most, json=said, headers=headers)
        if answer.status == 401:  # noqa: PLR2004 - HTTP
            self._until = 0.0
        return answer

    async def _access(self) -> str:
        """Return an access token; one request asks for it, the others wait."""
        async with self._asking:
            now = self.now()
            if now < self._until - MARGIN:
                return self._token
            claims = {
                "iss": self.account.email, "scope": self.scope, "aud": self.account.token_url, "iat": int(now),
                "exp": int(now) + LIFE,
            }  # fmt: skip
            form = {"grant_type": GRANT, "assertion": rs256(self.account.key, claims)}
            answer = await self._send("POST", self.account.token_url, LARGEST_ANSWER, data=form)
            access, lives = answer.said.get("access_token"), answer.said.get("expires_in")
            if answer.status != 200 or not isinstance(access, str) or not isinstance(lives, int):  # noqa: PLR2004 - HTTP
                if 400 <= answer.status < 500 and answer.status != 429:  # noqa: PLR2004 - HTTP
                    raise AccessRefused
                raise AccessUnavailable(answer.retry_after)
            self._token, self._until = access, now + lives
            return access

    async def _send(self, method: str, address: str, most: int, **sent: Any) -> GoogleAnswer:  # noqa: ANN401 - as aiohttp takes it
        try:
            async with self.session.request(
                method, address, timeout=SECONDS, allow_redirects=False, **sent
            ) as answer:
                raw, wait, status = await whole(answer, most), _wait(answer), answer.status
        except (ClientError, TimeoutError, OSError):
            raise AccessUnavailable from None
        try:
            found = json.loads(raw)
        except (ValueError, RecursionError):
            found = None
        return GoogleAnswer(status, wait, found if isinstance(found, dict) else {})


def _wait(answer: ClientResponse) -> timedelta | None:
    said = answer.headers.get("Retry-After", "")
    return timedelta(seconds=int(said)) if said.isdecimal() and len(said) < 6 else None  # noqa: PLR2004 - digits
