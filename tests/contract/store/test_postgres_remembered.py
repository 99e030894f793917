"""What a process remembers of the directory and of keys, and for how long."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from adapters.outbound.postgres.directory import REMEMBERED_SECONDS, PostgresDirectory
from adapters.outbound.postgres.store import CipherCache
from application.ports.keyring import AccountKey
from domain.kernel import AccountId
from tests.contract.conftest import Postgres
from tests.contract.store.test_postgres import ENVIRONMENT, PostgresWorld, fresh
from tests.contract.store.world import opened


@pytest.fixture
async def world(postgres: Postgres) -> AsyncIterator[PostgresWorld]:
    async with fresh(postgres) as made:
        yield made


async def test_a_line_is_remembered_for_a_while_unless_asked_for_afresh(world: PostgresWorld) -> None:
    now = 0.0
    directory = PostgresDirectory(
        world.database, world.keyring, environment=ENVIRONMENT, monotonic=lambda: now
    )
    line = await world.line(await world.account())
    assert await directory.line(line.number) == (line.account_id, line.id)
    async with world.store.begin(line.account_id) as tx:
        mine = await tx.lines.get(line.id)
        mine.released(world.clock.now())
        tx.save(mine)
    assert await directory.line(line.number) == (line.account_id, line.id)
    now = REMEMBERED_SECONDS
    assert await directory.line(line.number) is None
    heir = await world.line(line.account_id, number=line.number)
    assert await directory.line(line.number) == (heir.account_id, heir.id)
    await world.store.delete_rows(line.account_id)
    assert await directory.line(line.number, fresh=True) is None
    assert await directory.line(line.number) is None, "what was found out afresh is remembered"


async def test_a_remembered_token_opens_nothing_once_its_session_was_revoked_elsewhere(
    world: PostgresWorld,
) -> None:
    account_id = await world.account()
    session = world.new_session(account_id, token="pico_s1_here")
    await world.commit(account_id, session)
    here, elsewhere = (
        PostgresDirectory(world.database, world.keyring, environment=ENVIRONMENT) for _ in range(2)
    )
    for directory in (here, here, elsewhere):
        assert await directory.session("pico_s1_here") == opened(session)
    async with world.store.begin(account_id) as tx:
        mine = await tx.sessions.get(session.id)
        mine.revoke(world.clock.now())
        tx.save(mine)
    for directory in (here, elsewhere, here):
        assert await directory.session("pico_s1_here") is None


def test_working_keys_are_kept_as_long_as_the_very_key() -> None:
    one = AccountId(uuid4())
    key, same = AccountKey(1, bytes(32)), AccountKey(1, bytes(32))
    ciphers = CipherCache("test")
    first = ciphers.open(one, key)
    assert ciphers.open(one, key) is first
    assert ciphers.open(one, same) is not first, "the keyring has let go of the key meanwhile"
    assert ciphers.kept == 2
    del key
    assert ciphers.kept == 1
