"""A contact of which a cell is damaged: the rest of it is used, the damaged value can be given anew, all of it goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from application.inventory import BY_TYPE
from domain.contacts import Contact
from tests.contract.conftest import Postgres
from tests.support.intruder import Scene

NEW = {"name": "Noa Cohen", "numbers": ["+12025550147"], "note": "sings"}


@pytest.fixture
async def scene(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Scene]:
    async with Scene.set(postgres, tmp_path) as made:
        yield made


@pytest.mark.parametrize("column", NEW)
async def test_a_damaged_value_is_null_until_it_is_given_anew(scene: Scene, column: str) -> None:
    ada = await scene.inhabitant()
    (whole,) = (await ada.call("GET", "/v1/contacts")).json["items"]
    path = f"/v1/contacts/{whole['id']}"
    assert await scene.flip(BY_TYPE[Contact], column, ada.id) == 1
    assert (await ada.call("GET", path)).json == whole | {column: None}
    for other in NEW.keys() - {column}:
        assert (await ada.call("PATCH", path, {other: NEW[other]})).json[other] == NEW[other]
    assert (await ada.call("PATCH", path, {column: NEW[column]})).json == whole | NEW
    assert (await ada.call("GET", path)).json == whole | NEW
    again = await ada.call("POST", "/v1/contacts", NEW, headers=scene.http.key())
    assert again.json["id"] == whole["id"], "it is found by its number"
    assert len(await scene.sql("SELECT FROM contact_numbers")) == 1


@pytest.mark.parametrize("column", NEW)
async def test_a_damaged_contact_holds_up_no_other_and_is_deleted_whole(scene: Scene, column: str) -> None:
    ada = await scene.inhabitant()
    (whole,) = (await ada.call("GET", "/v1/contacts")).json["items"]
    assert await scene.flip(BY_TYPE[Contact], column, ada.id) == 1
    other = {"name": whole["name"], "numbers": whole["numbers"]}
    added = await ada.call("POST", "/v1/contacts", other, headers=scene.http.key())
    assert (added.status, added.json["id"] == whole["id"]) == (201, False)
    assert (await ada.call("DELETE", f"/v1/contacts/{whole['id']}")).status == 204
    assert (await ada.call("GET", "/v1/contacts")).json["items"] == [added.json]
    assert len(await scene.sql("SELECT FROM contact_numbers")) == 1


@pytest.mark.parametrize("column", NEW)
async def test_a_conversation_is_called_as_the_first_contact_that_can_be_read(
    scene: Scene, column: str
) -> None:
    ada = await scene.inhabitant()

    async def called() -> object:
        (listed,) = (await ada.call("GET", "/v1/conversations")).json["items"]
        assert (await ada.call("GET", ada.conversation)).json == listed
        return listed["name"]

    (first,) = (await ada.call("GET", "/v1/contacts")).json["items"]
    assert await called() == first["name"]
    assert await scene.flip(BY_TYPE[Contact], column, ada.id) == 1
    assert await called() == (first["name"] if column == "note" else None)
    other = {"name": "Boaz", "numbers": first["numbers"]}
    assert (await ada.call("POST", "/v1/contacts", other, headers=scene.http.key())).status == 201
    assert await called() == (first["name"] if column == "note" else "Boaz")
