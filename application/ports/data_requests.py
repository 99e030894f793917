"""The desk for requests that arrive by letter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.data_requests import DataRequest


class DataRequests(Protocol):
    """Keeps what was asked for, and about whom. Every method raises StoreUnavailable and KeysUnavailable.

    `about` is the id of an account, or of the request where it is about none. At rest it is a keyed fingerprint and
    nothing else, so that it can be compared and not read.
    """

    async def add(self, request: DataRequest, about: UUID) -> None:
        """Keep an open request. Raises DataRequestOpen where one of its kind is open about the same.

        Of two at the same time one is kept.
        """
        ...

    async def of(self, about: UUID) -> Sequence[DataRequest]:
        """Return what was ever asked for about one, the oldest first. Repeating is harmless."""
        ...

    async def all(self) -> Sequence[DataRequest]:
        """Return everything that is kept, the oldest first. Repeating is harmless."""
        ...

    async def close(self, request: DataRequest, about: UUID) -> None:
        """Keep how an open request ended. Raises DataRequestClosed where none is open by its id.

        Of two at the same time one is kept.
        """
        ...

    async def purge(self, closed_by: datetime, most: int) -> int:
        """Delete up to `most` that were closed by then; return how many went. Repeating is harmless."""
        ...
