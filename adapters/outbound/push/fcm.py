"""Firebase Cloud Messaging, HTTP v1."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from aiohttp import ClientSession

from adapters.google_access import AccessRefused, AccessUnavailable, GoogleAccess, GoogleAccount
from application.ports.push import PushRefused, PushTokenGone, PushUnavailable
from domain.push import DeviceToken

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"


@dataclass(frozen=True, slots=True)
class FirebaseProject:
    """What Google's file of a service account says. Raises KeyError, ValueError for another file."""

    name: str
    account: GoogleAccount

    @classmethod
    def read(cls, text: str) -> FirebaseProject:
        """Read the file."""
        return cls(json.loads(text)["project_id"], GoogleAccount.read(text))


class Fcm:
    """Wakes Android devices. What is sent is the same for all: `{"k": "sync"}`, of which the last one counts."""

    def __init__(
        self,
        session: ClientSession,
        project: FirebaseProject,
        url: str = "https://fcm.googleapis.com",
        now: Callable[[], float] = time.time,
    ) -> None:
        """Ask `url` in the project's name."""
        self.url = url
        self._path = f"/v1/projects/{quote(project.name, safe='')}/messages:send"
        self._access = GoogleAccess(session, project.account, SCOPE, now)

    async def __call__(self, token: DeviceToken) -> None:
        """Wake a device. Raises what `Push.wake` does."""
        message = {
            "token": str(token),
            "data": {"k": "sync"},
            "android": {"priority": "HIGH", "ttl": "3600s", "collapse_key": "sync"},
        }
        try:
            answer = await self._access.ask("POST", self.url + self._path, said={"message": message})
        except AccessRefused:
            raise PushRefused from None
        except AccessUnavailable as error:
            raise PushUnavailable(error.retry_after) from None
        if answer.status != 200:  # noqa: PLR2004 - HTTP
            raise _refusal(answer.status, answer.retry_after, answer.said)


def _refusal(status: int, wait: timedelta | None, said: Mapping[str, Any]) -> Exception:
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
