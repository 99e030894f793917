"""Somebody who can write to the database, but holds no key, alters a column that decides: it is noticed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.outbound.postgres.codec import CODECS
from adapters.outbound.postgres.tables import TENANT_TABLES
from application.inventory import INVENTORY, Stored
from domain.classification import Field, StorageKind
from tests.contract.conftest import Postgres
from tests.support.intruder import Scene, alarm

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
