"""What is known of pictures, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from typing_extensions import override

from adapters.outbound.postgres.codec import codec
from adapters.outbound.postgres.reading import Read, Reader, whole
from application.ports.repositories.media import MediaRecords
from domain.kernel import MediaId, MessageId
from domain.media import Media

_C = codec(Media).table.c
_IDS = sa.bindparam("message_ids", type_=postgresql.ARRAY(postgresql.UUID(as_uuid=True)))
_GET = Read.by(Media, whole(Media, _C.id == sa.bindparam("id")), "id")
_OF_MESSAGES = Read.by(
    Media, whole(Media, _C.message_id == sa.any_(_IDS)).order_by(_C.message_id, _C.position), "message_ids"
)
_UNUSED = Read.by(Media, whole(Media, _C.message_id.is_(None)).order_by(_C.id))


@dataclass(frozen=True, slots=True)
class PostgresMediaRecords(MediaRecords):
    """`MediaRecords` of one unit of work."""

    reader: Reader

    @override
    async def get(self, media_id: MediaId) -> Media:
        return await self.reader.one(_GET, media_id, even_broken=True)

    @override
    async def of_messages(self, message_ids: Collection[MessageId]) -> list[Media]:
        return await self.reader.all(_OF_MESSAGES, list(message_ids), even_broken=True)

    @override
    async def unused(self) -> list[Media]:
        return await self.reader.all(_UNUSED, even_broken=True)
