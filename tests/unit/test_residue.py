"""The residue list: what was once missed is looked for again, and nothing settles before a pause has passed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application import residue
from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable
from application.residue import BATCH, ClearResidue
from bootstrap.worlds import InMemory
from domain.erasure import Erasure, NotYetGone
from domain.kernel import AccountId, CarrierRef, PicoError
from domain.residue import Holding, Residue, ResidueState
from domain.values import Peer, PhoneNumber
from tests.support.actors import held, with_line

ADA = AccountId(UUID(int=1))
NUMBER, STRANGER = PhoneNumber("+12025550143"), Peer("+13105550178")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def clearing(world: InMemory) -> tuple[ClearResidue, Erasure]:
    world.pause = MINUTE
    clear = ClearResidue(
        world.store,
        world.carrier,
        world.carrier,
        world.recordings,
        world.voice,
        world.payments,
        world.clock,
        MINUTE,
    )
    return clear, Erasure(account_id=ADA, began_at=world.clock.now())


async def test_what_was_missed_and_is_there_after_all_is_deleted_and_waited_for(world: InMemory) -> None:
    clear, erasure = clearing(world)
    ref = await world.carrier.receive(STRANGER, NUMBER, "still there")
    await world.store.add_residue([Residue.message(ADA, ref).missed(world.clock.now() - DAY)])
    found = await clear.settle(erasure, held)
    assert (found.held[Holding.MESSAGE], found.open) == (1, 1), "it was believed to be gone"
    found = await clear.settle(erasure, held)
    assert (found.held[Holding.MESSAGE], found.open) == (0, 1)
    assert not world.carrier.messages
    world.clock.advance(MINUTE - timedelta(microseconds=1))
    assert (await clear.settle(erasure, held)).open == 1
    world.clock.advance(timedelta(microseconds=1))
    found = await clear.settle(erasure, held)
    assert (found.settled[Holding.MESSAGE], found.open) == (1, 0)


async def test_a_long_list_is_gone_through_to_its_end_and_nothing_settled_is_asked_for_again(
    world: InMemory,
) -> None:
    clear, erasure = clearing(world)
    many = 2 * BATCH + 1
    refs = [await world.carrier.receive(STRANGER, NUMBER, "one of many") for _ in range(many)]
    await world.store.add_residue([Residue.message(ADA, ref) for ref in refs])
    await clear(erasure, held)
    assert not world.carrier.messages
    assert (await clear.settle(erasure, held)).open == many, "the pause is not over for any"
    world.clock.advance(MINUTE)
    assert (await clear.settle(erasure, held)).settled[Holding.MESSAGE] == many
    asked = len(world.carrier.calls)
    assert (await clear.settle(erasure, held)).open == 0
    assert len(world.carrier.calls) == asked


async def test_our_own_data_waits_a_day_for_what_is_held_and_no_longer(world: InMemory) -> None:
    clear, erasure = clearing(world)
    await world.store.add_residue([Residue.message(ADA, await world.carrier.receive(STRANGER, NUMBER, "x"))])
    world.carrier.lies = True
    with pytest.raises(NotYetGone) as waits:
        await clear(erasure, held)
    assert waits.value.within == DAY
    world.clock.advance(DAY)
    await clear(erasure, held)
    assert (await world.store.residue(ADA, None, 9))[0].is_held


@pytest.mark.parametrize("error", [CarrierUnavailable, CarrierRefused])
@pytest.mark.parametrize("there", [0, 1])
async def test_no_answer_to_a_deletion_counts_only_the_look(
    world: InMemory, monkeypatch: pytest.MonkeyPatch, error: type[PicoError], there: int
) -> None:
    monkeypatch.setattr(residue, "BATCH", 1)
    clear, erasure = clearing(world)
    refs = [await world.carrier.receive(STRANGER, NUMBER, "x") for _ in range(2)]
    await world.store.add_residue([Residue.message(ADA, ref) for ref in refs])
    del world.carrier.messages[refs[1 - there]]

    async def fail(_ref: CarrierRef) -> None:
        raise error

    monkeypatch.setattr(world.carrier, "delete_copy", fail)
    with pytest.raises(NotYetGone):
        await clear(erasure, held)
    entries = await world.store.residue(ADA, None, 9)
    assert {entry.ref: entry.is_held for entry in entries} == {ref: ref == refs[there] for ref in refs}
    monkeypatch.undo()
    await clear(erasure, held)
    assert not any(entry.is_held for entry in await world.store.residue(ADA, None, 9))


async def test_a_number_on_the_list_is_released_and_looked_for(world: InMemory) -> None:
    ada, grace = await with_line(world, "ada"), await with_line(world, "grace", "+12025550144")
    clear = ClearResidue(
        world.store,
        world.carrier,
        world.carrier,
        world.recordings,
        world.voice,
        world.payments,
        world.clock,
        MINUTE,
    )
    erasure = Erasure(account_id=ada.id, began_at=world.clock.now())
    assert ada.line is not None
    assert ada.line.ref is not None
    entry = Residue.number(ada.id, ada.line.ref, ada.line_id)
    await world.store.add_residue([entry])
    world.carrier.lies = True
    found = await clear.settle(erasure, held)
    assert (found.held, found.settled, found.open) == ({Holding.NUMBER: 1}, {}, 1)
    world.carrier.lies = False
    await clear(erasure, held)
    assert [owned.line_id for owned in world.carrier.numbers.values()] == [grace.line_id]
    assert await world.store.residue(ada.id, None, 9) == [entry.missed(world.clock.now())]


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 90)), max_size=12),
    st.integers(0, 120).map(lambda seconds: timedelta(seconds=seconds)),
)
def test_an_entry_settles_only_when_every_look_for_as_long_as_the_pause_missed_it(
    looks: list[tuple[bool, int]], pause: timedelta
) -> None:
    entry, now, unseen_since = Residue.message(ADA, CarrierRef("SM1")), NOW, None
    for there, seconds in looks:
        now += timedelta(seconds=seconds)
        entry = entry.seen() if there else entry.missed(now)
        unseen_since = None if there else unseen_since or now
        may = unseen_since is not None and now - unseen_since >= pause
        assert entry.settle(now, pause).is_settled == may
        assert entry.state is (ResidueState.HELD if there else ResidueState.GONE)
