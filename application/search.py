"""Use cases of searching one's own messages and contacts, and of keeping the index that makes it quick.

The index costs nothing to whoever does not search: a search looks through what lies in no segment yet message by
message, and if that is much, calls for the job that makes segments of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.job_type import NOW, JobType
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.jobs import Job, JobLease
from application.ports.repositories.messages import MessageRow
from application.ports.repositories.search import SegmentPlace
from application.ports.store import Store, Tx
from domain.contacts import Contact
from domain.kernel import AccountId, LineId, MessageId, NotFound, SealBroken
from domain.messages import ConversationDeleted, MessageDeleted
from domain.search import Query, Said, SearchSegment, Segment, SegmentId, Wanted, record
from domain.values import Peer

INDEX_MESSAGES, REINDEX_MESSAGES = "index_messages", "reindex_messages"
SEGMENT = 2000
"""Messages in a segment."""
MANY = 256
"""So many messages in no segment call for one."""
SETTLED = timedelta(minutes=10)
"""A message that is older than this is committed, or never will be: none comes in before it any more."""
PAGE = 500
FIRST = MessageId(UUID(int=0))


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found: messages newest first, where the rest goes on, and on the first page contacts."""

    messages: list[MessageRow]
    next: MessageId | None
    contacts: list[Contact]


@dataclass(frozen=True, slots=True)
class Search:
    """Finds messages and contacts by the words in them."""

    store: Store

    async def __call__(
        self,
        account_id: AccountId,
        query: Query,
        *,
        line_id: LineId | None = None,
        peer: Peer | None = None,
        after: datetime | None = None,
        before: datetime | None = None,
        place: MessageId | None = None,
        limit: int,
    ) -> Hits:
        """Return up to `limit` messages from just before `place` on: all there are, deleted ones not among them.

        Repeating is harmless. Contacts are looked for unless a line, a peer or a time is asked for.
        """
        async with self.store.begin(account_id) as tx:
            talks = None if peer is None else await tx.search.conversations_with(peer)
            wanted = Wanted(query, line_id, talks, after, before)
            hits = await self._messages(tx, account_id, wanted, place, limit)
            narrowed = line_id or peer or after or before or place
            contacts = [] if narrowed else await contacts_named(tx, query, limit)
        return Hits(hits[:limit], hits[limit - 1].id if len(hits) > limit else None, contacts)

    async def _messages(
        self, tx: Tx, account_id: AccountId, wanted: Wanted, place: MessageId | None, limit: int
    ) -> list[MessageRow]:
        hits, candidates = list[MessageRow](), list[MessageId]()
        async for message_id in candidates_of(tx, account_id, wanted, place):
            candidates.append(message_id)
            if len(candidates) > limit - len(hits):
                hits += await tx.search.shown(candidates)
                candidates = []
                if len(hits) > limit:
                    return hits
        return hits + (await tx.search.shown(candidates) if candidates else [])


async def candidates_of(
    tx: Tx, account_id: AccountId, wanted: Wanted, before: MessageId | None
) -> AsyncIterator[MessageId]:
    """Yield messages that are wanted, newest first; some may be deleted meanwhile.

    From a segment on that is broken, messages are looked through one by one, and the job that mends it is called for.
    """
    places, looked_at = await tx.search.places(), 0
    async for said in unindexed(tx, before, places[0].through if places else FIRST):
        looked_at += 1
        if looked_at == MANY:
            tx.queue(Job(INDEX_MESSAGES, account_id, account_id))
        if wanted.takes(said):
            yield said.id
    for place in places:
        try:
            segment = await tx.search.opened(place)
        except SealBroken:
            tx.queue(Job(REINDEX_MESSAGES, account_id, account_id))
            async for said in unindexed(tx, before, FIRST):
                if wanted.takes(said):
                    yield said.id
            return
        for message_id in segment.search(wanted, before):
            yield message_id
        before = min(place.first, before or place.first)


async def unindexed(tx: Tx, before: MessageId | None, after: MessageId) -> AsyncIterator[Said]:
    """Yield the messages between two, newest first, page by page."""
    while page := await tx.search.said_before(before, after, PAGE):
        for said in page:
            yield said
        before = page[-1].id


