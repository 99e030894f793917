"""Both stores with one rule broken at a time: about ten that matter most. `mutmut` is for the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.conftest import Postgres
from tests.contract.store.contract import StoreContract
from tests.support.mutation import Mutant

MUTANTS = Path(__file__).parent / "mutants"
MEMORY, POSTGRES = Mutant.all_in(MUTANTS / "memory.txt"), Mutant.all_in(MUTANTS / "postgres.txt")
PROMISES = {name.removeprefix("test_") for name in dir(StoreContract) if name.startswith("test_")}


@pytest.mark.parametrize("mutant", MEMORY, ids=str)
async def test_a_mutant_of_the_memory_store_is_noticed(mutant: Mutant) -> None:
    mutated = mutant.loaded("adapters.outbound.memory", "tests.contract.store.test_memory")
    world = mutated.fresh()
    world.patience = 0.2
    await mutant.must_be_noticed(world)


@pytest.mark.parametrize("mutant", POSTGRES, ids=str)
async def test_a_mutant_of_the_postgres_store_is_noticed(mutant: Mutant, postgres: Postgres) -> None:
    mutated = mutant.loaded("adapters.outbound.postgres", "tests.contract.store.test_postgres")
    async with mutated.fresh(postgres) as world:
        world.patience = 1.0
        await mutant.must_be_noticed(world)


def test_every_mutant_names_a_promise() -> None:
    assert {mutant.promise for mutant in (*MEMORY, *POSTGRES)} <= PROMISES
