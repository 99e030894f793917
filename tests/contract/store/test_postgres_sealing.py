"""What lies in PostgreSQL, and what its errors say: nothing personal in clear, and nothing altered that opens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest

from adapters.outbound.postgres.pool import StatementRefused
from adapters.outbound.postgres.tables import COLUMNS
from application.ports.store import VersionConflict
from domain.idempotency import Operation
from domain.kernel import AccountId, CarrierRef, LineId, SealBroken
from domain.residue import Residue
from domain.values import Label
from tests.contract.conftest import Postgres
from tests.contract.store.test_postgres import PostgresWorld, fresh


@pytest.fixture
async def world(postgres: Postgres) -> AsyncIterator[PostgresWorld]:
    async with fresh(postgres) as made:
        yield made


async def test_only_what_changed_is_sealed_anew(world: PostgresWorld) -> None:
    account_id = await world.account()
    select = "SELECT password, locale, display_name FROM accounts"
    before = await world.database.first(select)
    async with world.store.begin(account_id) as tx:
        account = await tx.accounts.get()
        account.change_profile(Label("changed"), None, world.clock.now())
        tx.save(account)
    after = await world.database.first(select)
    assert (after["password"], after["locale"]) == (before["password"], before["locale"])
    assert after["display_name"] != before["display_name"]


async def test_a_ciphertext_moved_to_another_row_or_column_does_not_open(world: PostgresWorld) -> None:
    account_id = await world.account()
    one, two = await world.line(account_id), await world.line(account_id)
    for move in (
        "UPDATE phone_lines a SET number = b.number FROM phone_lines b WHERE a.id = $1 AND b.id <> $1",
        "UPDATE phone_lines SET label = number WHERE id = $1",
    ):
        await world.database.execute(move, one.id)
        with pytest.raises(SealBroken):
            await world.read_line(one)
    await world.read_line(two)


async def test_nothing_personal_lies_in_any_column(world: PostgresWorld) -> None:
    has = await world.belongings()
    account_id = await world.account(email="noa@example.com")
    await world.commit(account_id, world.new_record(account_id, Operation("key of noa", "request of noa")))
    planted = [
        has.line.number,
        has.conversation.peer,
        has.message.body,
        has.session.token or "",
        "key of",
        "request of",
    ]
    planted += ["noa@example.com", "Noa", "he-IL", "argon2id"]
    for table in (name for name in COLUMNS if name != "alembic_version"):
        for row in await world.database.fetch(f"SELECT * FROM {table}"):  # noqa: S608 - of constants
            for value in row.values():
                raw = value if isinstance(value, bytes) else str(value).encode()
                assert not any(text.encode() in raw for text in planted), table
    async with world.store.begin(account_id) as tx:
        assert (await tx.accounts.get()).email == "noa@example.com"


async def test_errors_quote_nothing_and_carry_nothing_along(world: PostgresWorld) -> None:
    secret = "+15551234567"
    for statement, *values in (
        (
            "INSERT INTO directory VALUES ($1, '', gen_random_uuid(), gen_random_uuid())",
            secret,
        ),
        ("SELECT $1::integer", secret),
        ("SELECT $1::text::integer", secret),
    ):
        with pytest.raises(StatementRefused) as refused:
            await world.database.fetch(statement, *values)
        assert secret not in f"{refused.value!r}"
        assert (refused.value.__context__, refused.value.__cause__) == (None, None)
    account_id = await world.account(email=f"{secret}@example.com")
    with pytest.raises(VersionConflict) as stale:
        await world.commit(
            account_id, replace(world.new_account(email=f"{secret}@example.com"), id=account_id)
        )
    assert (str(stale.value), stale.value.__context__, stale.value.__cause__) == (
        str(VersionConflict()),
        None,
        None,
    )


async def test_a_residue_list_that_somebody_altered_is_not_believed(world: PostgresWorld) -> None:
    entry = Residue.number(AccountId(uuid4()), CarrierRef("PN1"), LineId(uuid4())).missed(world.clock.now())
    alterations = [
        f"account_id = '{uuid4()}'", "ref = 'PN2'", f"line_id = '{uuid4()}'", "line_id = NULL", "state = 'settled'",
        "gone_at = gone_at - interval '1 day'", "gone_at = NULL", "holding = 'message'", r"seal = '\x00'",
    ]  # fmt: skip
    for altered in alterations:
        await world.database.execute("DELETE FROM residue")
        await world.store.add_residue([entry])
        await world.database.execute(f"UPDATE residue SET {altered}")  # noqa: S608 - all of them stand here
        (account_id,) = await world.database.first("SELECT account_id FROM residue")
        with pytest.raises(SealBroken):
            await world.store.residue(AccountId(account_id), None, 9)
