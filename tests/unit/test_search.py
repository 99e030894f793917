"""A search finds what a look at every message finds, whatever lies in segments already."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application import search as searching
from application.ports.jobs import Job
from application.search import Hits
from bootstrap.worlds import InMemory
from domain.contacts import Card, ContactName, ContactNumbers, SavedNumber
from domain.kernel import ConversationId, LineId, MessageId
from domain.search import EPOCH, STEP, InvalidSearch, Query, Said, SearchSegment, Segment, Wanted, words
from domain.values import Peer
from tests.support.actors import STRANGER, Person, with_line

OTHER = Peer("+13105550179")
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("See you at NOON.", ["see", "you", "at", "noon"]),
        ("שָׁלוֹם עֲלֵיכֶם", ["שלום", "עליכם"]),
        ("בית־ספר", ["בית", "ספר"]),
        ("Straße \uff21\uff22\uff23 ﬁn", ["strasse", "abc", "fin"]),
        ("cafe\u0301 CAFÉ", ["café", "café"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("a_b-c'd +1 202", ["a", "b", "c", "d", "1", "202"]),
        ("👋 … \x00", []),
        ("İstanbul", words("i\u0307stanbul")),
    ],
)
def test_text_becomes_words(text: str, found: list[str]) -> None:
    assert words(text) == found


@given(st.text())
def test_words_of_words_are_the_same_words(text: str) -> None:
    assert words(" ".join(words(text))) == words(text)
    assert words(text.upper()) == words(text.upper().upper())


@pytest.mark.parametrize("text", ["", " ", "…", "a b c d e f g h i", "x" * 101])
def test_a_search_has_words_and_an_end(text: str) -> None:
    with pytest.raises(InvalidSearch):
        Query.parse(text)


async def finds(ada: Person, text: str, **where: Any) -> list[str]:
    """Return the bodies of all that is found, page by page."""
    bodies, place = list[str](), None
    while True:
        hits: Hits = await ada.world.use_cases.search(ada.id, Query(text), place=place, limit=2, **where)
        bodies += [str(row.body) for row in hits.messages]
        if (place := hits.next) is None:
            return bodies


async def indexed(ada: Person) -> None:
    """Have everything that is settled lie in segments."""
    ada.world.clock.advance(HOUR)
    async with ada.world.store.begin(ada.id) as tx:
        tx.queue(Job("index_messages", ada.id, ada.id))
    await ada.world.settle()


@pytest.mark.parametrize("in_segments", [False, True])
async def test_a_prefix_of_three_letters_finds_and_a_shorter_word_is_meant_as_it_is(
    in_segments: bool,
) -> None:
    ada = await with_line(InMemory())
    for body in ("noon", "nope", "No.", "not now", "שָׁלוֹם"):
        await ada.receives(body)
    if in_segments:
        await indexed(ada)
    assert await finds(ada, "noo") == ["noon"]
    assert await finds(ada, "no") == ["No."]
    assert await finds(ada, "NOW not") == ["not now"]
    assert await finds(ada, "שלו") == ["שָׁלוֹם"]
    assert await finds(ada, "oon") == []


async def test_a_deleted_message_is_not_found_at_once_and_leaves_the_segment_soon() -> None:
    ada = await with_line(InMemory())
    for body in ("keep this", "drop this"):
        await ada.receives(body)
    await ada.receives("another drop", OTHER)
    await indexed(ada)
    dropped = (await ada.world.use_cases.search(ada.id, Query("drop"), limit=9)).messages
    assert len(dropped) == 2
    await ada.world.use_cases.delete_message(ada.id, dropped[1].id)
    await ada.world.use_cases.delete_conversation(ada.id, dropped[0].conversation_id)
    assert await finds(ada, "drop") == []
    assert sum(b"drop" in text for text in at_rest(ada)) == 1
    await ada.world.settle()
    assert not any(b"drop" in text for text in at_rest(ada))
    assert await finds(ada, "this") == ["keep this"]


def at_rest(ada: Person) -> list[bytes]:
    rows = ada.world.store.rows(ada.id)[SearchSegment].values()
    return [row.content for row in rows if isinstance(row, SearchSegment)]


async def test_much_that_lies_in_no_segment_calls_for_some() -> None:
    ada = await with_line(InMemory())
    for n in range(searching.MANY):
        await ada.receives(f"message {n}")
    ada.world.clock.advance(HOUR)
    await ada.world.use_cases.search(ada.id, Query("nothing of that"), limit=9)
    await ada.world.settle()
    (segment,) = at_rest(ada)
    assert len(Segment.unpack(segment)) == searching.MANY
    assert len(segment) % STEP == 0
    assert await finds(ada, "message 17") == ["message 17"]
    await ada.receives("message 17 again")
    assert await finds(ada, "17") == ["message 17 again", "message 17"]


async def test_contacts_are_found_beside_messages_unless_the_search_is_narrowed() -> None:
    ada = await with_line(InMemory())
    card = Card(ContactName("נועה Cohen"), ContactNumbers.of([SavedNumber("+12025550147")]))
    await ada.world.use_cases.add_contact(ada.id, card, "key")
    for text in ("cohen", "נוע coh", "120255"):
        hits = await ada.world.use_cases.search(ada.id, Query(text), limit=9)
        assert [contact.name for contact in hits.contacts] == ["נועה Cohen"]
    narrowed = await ada.world.use_cases.search(ada.id, Query("cohen"), line_id=ada.line_id, limit=9)
    assert narrowed.contacts == []


TEXTS = st.lists(
    st.sampled_from(["noon", "nope", "no", "שָׁלוֹם", "שלומי", "Ünder", "under", "x1", ""]), max_size=4
).map(" ".join)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("hear"), TEXTS, st.sampled_from([STRANGER, OTHER])),
        st.tuples(st.just("wait")), st.tuples(st.just("index")), st.tuples(st.just("settle")),
        st.tuples(st.just("delete"), st.integers(0, 9)), st.tuples(st.just("clear"), st.integers(0, 3)),
    ),
    max_size=25,
)  # fmt: skip
LOOKED_FOR = st.tuples(
    st.sampled_from(["no", "noo", "שלו", "under", "x1 noon", "n"]), st.sampled_from([None, STRANGER])
)


async def does(ada: Person, name: str, *details: Any) -> None:
    """Do one of ACTS."""
    do = ada.world.use_cases
    if name == "hear":
        await ada.receives(*details)
    elif name == "wait":
        ada.world.clock.advance(HOUR / 2)
    elif name == "index":
        await indexed(ada)
    elif name == "settle":
        await ada.world.settle()
    elif name == "delete":
        hits = (await do.search(ada.id, Query("noon"), limit=100)).messages
        for row in hits[details[0] :][:1]:
            await do.delete_message(ada.id, row.id)
    else:
        for talk in (await do.list_conversations(ada.id, None, None, 9)).items[details[0] :][:1]:
            await do.delete_conversation(ada.id, talk.id)


@settings(max_examples=80, deadline=None)
@given(ACTS, LOOKED_FOR, st.integers(2, 5))
def test_whatever_happened_a_search_finds_what_a_look_at_every_message_finds(
    acts: list[Any], looked_for: tuple[str, Peer | None], segment: int
) -> None:
    async def run() -> None:
        ada = await with_line(InMemory())
        middle, (text, peer) = ada.world.clock.now() + HOUR, looked_for
        for act in acts:
            await does(ada, *act)
        places: list[dict[str, Any]] = [
            {}, {"after": middle}, {"before": middle}, {"line_id": ada.line_id}, {"line_id": LineId(UUID(int=1))},
        ]  # fmt: skip
        for where in places:
            assert await finds(ada, text, peer=peer, **where) == await scanned(ada, text, peer, where)

    was, searching.SEGMENT = searching.SEGMENT, segment
    try:
        asyncio.run(run())
    finally:
        searching.SEGMENT = was


async def scanned(ada: Person, text: str, peer: Peer | None, where: dict[str, Any]) -> list[str]:
    """Look at every message there is, word by word."""
    found = []
    for talk in (await ada.world.use_cases.list_conversations(ada.id, None, None, 100)).items:
        for row in (await ada.world.use_cases.list_messages(ada.id, talk.id, None, 100)).items:
            said = words(row.body or "")
            if (
                all(any(w == q or (len(q) > 2 and w.startswith(q)) for w in said) for q in words(text))
                and peer in {None, talk.peer}
                and where.get("line_id") in {None, row.line_id}
                and ("after" not in where or row.created_at >= where["after"])
                and ("before" not in where or row.created_at < where["before"])
            ):
                found.append((row.id, str(row.body)))
    return [body for _, body in sorted(found, reverse=True)]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=30), st.integers(0, 3)), max_size=30))
def test_a_segment_is_opened_as_it_was_packed(messages: list[tuple[str, int]]) -> None:
    said = [
        Said(
            MessageId(UUID(int=n + 1)),
            ConversationId(UUID(int=of)),
            LineId(UUID(int=of % 2)),
            EPOCH + n * HOUR,
            body,
        )
        for n, (body, of) in enumerate(messages)
    ]
    segment = Segment.of_messages(said)
    packed = segment.pack()
    assert Segment.unpack(packed) == segment
    assert (len(packed) % STEP, len(segment)) == (0, len(messages))
    assert all(segment.has(one.id) and segment.talks_in(one.conversation_id) for one in said)
    assert not segment.has(UUID(int=99))
    for body, _ in messages:
        for word in words(body)[:1]:
            wanted = Wanted(Query(word))
            expected = [one.id for one in reversed(said) if wanted.takes(one)]
            assert list(segment.search(wanted, None)) == expected
            assert list(segment.search(wanted, MessageId(UUID(int=5)))) == [i for i in expected if i.int < 5]
