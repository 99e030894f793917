"""Reading what is known of pictures. Their content lies with `Objects`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from domain.kernel import MediaId, MessageId
from domain.media import Media


class MediaRecords(Protocol):
    """The pictures of the account's messages, and its uploads."""

    async def get(self, media_id: MediaId) -> Media:
        """Return one, whatever became of its message, broken or not. Raises NotFound."""
        ...

    async def of_messages(self, message_ids: Collection[MessageId]) -> list[Media]:
        """Return those that came or go with these messages, each message's in order, broken ones included."""
        ...

    async def unused(self) -> list[Media]:
        """Return the uploads that go with no message, the oldest first, broken ones included."""
        ...
