"""What is known of pictures, in memory."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from typing_extensions import override

from adapters.outbound.memory.rows import Loaded, identity
from application.ports.repositories.media import MediaRecords
from domain.kernel import MediaId, MessageId
from domain.media import Media


@dataclass(frozen=True, slots=True)
class MemoryMediaRecords(MediaRecords):
    """`MediaRecords` over one account's rows."""

    loaded: Loaded

    @override
    async def get(self, media_id: MediaId) -> Media:
        return await self.loaded.one(Media, media_id)

    @override
    async def of_messages(self, message_ids: Collection[MessageId]) -> list[Media]:
        found = await self.loaded.all(Media, lambda media: media.message_id in message_ids)
        return sorted(found, key=lambda media: (str(media.message_id), media.position))

    @override
    async def unused(self) -> list[Media]:
        return sorted(await self.loaded.all(Media, lambda media: media.message_id is None), key=identity)
