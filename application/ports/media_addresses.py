"""Addresses under which a carrier fetches the pictures of one message, and only of that one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.kernel import AccountId, MediaId, MessageId


@dataclass(frozen=True, slots=True)
class Offer:
    """A picture that may be fetched for one message, until `ends_at`."""

    account_id: AccountId
    media_id: MediaId
    message_id: MessageId
    ends_at: datetime


class MediaAddresses(Protocol):
    """Every method raises KeysUnavailable when the key service does not answer."""

    async def address(self, offer: Offer, kind: str = "offered-media") -> str:
        """Return a URL of that kind which holds the offer, signed, and says nothing of it. Repeating is harmless."""
        ...

    async def offered(self, token: str) -> Offer | None:
        """Return the offer that the last segment of such a URL holds; None for one that was not made here."""
        ...
