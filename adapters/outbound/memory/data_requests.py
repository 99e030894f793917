"""The desk for requests in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from typing_extensions import override

from application.ports.data_requests import DataRequests
from domain.data_requests import DataRequest, DataRequestClosed, DataRequestId, DataRequestOpen


class MemoryDataRequests(DataRequests):
    """`DataRequests` in a dictionary, `kept`: each with whom it is about."""

    def __init__(self) -> None:
        self.kept: dict[DataRequestId, tuple[UUID, DataRequest]] = {}

    @override
    async def add(self, request: DataRequest, about: UUID) -> None:
        if any(one.is_open and one.kind is request.kind for one in await self.of(about)):
            raise DataRequestOpen
        self.kept[request.id] = about, request

    @override
    async def of(self, about: UUID) -> Sequence[DataRequest]:
        return [one for one in await self.all() if self.kept[one.id][0] == about]

    @override
    async def all(self) -> Sequence[DataRequest]:
        return sorted((one for _, one in self.kept.values()), key=lambda one: (one.received_at, one.id))

    @override
    async def close(self, request: DataRequest, about: UUID) -> None:
        if not any(one.id == request.id and one.is_open for one in await self.of(about)):
            raise DataRequestClosed
        self.kept[request.id] = about, request

    @override
    async def purge(self, closed_by: datetime, most: int) -> int:
        over = [
            one.id for one in await self.all() if one.closed_at is not None and one.closed_at <= closed_by
        ]
        for request_id in over[:most]:
            del self.kept[request_id]
        return len(over[:most])
