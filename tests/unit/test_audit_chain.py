"""Chains of the audit log: whatever is done to one of its entries, a walk along it notices."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bootstrap.worlds import InMemory
from domain.audit import AuditKind
from domain.audit_chain import BEGINNING, RECENT, Flaw, Head, Link, Walk
from tests.support.audit_log import keeper

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def chain_of(kinds: list[AuditKind], chain: int = 3) -> list[Link]:
    links, previous = list[Link](), BEGINNING
    for at, kind in enumerate(kinds, 1):
        link = Link(chain, at, date(2026, 1, 1), kind, bytes([at % 256] * 32), b"")
        previous = link.follows(previous)
        links.append(replace(link, hash=previous))
    return links


chains = st.lists(st.sampled_from(AuditKind), min_size=2, max_size=12).map(chain_of)


def findings(links: list[Link], head: Head, *, watch: bool = True) -> list[Flaw]:
    walk = Walk(3, watch=frozenset({head.length} if watch else ()))
    walk.along(links)
    walk.must_reach(head)
    return [finding.flaw for finding in walk.findings]


@given(links=chains, seed=st.integers())
def test_a_chain_as_it_was_has_no_fault_and_any_other_has(links: list[Link], seed: int) -> None:
    chance = random.Random(seed)
    head = Head(3, len(links), links[-1].hash, NOW)
    assert findings(links, head) == []
    at, other = chance.sample(range(len(links)), 2)
    one = links[at]
    swapped = list(links)
    swapped[at] = replace(links[other], position=one.position)
    swapped[other] = replace(one, position=links[other].position)
    for altered in (
        [*links[:at], replace(one, day=one.day + timedelta(days=1)), *links[at + 1 :]],
        [*links[:at], replace(one, commitment=b"x" * 32), *links[at + 1 :]],
        [*links[:at], replace(one, hash=b"x" * 32), *links[at + 1 :]],
        [*links[:at], replace(one, ours=False), *links[at + 1 :]],
        [*links[:at], *links[at + 1 :]],
        [*links[:at], one, *links[at:]],
        swapped,
        links[:at],
        chain_of([link.kind for link in links], chain=4),
    ):
        assert findings(altered, head), altered


@given(links=chains)
def test_a_longer_chain_still_passes_an_earlier_head(links: list[Link]) -> None:
    assert findings(links, Head(3, 1, links[0].hash, NOW)) == []
    assert findings(links, Head(3, 1, b"x" * 32, NOW)) == [Flaw.CHANGED]


async def test_what_is_recent_is_drawn_once_its_day_is_over_and_a_crowd_is_there() -> None:
    world = InMemory()
    await world.signed_up("ada")
    log, few = world.store.audit_log, len(world.store.audit_log.commitments)
    assert few
    patient, keep = keeper(world, crowd=few + 1), keeper(world, crowd=few)
    before = set(log.commitments)
    for late in (timedelta(), timedelta(days=1)):
        await patient(world.clock.now() + late, 1)
        assert len(log.links[RECENT]) == few
    await keep(world.clock.now(), 1)
    assert len(log.links[RECENT]) == few, "the day is not over"
    await keep(world.clock.now() + timedelta(days=1), 1)
    assert log.links[RECENT] == []
    assert set(log.commitments) == before


async def test_nothing_is_drawn_out_of_a_chain_in_which_something_is_wrong() -> None:
    world = InMemory()
    await world.signed_up("ada")
    log, keep = world.store.audit_log, keeper(world, crowd=1)
    await keep(world.clock.now(), 1)
    log.links[RECENT][0] = replace(log.links[RECENT][0], commitment=b"x" * 32)
    result = await keep(world.clock.now() + timedelta(days=1), 1)
    assert result.failed == {"audit_log_changed": 1}
    assert log.links[RECENT]
