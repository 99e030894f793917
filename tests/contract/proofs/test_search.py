"""What we keep so that messages can be searched: sealed as a whole, and without what was deleted."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID

from adapters.outbound.postgres.sealing import OVERHEAD
from adapters.outbound.postgres.tables import COLUMNS
from application.ports.jobs import Job, JobLease
from application.search import INDEX_MESSAGES, UnindexMessages
from domain.classification import StorageKind
from domain.kernel import AccountId
from domain.search import STEP, Query, Segment, words
from tests.support.canary_account import Planted, lived
from tests.support.harness import Databases, OnPostgres, in_clear
from tests.support.proofs import proves

HOUR = timedelta(hours=1)
IN_CLEAR = in_clear("search_segments.content")


class LeavesWords(UnindexMessages):
    """Thinks that what nobody is shown is gone."""

    async def __call__(self, account_id: AccountId, subject: UUID, lease: JobLease) -> None:
        async def nothing(_: object) -> None: ...

        await self.store.update(account_id, nothing, completing=lease)


def shows_how_much_was_said(stored: Databases) -> Databases:
    return partial(stored, sql=_UNPADDED)


_UNPADDED = """
    CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN new.content = substr(new.content, 1, length(new.content) - 100); RETURN new; END';
    CREATE TRIGGER cut BEFORE INSERT ON search_segments FOR EACH ROW EXECUTE FUNCTION cut()
"""


def leaves_words_behind(stored: Databases) -> Databases:
    return partial(stored, unindex_messages=LeavesWords)


async def indexed(world: OnPostgres, ada: Planted) -> None:
    await world.advance(HOUR)
    async with world.store.begin(ada.id) as tx:
        tx.queue(Job(INDEX_MESSAGES, ada.id, ada.id))
    await world.settle()


@proves("C17", text="951c8cb57cb0", saboteur=IN_CLEAR, says="words lie in clear")
@proves("C17", text="951c8cb57cb0", saboteur=shows_how_much_was_said, says="a piece shows how much was said")
@proves("C17", text="951c8cb57cb0", saboteur=leaves_words_behind, says="a deleted message's words stay")
async def test_words_lie_sealed_in_pieces_and_go_with_their_message(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        heard = words(ada.heard)[-1]
        await indexed(world, ada)
        (row,) = await world.rows("search_segments")
        assert (len(row["content"]) - OVERHEAD) % STEP == 0, "a piece shows how much was said"
        assert COLUMNS["search_segments"] == {
            "account_id": StorageKind.ID, "id": StorageKind.ID, "first": StorageKind.ID, "through": StorageKind.ID,
            "content": StorageKind.SEALED, "version": StorageKind.COUNT,
        }  # fmt: skip
        assert await world.traces(heard, ada.heard) == set(), "words lie in clear"
        hits = await world.use_cases.search(ada.id, Query(heard[:5]), limit=9)
        assert [row.body for row in hits.messages] == [ada.heard]
        assert heard in await opened(world, ada)
        await world.use_cases.delete_message(ada.id, hits.messages[0].id)
        assert (await world.use_cases.search(ada.id, Query(heard), limit=9)).messages == []
        await world.settle()
        assert heard not in await opened(world, ada), "a deleted message's words stay"


async def opened(world: OnPostgres, ada: Planted) -> str:
    """Return all words of all segments."""
    async with world.store.begin(ada.id) as tx:
        segments: list[Segment] = [await tx.search.opened(place) for place in await tx.search.places()]
    return "".join(segment.text.decode() for segment in segments)
