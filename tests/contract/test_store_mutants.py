"""Both stores with one rule broken at a time: each promise of the contract is there for a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.mutation import Mutant
from tests.contract.store_contract import StoreContract
from tests.contract.test_store_memory import MemoryWorld

MUTANTS = Path(__file__).parent / "mutants"
MEMORY = Mutant.all_in(MUTANTS / "memory.txt")
PROMISES = {name.removeprefix("test_") for name in dir(StoreContract) if name.startswith("test_")}


@pytest.mark.parametrize("mutant", MEMORY, ids=str)
async def test_a_mutant_of_the_memory_store_is_noticed(mutant: Mutant) -> None:
    with mutant.loaded("adapters.outbound.memory"):
        world = MemoryWorld.fresh()
    await mutant.must_be_noticed(world)


def test_no_promise_is_kept_by_accident() -> None:
    assert {mutant.promise for mutant in MEMORY} == PROMISES
