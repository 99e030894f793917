"""Somebody who can write to the database, but holds no key, alters rows to get at another's: in vain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.conftest import Postgres
from tests.support.http_world import STRANGER
from tests.support.intruder import DAY, MONTH, Scene, alarm

THEIRS = "+12025550144"


@pytest.fixture
async def scene(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Scene]:
    async with Scene.set(postgres, tmp_path) as made:
        yield made


async def test_nobody_takes_an_account_over_by_its_state(scene: Scene) -> None:
    ada = await scene.inhabitant()
    await ada.call("DELETE", "/v1/account", {"password": ada.credentials["password"]})
    await scene.sql("UPDATE accounts SET state = 'active', erase_at = NULL WHERE id = $1", ada.id)
    await scene.sql("UPDATE phone_lines SET state = 'active'")
    with alarm():
        assert (await ada.sign_in()).code == "seal_broken"
    with alarm():
        assert (
            await scene.http.call("POST", "/v1/account-recoveries", ada.credentials)
        ).code == "seal_broken"
    assert (await ada.call("GET", "/v1/account")).status == 401
    await scene.sql("UPDATE accounts SET state = 'pending_deletion', erase_at = now() WHERE id = $1", ada.id)
    with alarm():
        assert (
            await scene.http.call("POST", "/v1/account-recoveries", ada.credentials)
        ).code == "seal_broken"


async def test_nobody_takes_an_address_over_by_verifying_it_in_the_database(scene: Scene) -> None:
    mallory = {"email": "ada@example.org", "password": "wicked horse battery staple"}
    new = {**mallory, "display_name": "M", "locale": "en", "accepted": {"terms": True, "privacy": True}}
    assert (await scene.http.call("POST", "/v1/accounts", new)).status == 202
    await scene.world.settle()
    await scene.sql("UPDATE accounts SET state = 'active', verified_at = created_at")
    await scene.sql("UPDATE directory SET kind = 'accounts.email' WHERE kind = 'accounts.place'")
    ada = await scene.inhabitant()
    (key,) = await scene.sql(
        "SELECT key FROM directory WHERE account_id = $1 AND kind = 'accounts.email'", ada.id
    )
    await scene.sql("DELETE FROM directory WHERE kind = 'accounts.email' AND account_id = $1", ada.id)
    await scene.sql("UPDATE directory SET key = $1 WHERE kind = 'accounts.email'", key[0])
    with alarm():
        assert (await scene.http.call("POST", "/v1/sessions", mallory)).code == "seal_broken"


async def test_nobody_signs_in_where_a_re_pointed_address_leads(scene: Scene) -> None:
    ada, mallory = await scene.inhabitant(), await scene.inhabitant("mallory", THEIRS)
    await scene.sql("DELETE FROM directory WHERE kind = 'accounts.email' AND account_id = $1", mallory.id)
    await scene.sql(
        "UPDATE directory SET account_id = $2, subject_id = $2 WHERE kind = 'accounts.email' AND account_id = $1",
        ada.id, mallory.id,
    )  # fmt: skip
    with alarm():
        assert (await ada.sign_in()).code == "seal_broken"  # the two have one password


async def test_nobody_gets_messages_for_a_number_that_was_re_pointed(scene: Scene) -> None:
    ada, mallory = await scene.inhabitant(), await scene.inhabitant("mallory", THEIRS)
    line = mallory.line.rpartition("/")[2]
    await scene.sql("DELETE FROM directory WHERE kind = 'phone_lines.number' AND account_id = $1", mallory.id)
    await scene.sql(
        "UPDATE directory SET account_id = $2, subject_id = $3 WHERE kind = 'phone_lines.number' AND account_id = $1",
        ada.id, mallory.id, line,
    )  # fmt: skip
    with pytest.raises(Exception, match="sealed value"):
        await scene.hear(ada.number, "for ada only")
    assert "for ada only" in [copy.body for copy in scene.copies()], (
        "the carrier was told that it is safe with us"
    )
    assert "for ada only" not in str((await mallory.call("GET", "/v1/conversations")).json)


@pytest.mark.parametrize("way", ["line", "account"])
async def test_nobody_has_anothers_number_released(scene: Scene, way: str) -> None:
    ada, mallory = await scene.inhabitant(), await scene.inhabitant("mallory", THEIRS)
    await scene.sql(
        "UPDATE phone_lines SET ref = (SELECT ref FROM phone_lines WHERE account_id = $1) WHERE account_id = $2",
        ada.id, mallory.id,
    )  # fmt: skip
    await scene.sql("UPDATE messages SET ref = NULL WHERE account_id = $1", mallory.id)
    await scene.sql("UPDATE messages m SET ref = a.ref, direction = a.direction FROM messages a WHERE a.account_id = $1"
        " AND m.account_id = $2 AND a.direction = m.direction", ada.id, mallory.id)  # fmt: skip
    before = {copy.ref for copy in scene.copies() if ada.number in {copy.sender, copy.to}}
    with alarm():
        if way == "line":
            assert (await mallory.call("DELETE", mallory.message)).status == 204
            assert (await mallory.call("DELETE", mallory.line)).status == 202
            await scene.world.settle()
            # in a week they go by themselves
            assert {copy.ref for copy in scene.copies()} >= before
            await scene.world.advance(7 * DAY)
        else:
            await mallory.call("DELETE", "/v1/account", {"password": mallory.credentials["password"]})
            await scene.world.advance(MONTH)
    assert {owned.number for owned in scene.world.carrier.numbers.values()} == {ada.number}
    (line,) = await scene.sql("SELECT state FROM phone_lines WHERE account_id = $1", ada.id)
    assert line["state"] == "active"


async def test_nobody_has_a_message_sent_to_another_peer(scene: Scene) -> None:
    ada = await scene.inhabitant()
    other = {"to": THEIRS, "body": "hello"}
    path = f"{ada.line}/messages"
    assert (await ada.call("POST", path, other, headers=scene.http.key())).status == 202
    one, two = await scene.sql("SELECT id, peer_index FROM conversations ORDER BY id")
    await scene.sql("UPDATE conversations SET peer_index = decode(md5('x'), 'hex') WHERE id = $1", one["id"])
    await scene.sql("UPDATE conversations SET peer_index = $1 WHERE id = $2", one["peer_index"], two["id"])
    with alarm():
        secret = {"to": STRANGER, "body": "secret"}
        assert (await ada.call("POST", path, secret, headers=scene.http.key())).code == "seal_broken"


@pytest.mark.parametrize("directory", [False, True], ids=["row", "row and directory"])
async def test_nobody_reads_anothers_messages_through_their_own_session(
    scene: Scene, directory: bool
) -> None:
    ada, mallory = await scene.inhabitant(), await scene.inhabitant("mallory", THEIRS)
    await scene.sql("UPDATE sessions SET account_id = $1 WHERE id = $2", ada.id, mallory.session_id)
    if directory:
        await scene.sql(
            "UPDATE directory SET account_id = $1 WHERE subject_id = $2 AND kind = 'sessions.token'",
            ada.id, mallory.session_id,
        )  # fmt: skip
        scene.forget()
        with alarm():
            assert (await mallory.call("GET", "/v1/conversations")).status == 401
    assert (await mallory.call("GET", "/v1/conversations")).status == 401
    assert (await ada.call("GET", "/v1/conversations")).status == 200


async def test_no_token_leads_to_a_session_that_it_did_not_open(scene: Scene) -> None:
    ada, mallory = await scene.inhabitant(), await scene.inhabitant("mallory", THEIRS)
    await scene.sql("DELETE FROM directory WHERE subject_id = $1", ada.session_id)
    await scene.sql(
        "UPDATE directory SET account_id = $1, subject_id = $2 WHERE subject_id = $3",
        ada.id, ada.session_id, mallory.session_id,
    )  # fmt: skip
    scene.forget()
    with alarm():
        assert (await mallory.call("GET", "/v1/conversations")).status == 401


@pytest.mark.parametrize("remembered", [False, True], ids=["forgotten", "remembered"])
async def test_nobody_revives_a_revoked_session(scene: Scene, remembered: bool) -> None:
    ada = await scene.inhabitant()
    (listed,) = await scene.sql("SELECT * FROM directory WHERE subject_id = $1", ada.session_id)
    assert (await ada.call("DELETE", "/v1/sessions/current")).status == 204
    assert (await ada.call("GET", "/v1/account")).status == 401
    await scene.sql("INSERT INTO directory VALUES ($1, $2, $3, $4)", *listed)
    if not remembered:
        scene.forget()
    await scene.sql("UPDATE sessions SET revoked_at = NULL WHERE id = $1", ada.session_id)
    with alarm():
        assert (await ada.call("GET", "/v1/account")).status == 401
    await scene.sql("UPDATE sessions SET version = version - 1 WHERE id = $1", ada.session_id)
    with alarm():
        assert (await ada.call("GET", "/v1/account")).status == 401


async def test_nobody_has_a_session_last_longer(scene: Scene) -> None:
    ada = await scene.inhabitant()
    await scene.sql("UPDATE sessions SET ends_at = ends_at + interval '1 year'")
    with alarm():
        assert (await ada.call("GET", "/v1/account")).status == 401
    await scene.sql("UPDATE sessions SET ends_at = ends_at - interval '1 year'")
    assert (await ada.call("GET", "/v1/account")).status == 200, "nothing is lost"
