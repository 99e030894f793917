"""A sign-in or a purchase that comes between what a soft delete reads and what it commits, on both stores."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from application.account_deletion import DeleteAccount
from application.sessions import Unauthenticated
from bootstrap.worlds import InMemory
from domain.kernel import AccountId
from domain.lines import LineState
from domain.values import PhoneNumber
from tests.contract.conftest import Postgres
from tests.support.actors import PASSWORD, Person, sign_up
from tests.support.harness import in_memory, on_postgres

Between = Callable[[], Awaitable[object]]


class Interrupted:
    """A store in which something else happens once, after the first update has read and before it commits."""

    def __init__(self, honest: Any) -> None:
        self.honest = honest
        self.between: Between | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.honest, name)

    async def update(self, account_id: AccountId, change: Any, **given: Any) -> Any:
        async def interrupted(tx: Any) -> Any:
            result = await change(tx)
            between, self.between = self.between, None
            if between is not None:
                await between()
            return result

        return await self.honest.update(account_id, interrupted, **given)


def interrupted(**given: Any) -> DeleteAccount:
    return DeleteAccount(**{**given, "store": Interrupted(given["store"])})


@pytest.fixture(params=["memory", "postgres"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[InMemory]:
    if request.param == "memory":
        yield in_memory(delete_account=interrupted)
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    async with on_postgres(postgres, tmp_path, delete_account=interrupted) as made:
        yield made


async def deleted(world: InMemory, ada: Person, between: Between) -> None:
    delete: Any = world.use_cases.delete_account
    delete.store.between = between
    await delete(ada.id, PASSWORD)
    assert delete.store.between is None


async def test_a_session_begun_meanwhile_is_revoked_and_stays_so(world: InMemory) -> None:
    ada = await sign_up(world)
    begun = []

    async def sign_in() -> None:
        begun.append(await world.use_cases.sign_in(ada.email, PASSWORD))

    await deleted(world, ada, sign_in)
    (meanwhile,) = begun
    for signed_in in (ada.signed_in, meanwhile):
        with pytest.raises(Unauthenticated):
            await world.use_cases.authenticate(signed_in.token)
    back = await world.use_cases.recover_account(ada.email, PASSWORD)
    assert [session.id for session in await world.use_cases.list_sessions(ada.id)] == [back.session.id]


async def test_a_line_bought_meanwhile_is_suspended_and_comes_back(world: InMemory) -> None:
    ada = await sign_up(world)

    async def buy() -> None:
        ada.line = (await world.use_cases.buy_line(ada.id, PhoneNumber("+12025550143"), None, "k")).line

    await deleted(world, ada, buy)
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.SUSPENDED
    await world.use_cases.recover_account(ada.email, PASSWORD)
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.ACTIVE