async def contacts_named(tx: Tx, query: Query, limit: int) -> list[Contact]:
    """Return contacts with all the words in name, numbers and note, newest first."""
    found, before = list[Contact](), None
    while len(found) < limit and (page := await tx.contacts.page(before, PAGE)):
        for contact in page:
            text = record(" ".join(filter(None, (contact.name, contact.numbers, contact.note))))
            if all(needle in text for needle in query.needles):
                found.append(contact)
        before = page[-1].id
    return found[:limit]


@dataclass(frozen=True, slots=True)
class IndexMessages:
    """Makes segments of what lies in none yet, oldest first; the last one grows until it is full."""

    store: Store
    clock: Clock
    ids: Ids

    async def __call__(self, account_id: AccountId, _: AccountId, lease: JobLease) -> None:
        """Index. Repeating is harmless."""
        while await self._grow(account_id):
            pass
        await self.store.update(account_id, nothing, completing=lease)

    async def _grow(self, account_id: AccountId) -> bool:
        """Fill one segment. Tell whether there may be more to do."""
        settled = (self.clock.now() - SETTLED).timestamp()
        until = MessageId(UUID(int=int(settled * 1000) << 80))

        async def change(tx: Tx) -> bool:
            places = await tx.search.places()
            last = await tx.search.get_even_broken(places[0].id) if places else None
            grows = last is not None and len(Segment.unpack(last.content)) < SEGMENT
            after = just_before(last.first) if last and grows else last.through if last else FIRST
            said = await tx.search.said_after(after, until, SEGMENT)
            if not said or (last is not None and said[-1].id <= last.through):
                return False
            if last is not None and grows:
                tx.remove(last)
            tx.save(segment_of(self.ids, account_id, said))
            return len(said) == SEGMENT

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class ReindexMessages:
    """Begins the index afresh, whatever is broken in it."""

    store: Store
    index_messages: IndexMessages

    async def __call__(self, account_id: AccountId, subject: AccountId, lease: JobLease) -> None:
        """Drop all segments, and make new ones. Repeating is harmless."""

        async def change(tx: Tx) -> None:
            for place in await tx.search.places():
                tx.remove(await tx.search.get_even_broken(place.id))

        await self.store.update(account_id, change)
        await self.index_messages(account_id, subject, lease)


@dataclass(frozen=True, slots=True)
class UnindexMessages:
    """Makes those segments anew that hold words of a deleted message, or of a deleted conversation."""

    store: Store
    ids: Ids

    async def __call__(self, account_id: AccountId, subject: UUID, lease: JobLease) -> None:
        """Take the words out. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            places = await tx.search.places()
        for place in places:
            await self._renew(account_id, place, subject)
        await self.store.update(account_id, nothing, completing=lease)

    async def _renew(self, account_id: AccountId, place: SegmentPlace, subject: UUID) -> None:
        async def change(tx: Tx) -> None:
            with suppress(NotFound, SealBroken):  # another took its place, or a search will find it broken
                segment = await tx.search.opened(place)
                if segment.has(subject) or segment.talks_in(subject):
                    tx.remove(await tx.search.get_even_broken(place.id))
                    said = await tx.search.said_after(just_before(place.first), place.through, SEGMENT)
                    if said:
                        tx.save(segment_of(self.ids, account_id, said))

        await self.store.update(account_id, change)


def segment_of(ids: Ids, account_id: AccountId, said: list[Said]) -> SearchSegment:
    """Return a segment of messages in rising order."""
    return SearchSegment(
        account_id=account_id, id=SegmentId(ids.random_id()), first=said[0].id, through=said[-1].id,
        content=Segment.of_messages(said).pack(),
    )  # fmt: skip


def just_before(message_id: MessageId) -> MessageId:
    """Return the id after which a message is the first there can be."""
    return MessageId(UUID(int=message_id.int - 1))


async def nothing(_: Tx) -> None:
    """Change nothing: the job is done."""


JOBS = (
    JobType(INDEX_MESSAGES, IndexMessages),
    JobType(REINDEX_MESSAGES, ReindexMessages),
    JobType("unindex_messages", UnindexMessages, after={MessageDeleted: NOW, ConversationDeleted: NOW}),
)
