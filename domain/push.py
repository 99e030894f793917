"""Push tokens: by which Apple's and Google's services wake a device, with nothing said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, NewType, Self
from uuid import UUID

from domain.classification import IndexScope, held
from domain.kernel import AccountId, Aggregate, ErrorKind, PicoError, SessionId
from domain.values import PersonalText

PushTokenId = NewType("PushTokenId", UUID)

SHAPE = re.compile(r"[A-Za-z0-9_:.=+/-]{16,1024}\Z")
"""What either service gives out: hexadecimal digits (Apple), or base64 with colons (Google)."""


class InvalidPushToken(PicoError):
    """A push token has 16 to 1024 letters, digits and marks, as the device's system gave it out."""

    code = "invalid_push_token"


class NotPushed(PicoError):
    """Devices of this kind are not woken here."""

    kind = ErrorKind.CONFLICT
    code = "platform_not_pushed"


class Platform(StrEnum):
    """Whose service wakes a device."""

    IOS = "ios"
    ANDROID = "android"


class DeviceToken(PersonalText):
    """What a device is known by to the service that wakes it."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the token; raises InvalidPushToken."""
        if not SHAPE.match(text):
            raise InvalidPushToken
        return cls(text)


@dataclass(slots=True, kw_only=True)
class PushToken(Aggregate):
    """The token of the device on which a session is signed in. It goes with the session, and is nobody else's."""

    stored_as: ClassVar[str] = "push_tokens"
    clause: ClassVar[str] = "C12"

    account_id: AccountId
    id: PushTokenId
    session_id: Annotated[SessionId, held(bound=True)]
    platform: Annotated[Platform, held(bound=True)]
    token: Annotated[DeviceToken, held(index=IndexScope.SYSTEM)]
    registered_at: Annotated[datetime, held(bound=True)]

    def is_older_than(self, invalid_since: datetime | None) -> bool:
        """Tell whether it was registered before the service says that it was over; None: it does not say."""
        return invalid_since is None or self.registered_at <= invalid_since
