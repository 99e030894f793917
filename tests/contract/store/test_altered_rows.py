"""Somebody who can write to the database, but holds no key, alters what decides: it is refused, noticed, and undone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from adapters.outbound.postgres.codec import CODECS
from adapters.outbound.postgres.tables import TENANT_TABLES
from application.inventory import BY_TYPE, INVENTORY, Stored
from application.ports.jobs import ERASURE_JOB
from application.sign_up import AnswerSignUp
from domain.accounts import Account
from domain.classification import Field, StorageKind
from domain.kernel import SealBroken
from tests.contract.conftest import Postgres
from tests.support.http_world import STRANGER
from tests.support.intruder import DAY, MONTH, Scene

THEIRS = "+12025550144"

BOUND = [
    pytest.param(stored, column, id=f"{stored.name}.{column.name}")
    for stored in INVENTORY
    for column in stored.columns
    if column.policy.bound
]


@pytest.fixture
async def scene(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Scene]:
    async with Scene.set(postgres, tmp_path) as made:
        yield made


@contextmanager
def alarm() -> Iterator[None]:
    """Expect that somebody is told of a broken seal."""
    with capture_logs() as logs:
        yield
    assert "seal broken" in [entry["event"] for entry in logs], "nobody was told"


def another(field: Field, value: Any) -> Any:
    """Return another value that the column takes."""
    match field.policy.kind:
        case StorageKind.ID:
            return uuid4()
        case StorageKind.TIME:
            return None if value is not None and field.optional else "2020-01-01T00:00:00Z"
        case StorageKind.ENUM:
            return next(member.value for member in field.type if member.value != value)
        case StorageKind.COUNT:
            return value + 1
        case _:
            return "PN0"


@pytest.mark.parametrize(("stored", "field"), BOUND)
async def test_whatever_decides_is_bound_to_the_rows_seal(scene: Scene, stored: Stored, field: Field) -> None:
    ada = await scene.inhabitant()
    row = (await scene.sql(f"SELECT * FROM {stored.name} WHERE {stored.owner} = $1 LIMIT 1", ada.id))[0]  # noqa: S608
    given = another(field, row[field.name])
    await scene.sql(
        f"UPDATE {stored.name} SET {field.name} = {'NULL' if given is None else repr(str(given))} WHERE id = $1",  # noqa: S608
        row["id"],
    )
    with alarm():
        async with scene.world.store.begin(ada.id) as tx:
            (altered,) = [one for one in await tx.records.page(stored, None, 100) if "unreadable" in one]
    assert altered["id"] == row["id"]
    assert CODECS[stored.of].sealing in altered["unreadable"]


SHOWN = "it is shown, and decides nothing"
ASKED = "it decides whether the person is asked again, and closes nothing"
HINT = "an app that is told reads what it is about, and is shown what that says of itself"
UNBOUND: dict[str, str] = {
    "accounts.terms_accepted_at": SHOWN,
    "accounts.privacy_accepted_at": SHOWN,
    "accounts.terms_version": ASKED,
    "accounts.privacy_version": ASKED,
    "accounts.sealed_under": "what is sealed says itself under which key, and opens under no other",
    "accounts.unreachable": "it decides whether mails are held back that nobody waits for",
    "accounts.unreachable_since": SHOWN,
    "phone_lines.country": "it narrows who can be written to; the carrier decides",
    "phone_lines.capabilities": "the carrier refuses what a number cannot do, and is asked again",
    "phone_lines.forward_when": "it rings the person's own telephone, and nobody is put through without its key",
    "port_requests.rejection": SHOWN,
    "port_requests.port_at": SHOWN,
    "port_requests.ended_at": SHOWN,
    "calls.peer_index": "the call that is found by it shows whom it was with",
    "calls.started_at": "how long the carrier is asked about it",
    "calls.duration": SHOWN,
    "calls.ended_at": "when the carrier's record is deleted; it is asked whether the call is over",
    "calls.reserved": "what is given back is never more than was taken",
    "conversations.last_at": "it moves with every message, and orders a list",
    "conversations.unread": SHOWN,
    "conversations.total": SHOWN,
    "conversations.created_at": SHOWN,
    "conversations.peer_index": "the peer that is found by it is compared with the one looked for",
    "live_streams.last": "a client that went on behind another place is told that it missed something",
    "live_events.kind": HINT,
    "live_events.subject": HINT,
    "live_events.at": HINT,
    "webhook_endpoints.kinds": "an address of the account's own is told of more, or of less, by ids only",
    "webhook_deliveries.endpoint_id": "another endpoint of the same account is told, or none; its row says where",
    "webhook_deliveries.kind": HINT,
    "webhook_deliveries.subject": HINT,
    "webhook_deliveries.at": HINT,
    "webhook_deliveries.state": "it is told again, or not at all; the account's own row decides whether it may be",
    "webhook_deliveries.attempts": SHOWN,
    "webhook_deliveries.answer": SHOWN,
    "webhook_deliveries.tried_at": SHOWN,
    "messages.created_at": "how long the carrier is asked about it",
    "messages.failure": SHOWN,
    "messages.sending_at": SHOWN,
    "messages.sent_at": SHOWN,
    "messages.unconfirmed_at": SHOWN,
    "messages.delivered_at": SHOWN,
    "messages.failed_at": SHOWN,
    "media.created_at": "how long another answer than the picture is asked again",
    "media.refusal": SHOWN,
    "greetings.created_at": "how long another answer than the recording is asked again",
    "voicemails.duration": SHOWN,
    "voicemails.refusal": SHOWN,
    "voicemails.absence": SHOWN,
    "voicemails.heard_at": SHOWN,
    "opt_outs.peer": "another one is as good as a row that was deleted",
    "blocked_numbers.number_index": "only a number blocked before has one, and its row can be put back whole",
    "blocked_numbers.blocked_at": SHOWN,
    "contacts.created_at": SHOWN,
    "contact_numbers.contact_id": "the contact that is found by it says itself which numbers it has",
    "contact_numbers.number": "the contact that is found by it says itself which numbers it has",
    "contact_numbers.place": "the contact that is found by it says itself which numbers it has",
    "idempotency_records.key": "another one is as good as a row that was deleted",
    "idempotency_records.request": "a repetition is told from another request, and nothing else",
}
"""Plain columns of people's rows that nothing is sealed beside, and why that does no harm."""
SEALED_WHOLE = {"erasures", "erasure_counts", "residue"}
"""Their keyed seal covers every column: see the proofs of what nobody can have erased."""
CONFIRMED = {"jobs": "a job only asks; the account's own row and the erasure ledger decide"}


