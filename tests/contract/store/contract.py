"""What every store promises. Subclass `StoreContract`, give it a fixture `world`, and each promise is a test.

    class TestMyStore(StoreContract):
        @pytest.fixture
        async def world(self) -> AsyncIterator[World]: ...

Each promise is given a world of its own, empty and fresh.
"""

from __future__ import annotations

from tests.contract.store.commits import CommitPromises
from tests.contract.store.erasure import LifePromises
from tests.contract.store.jobs import QueuePromises
from tests.contract.store.pages import PagePromises
from tests.contract.store.races import RacePromises
from tests.contract.store.reads import ReadPromises
from tests.contract.store.unique import UniquePromises
from tests.contract.store.world import World

__all__ = ["StoreContract", "World"]


class StoreContract(
    CommitPromises, RacePromises, UniquePromises, QueuePromises, ReadPromises, PagePromises, LifePromises
):
    """Everything a use case may rely on, whichever store it is given."""
