"""Rows put back whole, their versions and seals included: what was deleted, revoked or released stays so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from domain.kernel import SealBroken
from tests.contract.conftest import Postgres
from tests.support.intruder import DAY, Scene, alarm, put_back

THEIRS = "+12025550144"


@pytest.fixture
async def scene(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Scene]:
    async with Scene.set(postgres, tmp_path) as made:
        yield made


@pytest.mark.parametrize("settled", [False, True], ids=["at once", "once purged"])
async def test_nobody_brings_a_deleted_message_back(scene: Scene, settled: bool) -> None:
    ada = await scene.inhabitant()
    (row,) = await scene.sql("SELECT * FROM messages WHERE id = $1", UUID(ada.message.rpartition("/")[2]))
    assert (await ada.call("DELETE", ada.message)).status == 204
    if settled:
        await scene.world.settle()
    await put_back(scene, row, "messages")
    with alarm():
        page = (await ada.call("GET", f"{ada.conversation}/messages")).json["items"]
    assert [message["body"] for message in page] == [None, "said"], "a deleted message came back"
    assert (await ada.call("GET", ada.message)).json["body"] is None
    assert (await ada.call("DELETE", ada.message)).status == 204
    assert (await ada.call("GET", ada.message)).status == 404


async def test_nobody_brings_a_deleted_conversation_back(scene: Scene) -> None:
    ada = await scene.inhabitant()
    rows = [
        (table, row)
        for table in ("conversations", "messages")
        for row in await scene.sql(f"SELECT * FROM {table}")  # noqa: S608
    ]
    assert (await ada.call("DELETE", ada.conversation)).status == 204
    await scene.world.settle()
    for table, row in rows:
        await put_back(scene, row, table)
    with alarm():
        assert (await ada.call("GET", f"{ada.conversation}/messages")).status == 404
    with alarm():
        assert (await ada.call("GET", ada.message)).status == 404
    (shown,) = (await ada.call("GET", "/v1/conversations")).json["items"]
    assert (shown["peer"], shown["last_message"]) == (None, None)
    with alarm(), pytest.raises(SealBroken):
        await scene.hear(ada.number, "new")  # the carrier keeps it
    assert (await ada.call("DELETE", ada.conversation)).status == 204
    await scene.hear(ada.number, "newer")
    (fresh,) = (await ada.call("GET", "/v1/conversations")).json["items"]
    page = (await ada.call("GET", f"/v1/conversations/{fresh['id']}/messages")).json["items"]
    assert [message["body"] for message in page] == ["newer"]


@pytest.mark.parametrize("remembered", [False, True], ids=["forgotten", "remembered"])
@pytest.mark.parametrize("way", ["one", "others", "all"])
async def test_nobody_brings_a_revoked_session_back_whole(scene: Scene, way: str, remembered: bool) -> None:
    ada = await scene.inhabitant()
    other = (await ada.sign_in()).json["token"]
    (row,) = await scene.sql("SELECT * FROM sessions WHERE id = $1", ada.session_id)
    (listed,) = await scene.sql("SELECT * FROM directory WHERE subject_id = $1", ada.session_id)
    match way:
        case "one":
            await ada.call("DELETE", "/v1/sessions/current")
        case "others":
            await scene.http.call("DELETE", "/v1/sessions?except=current", token=other)
        case _:
            await ada.call("DELETE", "/v1/account", ada.confirmed)
            await scene.http.call("POST", "/v1/account-recoveries", ada.credentials)
    await put_back(scene, row, "sessions")
    await put_back(scene, listed, "directory")
    if not remembered:
        scene.forget()
    with alarm():
        assert (await ada.call("GET", "/v1/account")).status == 401, "a revoked session opened the account"
    scene.forget()
    await scene.world.keyring.reopen(ada.id)
    with alarm():
        assert (await ada.call("GET", "/v1/account")).status == 401, "another process did not hear of it"


async def test_nobody_sends_from_a_line_that_was_released(scene: Scene) -> None:
    ada = await scene.inhabitant()
    (row,) = await scene.sql("SELECT * FROM phone_lines")
    assert (await ada.call("DELETE", ada.line)).status == 202
    await scene.world.advance(8 * DAY)
    await put_back(scene, row, "phone_lines")
    with alarm():
        said = {"to": THEIRS, "body": "from somebody else's number"}
        assert (await ada.call("POST", f"{ada.line}/messages", said, headers=scene.http.key())).status == 409
