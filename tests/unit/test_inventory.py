"""The inventory leaves nothing out: every record, every field, each of one kind and under a clause of the policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin
from uuid import UUID

import pytest

from application.inventory import BY_TYPE, INVENTORY, Stored
from bootstrap.policy import parse
from domain.classification import Field, IndexScope, StorageKind, kind_of
from domain.idempotency import Operation
from domain.kernel import Aggregate, CarrierRef
from domain.values import Country, PersonalText

EVERY = [
    pytest.param(stored, column, id=f"{stored.name}.{column.name}")
    for stored in INVENTORY
    for column in stored.columns
]
CLAUSES = {clause.id for clause in parse((Path(__file__).parents[2] / "PRIVACY.md").read_text())}
BOOKKEEPING = {"version", "events", "unreadable", "altered", "outdated"}
CANARY = "canary-7f3a"


def base(hint: Any) -> Any:
    """Return what a `NewType` stands for."""
    return getattr(hint, "__supertype__", hint)


def is_enum(of: Any) -> bool:
    """Tell whether this is a closed set, or a set of members of one."""
    one = get_args(of)[0] if get_origin(of) is frozenset else of
    return issubclass(one, StrEnum | Country)


FITS: dict[StorageKind, Callable[[Any], bool]] = {
    StorageKind.ID: lambda of: base(of) is UUID,
    StorageKind.REF: lambda of: of is CarrierRef,
    StorageKind.TIME: lambda of: of is datetime,
    StorageKind.COUNT: lambda of: of is int,
    StorageKind.ENUM: is_enum,
    StorageKind.SEALED: lambda of: issubclass(base(of), PersonalText | bytes | datetime | UUID | StrEnum),
    StorageKind.INDEX: lambda of: issubclass(of, str),
}


def test_every_kind_of_record_is_listed_once() -> None:
    listed = [stored.of for stored in INVENTORY]
    # By name: tests that import the domain afresh leave twins of these classes behind.
    kinds = {(kind.__module__, kind.__name__) for kind in Aggregate.__subclasses__()}
    assert {(of.__module__, of.__name__) for of in listed} == {
        kind for kind in kinds if kind[0].startswith("domain.")
    }
    assert len(listed) == len(set(listed)) == len({stored.name for stored in INVENTORY})
    assert {of: stored.of for of, stored in BY_TYPE.items()} == {of: of for of in listed}


@pytest.mark.parametrize("stored", INVENTORY, ids=lambda stored: stored.name)
def test_every_field_of_a_record_is_declared(stored: Stored) -> None:
    declared = [column.name for column in stored.columns]
    assert declared == [f.name for f in fields(stored.of) if f.name not in BOOKKEEPING]
    assert {stored.owner, "id"} <= set(declared)


@pytest.mark.parametrize(("stored", "column"), EVERY)
def test_a_field_is_of_the_type_that_its_kind_holds(stored: Stored, column: Field) -> None:
    assert FITS[column.policy.kind](column.type)


@pytest.mark.parametrize(("stored", "column"), EVERY)
def test_a_field_is_allowed_by_a_clause_of_the_policy(stored: Stored, column: Field) -> None:
    assert column.policy.clause in CLAUSES


@pytest.mark.parametrize(("stored", "column"), EVERY)
def test_a_blind_index_is_never_exported_and_only_personal_text_has_one(
    stored: Stored, column: Field
) -> None:
    if column.policy.kind is StorageKind.INDEX:
        assert column.optional, "it cannot be read back"
        assert not column.policy.exported
        assert column.policy.index is not None
    elif column.policy.index is not None:
        assert column.policy.kind is StorageKind.SEALED
        assert issubclass(column.type, PersonalText)


@pytest.mark.parametrize(("stored", "column"), EVERY)
def test_only_counts_and_instants_move_relatively(stored: Stored, column: Field) -> None:
    if column.policy.relative:
        assert column.policy.kind in {StorageKind.COUNT, StorageKind.TIME}
        assert not column.optional


@pytest.mark.parametrize("of", [str, float, dict, list[int], tuple[UUID, ...]])
def test_there_is_no_kind_for_free_text_or_for_structures(of: Any) -> None:
    with pytest.raises(TypeError):
        kind_of(of)


def test_what_links_accounts_is_only_what_must_be_found_without_one() -> None:
    anywhere = {
        f"{s.name}.{c.name}" for s in INVENTORY for c in s.columns if c.policy.index is IndexScope.SYSTEM
    }
    assert anywhere == {
        "accounts.email", "accounts.place", "sessions.token", "phone_lines.number", "push_tokens.token",
        "subscriptions.payer", "subscriptions.buyer",
    }  # fmt: skip


def test_an_export_withholds_only_what_is_listed_here() -> None:
    withheld = {
        f"{s.name}.{c.name}"
        for s in INVENTORY
        for c in s.columns
        if not c.policy.exported and c.name != "account_id"
    }
    assert withheld == {
        "accounts.place", "accounts.password", "sessions.token", "sessions.fingerprint",
        "calls.deleted_at", "calls.record_deleted_at", "calls.ref", "calls.reserved",
        "conversations.deleted_at", "greetings.ref", "messages.ref",
        "messages.attempted_at",
        "messages.copy_deleted_at", "messages.deleted_at", "opt_outs.peer", "contact_numbers.number",
        "contact_numbers.place", "search_segments.id", "search_segments.first",
        "search_segments.through", "search_segments.content",
        "voicemails.ref", "voicemails.transcription",
        "voicemails.copy_deleted_at", "voicemails.deleted_at", "idempotency_records.key",
        "idempotency_records.request", "export_parts.id",
        "export_parts.export_id", "export_parts.position", "export_parts.content", "audit_entries.salt",
        "port_requests.bill",
        "live_streams.id", "live_streams.last", "live_events.id", "live_events.kind", "live_events.subject",
        "live_events.at", "webhook_endpoints.secret", "webhook_endpoints.former_secret",
        "subscriptions.payer_asked_at", "subscriptions.look_at", "subscriptions.looks",
    }  # fmt: skip


@pytest.mark.parametrize("stored", INVENTORY, ids=lambda stored: stored.name)
def test_what_is_exported_can_be_paged_by_id(stored: Stored) -> None:
    assert not stored.exported or "id" in stored.exported


@pytest.mark.parametrize("stored", INVENTORY, ids=lambda stored: stored.name)
def test_the_repr_of_a_record_shows_nothing_that_is_sealed_or_fingerprinted(stored: Stored) -> None:
    given: dict[str, Any] = {}
    for column in stored.columns:
        of = base(column.type)
        if column.policy.kind in {StorageKind.SEALED, StorageKind.INDEX}:
            text = isinstance(of, type) and issubclass(of, str) and not issubclass(of, StrEnum)
            given[column.name] = CANARY.encode() if of is bytes else of(CANARY) if text else CANARY
        else:
            plain = {
                StorageKind.ID: UUID(int=1),
                StorageKind.TIME: datetime(2026, 1, 1, tzinfo=UTC),
                StorageKind.COUNT: 1,
            }
            given[column.name] = plain.get(column.policy.kind, "plain")
    record = stored.of(**given)
    assert CANARY not in repr(record)
    assert CANARY not in f"{record}"


def test_the_repr_of_an_operation_shows_nothing_of_the_request() -> None:
    assert CANARY not in repr(Operation.requested("send", CANARY, CANARY))
