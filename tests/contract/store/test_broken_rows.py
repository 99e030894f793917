"""One flipped bit holds nothing up: what is left can be read, deleted, exported and erased, table by table."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from adapters.outbound.postgres.codec import CODECS
from application.export_building import EXPORTED
from application.inventory import BY_TYPE, INVENTORY, Stored
from domain.accounts import Account
from domain.classification import StorageKind
from domain.messages import Conversation
from tests.contract.conftest import Postgres
from tests.support.archives import export_in
from tests.support.http_world import STRANGER
from tests.support.intruder import DAY, MONTH, Inhabitant, Scene

THEIRS, ANOTHER = "+12025550144", "eleven red bicycles in the rain"

SEALED = [
    pytest.param(stored, column.name, id=f"{stored.name}.{column.name}")
    for stored in INVENTORY
    for column in CODECS[stored.of].table.c
    if column.info["kind"] is StorageKind.SEALED
]
"""Every sealed cell there is: a new table joins by being in the inventory."""
each_sealed_column = pytest.mark.parametrize(("stored", "column"), SEALED)

NUMBER, PEER = ("phone_lines", "number"), ("conversations", "peer")
CHANGES: tuple[tuple[str, str, object, set[tuple[str, str]]], ...] = (
    ("PATCH", "/v1/account", {"display_name": "Ada"}, set()),
    ("PATCH", "{line}", {"label": "Home"}, set()),
    ("POST", "{line}/messages", {"to": THEIRS, "body": "to somebody new"}, {NUMBER}),
    ("POST", "{line}/messages", {"to": STRANGER, "body": "to the same"}, {NUMBER, PEER}),
)
"""What can be changed beside a broken cell, and which cells alone it cannot do without."""

SIGNED_OUT = ("push_tokens", "token")
"""What goes with the sessions as soon as an account is deleted."""

ADDRESSES = {"new_email": False, "former_email": True}
"""Where a change of address stands while they are there."""


@pytest.fixture
async def scene(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Scene]:
    async with Scene.set(postgres, tmp_path) as made:
        yield made


async def living(scene: Scene, column: str) -> Inhabitant:
    """Let somebody live there who has a value in this column."""
    ada = await scene.inhabitant()
    if column in ADDRESSES:
        await scene.moves(ada, confirmed=ADDRESSES[column])
    return ada


async def damage(scene: Scene, ada: Inhabitant, stored: Stored, column: str) -> int:
    """Flip a bit in every row but the session that the person goes on with."""
    damaged = await scene.flip(stored, column, ada.id, spare=ada.session_id)
    assert damaged, "the life has none of these"
    return damaged


@each_sealed_column
async def test_a_flipped_bit_holds_up_no_page_no_deletion_and_no_export(
    scene: Scene, stored: Stored, column: str
) -> None:
    ada = await living(scene, column)
    damaged = await damage(scene, ada, stored, column)

    with capture_logs() as logs:
        for path in (
            "/v1/account", "/v1/sessions", "/v1/lines", ada.line, "/v1/conversations", ada.conversation,
            f"{ada.conversation}/messages", ada.message, "/v1/account/deletion-preview", "/v1/contacts",
            "/v1/blocked-numbers", "/v1/calls", "/v1/voicemails",
        ):  # fmt: skip
            assert (await ada.call("GET", path)).status == 200, path

        export = (await ada.call("POST", "/v1/account/exports")).json
        await scene.world.settle()
    built = (await ada.call("GET", f"/v1/account/exports/{export['id']}")).json
    assert (built["state"], built["partial"]) == ("ready", stored in EXPORTED)
    if (stored.name, column) == ("accounts", "password"):
        for method, path in (
            ("POST", f"/v1/account/exports/{export['id']}/download"),
            ("DELETE", "/v1/account"),
        ):
            assert (await ada.call(method, path, ada.confirmed)).code == "password_unreadable"
    else:
        download = await ada.call("POST", f"/v1/account/exports/{export['id']}/download", ada.confirmed)
        whole = export_in(download.body)
        assert whole["partial"] is built["partial"]
        assert [row["table"] for row in whole["unreadable"]] == [stored.name] * (damaged * built["partial"])
        shown = {row["id"] for row in whole["records"].get(stored.name, ())}
        assert {row["id"] for row in whole["unreadable"]} <= shown
    if built["partial"]:
        alarms = [entry for entry in logs if entry["event"] == "seal broken" and "table" in entry]
        assert {(alarm["table"], *alarm["columns"]) for alarm in alarms} == {(stored.name, column)}

    for method, path, body, damaged_by in CHANGES:
        answer = await ada.call(method, path.format(line=ada.line), body, headers=scene.http.key())
        if (stored.name, column) in damaged_by:
            assert (answer.status, answer.code) == (409, "seal_broken"), path
        else:
            assert answer.status in {200, 202}, path
    await scene.world.settle()

    listed = (await ada.call("GET", "/v1/conversations")).json["items"]
    conversations = [(f"/v1/conversations/{each['id']}", 204) for each in listed]
    assert ada.conversation in dict(conversations)
    for path, status in ((ada.message, 204), *conversations, (ada.line, 202)):
        assert (await ada.call("DELETE", path)).status == status
        assert (await ada.call("GET", path)).status == (200 if path == ada.line else 404)
    await scene.world.advance(7 * DAY)
    assert (await ada.call("GET", ada.line)).json["state"] == "released"
    assert not await scene.sql("SELECT FROM messages UNION ALL SELECT FROM conversations")
    assert (scene.world.carrier.numbers, scene.copies()) == ({}, [])
    assert (await ada.call("DELETE", "/v1/sessions?except=current")).status == 204
    assert (await ada.call("DELETE", "/v1/sessions/current")).status == 204


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@each_sealed_column
async def test_a_flipped_bit_holds_up_no_erasure(
    scene: Scene, stored: Stored, column: str, before: bool
) -> None:
    ada = await living(scene, column)
    password = (stored.name, column) == ("accounts", "password")
    if before and not password:
        await damage(scene, ada, stored, column)
    assert (await ada.call("DELETE", "/v1/account", {"password": ada.credentials["password"]})).status == 202
    await scene.world.settle()
    if not before and (stored.name, column) == SIGNED_OUT:
        assert not await scene.flip(stored, column, ada.id), "a device that was signed out can be woken"
    elif not before or password:
        await damage(scene, ada, stored, column)
    await scene.world.advance(MONTH)
    assert sum((await scene.world.store.count_rows(ada.id)).values()) == 0
    assert await scene.world.keyring.count(ada.id) == 0
    assert (scene.world.carrier.numbers, scene.copies()) == ({}, [])
    receipt = await scene.world.ledger.receipt(await scene.world.fingerprint(ada.id))
    assert receipt is not None


async def test_a_stop_in_a_conversation_whose_peer_cannot_be_read_holds_up_no_deletion(scene: Scene) -> None:
    ada = await scene.inhabitant()
    await scene.hear(ada.number, "STOP")
    assert await scene.flip(BY_TYPE[Conversation], "peer", ada.id)
    assert (await ada.call("DELETE", ada.conversation)).status == 204
    assert len(await scene.sql("SELECT FROM opt_outs")) == 1, "nobody could be known again"


async def test_a_sign_up_whose_seal_is_broken_is_gone_after_its_day(scene: Scene) -> None:
    await scene.http.attempt()
    (unverified,) = await scene.sql("SELECT id FROM accounts")
    assert await scene.flip(BY_TYPE[Account], "email", unverified["id"])
    await scene.world.advance(DAY / 2)
    assert await scene.sql("SELECT FROM accounts"), "its day is not over"
    await scene.world.advance(DAY)
    assert sum((await scene.world.store.count_rows(unverified["id"])).values()) == 0
    assert await scene.world.keyring.count(unverified["id"]) == 0


@pytest.mark.parametrize("state", ["active", "unverified"])
async def test_whoever_asked_to_be_erased_is_although_their_row_says_otherwise(
    scene: Scene, state: str
) -> None:
    ada = await scene.inhabitant()
    await ada.call("DELETE", "/v1/account", ada.confirmed)
    await scene.sql("UPDATE accounts SET state = $1::account_state, erase_at = NULL", state)
    await scene.world.advance(MONTH - 2 * DAY)
    assert await scene.world.keyring.count(ada.id) == 1, "erased before its time"
    await scene.world.advance(2 * DAY)
    await scene.world.advance(DAY)
    assert sum((await scene.world.store.count_rows(ada.id)).values()) == 0
    assert await scene.world.ledger.receipt(await scene.world.fingerprint(ada.id)) is not None


async def test_whose_password_is_damaged_chooses_another_by_mail_and_may_go(scene: Scene) -> None:
    ada = await scene.inhabitant()
    await scene.flip(BY_TYPE[Account], "password", ada.id)
    assert (await ada.call("POST", "/v1/password-resets", {"email": ada.credentials["email"]})).status == 202
    await scene.world.settle()
    link = next(mail.link_token for mail in reversed(scene.world.mail.sent) if mail.link_token)
    chosen = {"token": link, "new_password": ANOTHER}
    reset = await ada.call("POST", "/v1/password-resets/confirm", chosen)
    assert reset.status == 201
    assert (await ada.call("POST", "/v1/password-resets/confirm", chosen)).code == "link_used"
    signed_in = replace(ada, token=reset.json["token"])
    assert (await signed_in.call("DELETE", "/v1/account", {"password": ANOTHER})).status == 202