def test_every_plain_column_is_bound_or_says_why_not() -> None:
    told = dict(UNBOUND)
    for table in TENANT_TABLES:
        of = next((stored.of for stored in INVENTORY if stored.name == table), None)
        if of is None:
            assert table in SEALED_WHOLE | CONFIRMED.keys()
            continue
        codec = CODECS[of]
        beside = {"id", codec.owner, "version", *codec.binder.names}
        for column in codec.table.c:
            if column.info["kind"] is not StorageKind.SEALED and column.name not in beside:
                assert told.pop(f"{table}.{column.name}", None), f"{table}.{column.name} is not bound"
    assert told == {}, "bound by now, or gone"


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


FORGED_JOB = (
    "INSERT INTO jobs (account_id, id, name, subject, due_at) VALUES ($1, gen_random_uuid(), $2, $1, now())"
)
FORGED_CHECKPOINT = "INSERT INTO erasures (account_id, began_at, done, seal) VALUES ($1, now(), $2, $3)"


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


async def put_back(scene: Scene, row: Any, table: str = "accounts") -> None:
    """Have a row be again what it was, its version and its seals included."""
    if "id" in row.keys():  # noqa: SIM118 - a record is no mapping
        await scene.sql(f"DELETE FROM {table} WHERE id = $1", row["id"])  # noqa: S608
    values = ", ".join(f"${at + 1}" for at in range(len(row)))
    await scene.sql(f"INSERT INTO {table} ({', '.join(row.keys())}) VALUES ({values})", *row.values())  # noqa: S608


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
