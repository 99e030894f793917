"""A blocked number is heard no more, and what it sends leaves nothing behind."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.outbound.memory.message_carrier import FetchableMedia
from application.ports.message_carrier import MessageAbilities
from bootstrap.worlds import InMemory
from domain.blocked_numbers import NumberBlocked, TooManyBlocked
from domain.failures import FailureReason
from domain.idempotency import IdempotencyRecord
from domain.kernel import NotFound
from domain.media import Media, MediaType
from domain.messages import Conversation, Message, PeerOptedOut, Status
from domain.opt_outs import LastingOptOut
from domain.values import Peer, PhoneNumber
from tests.support.actors import STRANGER, Person, with_line
from tests.support.photographs import photograph

WHO = PhoneNumber(STRANGER)
LONG = timedelta(hours=2)


async def arrives(ada: Person, body: str, sender: Peer = STRANGER) -> str:
    """Have a message come in of which the carrier keeps a copy; return its reference."""
    ref = await ada.world.carrier.receive(sender, ada.number, body)
    await ada.receives(body, sender, ref=ref)
    return ref


async def blocks(ada: Person) -> None:
    await ada.world.use_cases.block_number(ada.id, WHO)


def rows(ada: Person, kind: type[object]) -> list[object]:
    return list(ada.world.store.rows(ada.id)[kind].values())  # type: ignore[index]


async def test_what_a_blocked_number_sends_is_not_kept_and_its_copy_goes() -> None:
    ada = await with_line(InMemory())
    await blocks(ada)
    ref = await arrives(ada, "psst")
    assert await ada.inbox() == []
    assert rows(ada, Conversation) == []
    (left,) = rows(ada, Message)
    assert isinstance(left, Message)
    assert (left.body, left.ref, left.is_deleted) == ("", ref, True)
    assert ref in ada.world.carrier.messages
    await ada.world.advance(LONG)
    assert rows(ada, Message) == []
    assert ref not in ada.world.carrier.messages
    await ada.receives("psst", STRANGER, ref=ref)
    await ada.world.use_cases.unblock_number(ada.id, WHO)
    await ada.receives("psst", STRANGER, ref=ref)
    assert await ada.inbox() == [], "a repeated delivery brings it back"
    await arrives(ada, "hello")
    assert await ada.inbox() == ["hello"]


async def test_of_a_picture_of_a_blocked_number_nothing_is_fetched_or_kept_and_its_copy_goes() -> None:
    ada = await with_line(InMemory())
    carrier = ada.world.carrier
    await blocks(ada)
    picture = FetchableMedia("image/jpeg", photograph(MediaType.JPEG).content)
    ref = await carrier.receive(STRANGER, ada.number, "look", [picture, picture])
    await ada.world.settle()
    assert (rows(ada, Media), await ada.world.objects.count(ada.id)) == ([], 0)
    await ada.world.advance(LONG)
    assert "fetch_media" not in carrier.calls
    assert (rows(ada, Message), rows(ada, Media), await ada.world.objects.count(ada.id)) == ([], [], 0)
    assert (ref in carrier.messages, carrier.media) == (False, {})


async def test_the_copy_goes_when_the_carrier_is_back() -> None:
    ada = await with_line(InMemory())
    await blocks(ada)
    ref = await arrives(ada, "psst")
    ada.world.carrier.outage = True
    await ada.world.advance(LONG)
    assert len(rows(ada, Message)) == 1
    ada.world.carrier.outage = False
    await ada.world.advance(LONG)
    assert (rows(ada, Message), ref in ada.world.carrier.messages) == ([], False)


async def test_a_blocked_number_is_unknown_to_nobody_else_and_other_senders_get_through() -> None:
    world = InMemory()
    ada, eve = await with_line(world), await with_line(world, "eve", "+12025550144")
    await blocks(ada)
    for person in (ada, eve):
        await arrives(person, "hello")
    await arrives(ada, "it's me", Peer("+13105550179"))
    await arrives(ada, "your code is 1", Peer("BANK"))
    assert (sorted(await ada.inbox()), await eve.inbox()) == (["it's me", "your code is 1"], ["hello"])


async def test_what_was_said_before_stays_as_it_was() -> None:
    ada = await with_line(InMemory())
    await arrives(ada, "before")
    (was,) = rows(ada, Conversation)
    await blocks(ada)
    await arrives(ada, "after")
    await ada.world.advance(LONG)
    assert await ada.inbox() == ["before"]
    assert rows(ada, Conversation) == [was], "not even a count"


async def test_nothing_is_sent_to_a_blocked_number() -> None:
    ada = await with_line(InMemory())
    await blocks(ada)
    with pytest.raises(NumberBlocked):
        await ada.sends("hello", key="one")
    await ada.world.use_cases.unblock_number(ada.id, WHO)
    await ada.sends("hello", key="one")
    await blocks(ada)
    assert (await ada.sends("hello", key="one")).repeated


@pytest.mark.parametrize("unblocked", [True, False])
async def test_what_waits_to_be_sent_when_its_recipient_is_blocked_is_not_sent(unblocked: bool) -> None:
    ada = await with_line(InMemory())
    waiting = await ada.sends("hello")
    await blocks(ada)
    if unblocked:
        await ada.world.use_cases.unblock_number(ada.id, WHO)
    await ada.world.settle()
    message = await ada.world.use_cases.read_message(ada.id, waiting.id)
    sent = [copy.body for copy in ada.world.carrier.messages.values()]
    if unblocked:
        assert (message.failure, sent) == (None, ["hello"])
    else:
        assert (message.status, message.failure) == (Status.FAILED, FailureReason.NOT_ALLOWED)
        assert sent == []


async def test_a_message_of_which_the_carriers_answer_was_lost_before_the_block_is_not_sent_again() -> None:
    ada = await with_line(InMemory())
    waiting = await ada.sends("hello")
    ada.world.carrier.lose_answers = 1
    await ada.world.settle()
    await blocks(ada)
    await ada.world.advance(LONG)
    message = await ada.world.use_cases.read_message(ada.id, waiting.id)
    (copy,) = ada.world.carrier.messages.values()
    assert (copy.body, message.status is Status.FAILED) == ("hello", False)


@pytest.mark.parametrize("known", [True, False])
async def test_a_stop_of_a_blocked_number_counts_and_so_does_its_start(known: bool) -> None:
    ada = await with_line(InMemory())
    if known:
        await arrives(ada, "hello")
    await blocks(ada)
    await arrives(ada, "STOP")
    assert len(rows(ada, LastingOptOut)) == (not known)
    await arrives(ada, "STOP")
    await ada.world.use_cases.unblock_number(ada.id, WHO)
    with pytest.raises(PeerOptedOut):
        await ada.sends("hello?")
    await blocks(ada)
    await arrives(ada, "START")
    await ada.world.use_cases.unblock_number(ada.id, WHO)
    await ada.sends("hello!")
    assert await ada.inbox() == ["hello!", "hello"] if known else ["hello!"]


async def test_blocking_is_repeated_without_harm_and_unblocking_is_not_found_twice() -> None:
    ada = await with_line(InMemory())
    do = ada.world.use_cases
    first = await do.block_number(ada.id, WHO)
    ada.world.clock.advance(LONG)
    assert await do.block_number(ada.id, WHO) == first
    assert (await do.list_blocked_numbers(ada.id, None, 9)).items == [first]
    await do.unblock_number(ada.id, WHO)
    with pytest.raises(NotFound):
        await do.unblock_number(ada.id, WHO)


async def test_the_list_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("application.blocked_numbers.MOST_BLOCKED", 1)
    ada = await with_line(InMemory())
    await blocks(ada)
    await blocks(ada)
    with pytest.raises(TooManyBlocked):
        await ada.world.use_cases.block_number(ada.id, ada.number)


async def test_erasure_takes_the_copies_of_what_was_not_kept() -> None:
    ada = await with_line(InMemory())
    await blocks(ada)
    ada.world.carrier.outage = True
    ref = await arrives(ada, "psst")
    await ada.world.use_cases.delete_account(ada.id, "correct horse battery staple")  # type: ignore[arg-type]
    ada.world.carrier.outage = False
    for _ in range(34):
        await ada.world.advance(timedelta(days=1))
    assert ref not in ada.world.carrier.messages
    assert sum((await ada.world.store.count_rows(ada.id)).values()) == 0


async def test_a_carrier_that_deletes_nothing_leaves_us_nothing_either() -> None:
    ada = await with_line(InMemory())
    ada.world.carrier.message_abilities = MessageAbilities(can_delete_copies=False)
    await blocks(ada)
    await arrives(ada, "psst")
    await ada.world.advance(LONG)
    assert rows(ada, Message) == []


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 12), st.integers(0, 12), st.booleans())
def test_an_arrival_that_races_with_a_block_is_kept_whole_or_not_at_all(
    before_block: int, before_arrival: int, known: bool
) -> None:
    async def run() -> None:
        ada = await with_line(InMemory())
        if known:
            await arrives(ada, "hello")

        async def later(steps: int, act: object) -> None:
            for _ in range(steps):
                await asyncio.sleep(0)
            await act  # type: ignore[misc]

        await asyncio.gather(later(before_block, blocks(ada)), later(before_arrival, arrives(ada, "psst")))
        await arrives(ada, "afterwards")
        kept = await ada.inbox()
        assert "afterwards" not in kept, "the block was answered before it arrived"
        await ada.world.advance(LONG)
        assert await ada.inbox() == kept
        held = [row for row in rows(ada, Message) if isinstance(row, Message)]
        assert sorted(str(row.body) for row in held) == sorted(kept)
        assert len(ada.world.carrier.messages) == 0, "a copy stays with the carrier"
        assert len(rows(ada, IdempotencyRecord)) >= 2

    asyncio.run(run())
