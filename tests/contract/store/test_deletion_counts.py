"""What a person is told of a deletion beforehand is what the receipt counts, whatever they have."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.deletion_counts import PREVIEWED
from application.ports.numbers import AvailableNumber
from bootstrap.worlds import InMemory
from domain.retention import Retention
from domain.values import Capability, Country, PhoneNumber
from tests.contract.store.test_retention_law import world
from tests.support.actors import PASSWORD, Person
from tests.support.canary_account import some_number

__all__ = ["world"]

DEEDS = ("take a line", "hear", "say", "delete a message", "delete a conversation", "give a line up", "wait")
LIVES = st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 9)), max_size=14)


async def takes_a_line(ada: Person) -> None:
    number = PhoneNumber(some_number())
    ada.world.carrier.on_offer.append(AvailableNumber(number, Country("US"), frozenset(Capability)))
    await ada.with_line(number)


async def deletes(ada: Person, what: str, which: int) -> None:
    do = ada.world.use_cases
    found = (await do.list_conversations(ada.id, None, None, 20)).items
    if not found:
        return
    chosen = found[which % len(found)]
    messages = (await do.list_messages(ada.id, chosen.id, None, 1)).items
    if what == "delete a conversation":
        await do.delete_conversation(ada.id, chosen.id)
    elif messages:
        await do.delete_message(ada.id, messages[0].id)


async def lived(ada: Person, life: list[tuple[str, int]]) -> None:
    """Have somebody do these things, as far as they can be done."""
    for what, which in life:
        if what == "wait":
            await ada.world.advance(timedelta(days=which))
        elif what == "take a line":
            await takes_a_line(ada)
        elif ada.line is not None:
            if what.startswith("delete"):
                await deletes(ada, what, which)
            elif what == "give a line up":
                await ada.world.use_cases.release_line(ada.id, ada.line_id)
                ada.line = None
            elif what == "hear":
                await ada.receives("heard", f"+1310555{which:04}")
            else:
                await ada.sends("said", f"+1310555{which:04}")
    await ada.world.settle()


@pytest.fixture
def people(world: InMemory) -> Any:
    numbers = iter(range(1_000))
    return lambda: world.signed_up(f"ada{next(numbers)}")


@settings(max_examples=12, deadline=None, suppress_health_check=[*HealthCheck])
@given(life=LIVES)
async def test_the_preview_says_what_the_receipt_counts(
    world: InMemory, people: Any, life: list[tuple[str, int]]
) -> None:
    ada = await people()
    await lived(ada, life)
    preview = await world.use_cases.preview_deletion(ada.id)
    assert await world.use_cases.delete_account(ada.id, PASSWORD) == preview
    fingerprint = await world.fingerprint(ada.id)
    await world.advance(Retention().soft_deleted.keep)
    while (receipt := await world.ledger.receipt(fingerprint)) is None:
        await world.advance(timedelta(minutes=10))
    assert {name: receipt.facts[f"rows_of_{name}"] for name in PREVIEWED} == {
        name: getattr(preview, name) for name in PREVIEWED
    }
