"""Somebody who can write to the database, but holds no key, has nobody erased by what they write."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from application.inventory import BY_TYPE
from application.ports.jobs import ERASURE_JOB
from application.sign_up import AnswerSignUp
from domain.accounts import Account
from domain.kernel import SealBroken
from tests.contract.conftest import Postgres
from tests.support.intruder import MONTH, Scene, alarm, put_back

FORGED_JOB = (
    "INSERT INTO jobs (account_id, id, name, subject, due_at) VALUES ($1, gen_random_uuid(), $2, $1, now())"
)
FORGED_CHECKPOINT = "INSERT INTO erasures (account_id, began_at, done, seal) VALUES ($1, now(), $2, $3)"


@pytest.fixture
async def scene(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Scene]:
    async with Scene.set(postgres, tmp_path) as made:
        yield made


@pytest.mark.parametrize("done", [None, "numbers", "keys", "rows", "verified"])
@pytest.mark.parametrize("state", [None, "erasing", "pending_deletion"])
async def test_nobody_has_a_living_account_erased(scene: Scene, done: str | None, state: str | None) -> None:
    ada = await scene.inhabitant()
    await scene.sql(FORGED_JOB, ada.id, ERASURE_JOB)
    if done is not None:
        await scene.sql(FORGED_CHECKPOINT, ada.id, done, bytes(32))
    if state is not None:
        await scene.sql(
            "UPDATE accounts SET state = $2::account_state, erase_at = now() - interval '1 day' WHERE id = $1",
            ada.id, state,
        )  # fmt: skip
    with alarm():
        await scene.world.settle()
        await scene.world.use_cases.sweep()
        await scene.world.settle()
    assert await scene.world.keyring.count(ada.id) == 1
    assert await scene.world.ledger.pending() == []
    if state is not None:
        await scene.sql("UPDATE accounts SET state = 'active', erase_at = NULL WHERE id = $1", ada.id)
    page = (await ada.call("GET", f"{ada.conversation}/messages")).json["items"]
    assert [message["body"] for message in page] == ["heard", "said"], "nothing is lost"
    assert (await ada.call("GET", ada.line)).json["state"] == "active"


async def test_who_came_back_is_not_erased_by_an_altered_state(scene: Scene) -> None:
    ada = await scene.inhabitant()
    await ada.call("DELETE", "/v1/account", {"password": ada.credentials["password"]})
    ada.token = (await scene.http.call("POST", "/v1/account-recoveries", ada.credentials)).json["token"]
    await scene.sql(
        "UPDATE accounts SET state = 'pending_deletion', erase_at = created_at WHERE id = $1", ada.id
    )
    scene.world.clock.advance(MONTH)
    with alarm():
        await scene.world.use_cases.sweep()
        await scene.world.settle()
    assert await scene.world.keyring.count(ada.id) == 1


async def test_who_came_back_is_not_erased_by_the_row_of_before(scene: Scene) -> None:
    ada = await scene.inhabitant()
    await ada.call("DELETE", "/v1/account", {"password": ada.credentials["password"]})
    (closed,) = await scene.sql("SELECT * FROM accounts WHERE id = $1", ada.id)
    assert (await scene.http.call("POST", "/v1/account-recoveries", ada.credentials)).status == 201
    await put_back(scene, closed)
    scene.world.clock.advance(MONTH)
    result = await scene.world.use_cases.sweep()
    await scene.world.settle()
    assert result.failed["seal_broken"] == 1, "nobody was told"
    assert await scene.world.keyring.count(ada.id) == 1


@pytest.mark.parametrize("way", ["sweep", "withdrawal"])
async def test_nobody_is_erased_by_the_row_of_before_they_verified(scene: Scene, way: str) -> None:
    link = await scene.http.attempt()
    (unverified,) = await scene.sql("SELECT * FROM accounts")
    await scene.http.line(await scene.http.verified(link))
    await put_back(scene, unverified)
    if way == "sweep":
        scene.world.clock.advance(MONTH)
        result = await scene.world.use_cases.sweep()
        await scene.world.settle()
        assert result.failed["seal_broken"] == 1, "nobody was told"
    else:
        answer = scene.world.use_cases.job_handlers["answer_sign_up"]
        assert isinstance(answer, AnswerSignUp)
        with pytest.raises(SealBroken):
            await answer.withdraw(unverified["id"])
    assert await scene.world.keyring.count(unverified["id"]) == 1


async def test_who_left_nothing_is_not_erased_by_the_row_of_before_they_verified(scene: Scene) -> None:
    link = await scene.http.attempt()
    (unverified,) = await scene.sql("SELECT * FROM accounts")
    await scene.http.verified(link)
    for table in ("sessions", "directory", "jobs"):
        await scene.sql(f"DELETE FROM {table}")  # noqa: S608
    await put_back(scene, unverified)
    assert await scene.flip(BY_TYPE[Account], "email", unverified["id"])
    scene.world.clock.advance(MONTH)
    result = await scene.world.use_cases.sweep()
    await scene.world.settle()
    assert result.failed["seal_broken"] == 1, "nobody was told"
    assert await scene.world.keyring.count(unverified["id"]) == 1
