"""Reading what is searched: segments, and messages that lie in none yet. A deleted message counts as absent."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, Protocol

from application.ports.repositories.messages import MessageRow
from domain.kernel import ConversationId, MessageId
from domain.search import Said, SearchSegment, Segment, SegmentId
from domain.values import Peer


class SegmentPlace(NamedTuple):
    """Which messages a segment is about: those from `first` `through` the last."""

    id: SegmentId
    first: MessageId
    through: MessageId
    version: int


class SearchIndex(Protocol):
    """The account's words."""

    async def places(self) -> list[SegmentPlace]:
        """Return where the segments are, newest first, each behind the one before."""
        ...

    async def opened(self, place: SegmentPlace) -> Segment:
        """Return a segment, opened; it may be kept in memory for a while. Raises NotFound, SealBroken."""
        ...

    async def get_even_broken(self, segment_id: SegmentId) -> SearchSegment:
        """Return a segment as it lies there, broken or not. Raises NotFound."""
        ...

    async def said_before(self, before: MessageId | None, after: MessageId, limit: int) -> list[Said]:
        """Return up to `limit` messages between two, both not included, newest first."""
        ...

    async def said_after(self, after: MessageId, until: MessageId, limit: int) -> list[Said]:
        """Return up to `limit` messages after one and up to another, which is included, oldest first."""
        ...

    async def shown(self, message_ids: Collection[MessageId]) -> list[MessageRow]:
        """Return those of some messages that are there, as a list shows them, newest first."""
        ...

    async def conversations_with(self, peer: Peer) -> frozenset[ConversationId]:
        """Return the conversations with a peer, on any line."""
        ...
