"""What a sealed cell is bound to: one way of writing for each row, and no two rows with the same bytes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.postgres.binding import Binder
from adapters.outbound.postgres.codec import CODECS, Codec
from domain.accounts import AccountState
from domain.classification import Field, StorageKind, StoragePolicy
from domain.kernel import CarrierRef, SessionId


def field(name: str, of: Any, kind: StorageKind) -> Field:
    return Field(name, of, optional=True, policy=StoragePolicy(kind, "C1", bound=True))


FIELDS = (
    field("room", SessionId, StorageKind.ID), field("ref", CarrierRef, StorageKind.REF),
    field("state", AccountState, StorageKind.ENUM), field("at", datetime, StorageKind.TIME),
    field("count", int, StorageKind.COUNT),
)  # fmt: skip
instants = st.datetimes(datetime(1901, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC))
rows = st.tuples(
    st.none() | st.uuids(), st.none() | st.text(max_size=3), st.none() | st.sampled_from(AccountState),
    st.none() | instants, st.none() | st.integers(-(2**63), 2**63 - 1),
)  # fmt: skip
versions = st.integers(1, 2**63)


def written(value: object) -> bytes:
    """Write a value behind its length, as the heads of sealing.py and binding.py have it."""
    match value:
        case None:
            return b"\xff" * 4
        case UUID():
            part = value.bytes
        case datetime():
            since = value - datetime(1970, 1, 1, tzinfo=UTC)
            part = (since // timedelta(microseconds=1)).to_bytes(8, signed=True)
        case int():
            part = value.to_bytes(8, signed=True)
        case _:
            part = str(value).encode()
    return len(part).to_bytes(4) + part


@given(rows, versions)
def test_a_row_is_its_version_and_each_value_behind_its_length(row: tuple[Any, ...], version: int) -> None:
    binder = Binder(FIELDS)
    assert binder.names == ("room", "ref", "state", "at", "count")
    assert binder.data(row, version) == (version.to_bytes(8) + b"".join(map(written, row))).rstrip(b"\xff")


@given(rows, versions, st.integers(0, len(FIELDS)))
def test_a_column_that_is_added_last_leaves_the_seals_there_are(
    row: tuple[Any, ...], version: int, columns: int
) -> None:
    before = row[:columns]
    old, new = Binder(FIELDS[:columns]), Binder(FIELDS)
    assert new.data([*before, *[None] * (len(FIELDS) - columns)], version) == old.data(before, version)


@given(rows, rows, versions, versions)
def test_no_two_rows_have_the_same_bytes(
    one: tuple[Any, ...], other: tuple[Any, ...], version: int, newer: int
) -> None:
    data = Binder(FIELDS).data
    assert (data(one, version) == data(other, newer)) == ((one, version) == (other, newer))


@pytest.mark.parametrize("length", [0, len(FIELDS) - 1, len(FIELDS) + 1])
def test_a_row_has_a_value_for_each_field(length: int) -> None:
    with pytest.raises(ValueError, match="to unpack"):
        Binder(FIELDS).data([None] * length, 1)


def test_what_cannot_be_bound_is_named() -> None:
    with pytest.raises(TypeError, match="note"):
        Binder([field("note", str, StorageKind.SEALED)])


SEALED_BESIDE = {
    "accounts": "created_at state verified_at erase_at",
    "sessions": "created_at ends_at revoked_at",
    "phone_lines": "state ref created_at released_at release_at",
    "port_requests": "line_id state bill ref cancel_asked_at created_at",
    "conversations": "line_id opted_out_at deleted_at",
    "messages": (
        "conversation_id line_id direction status attachments ref attempted_at copy_deleted_at deleted_at send_at"
    ),
    "media": "message_id position state type size",
    "voicemails": (
        "line_id state type size transcript_state created_at ref transcription copy_deleted_at deleted_at"
    ),
    "greetings": "line_id state sound size",
    "opt_outs": "line_id opted_out_at",
    "calls": "line_id direction outcome ref record_deleted_at deleted_at",
    "search_segments": "first through",
    "push_tokens": "session_id platform registered_at",
    "subscriptions": (
        "state seller plan period_ends_at ends_at past_due_since lapsed_at warned_at payer_asked_at look_at looks"
    ),
    "webhook_endpoints": "former_until state failing_since created_at",
    "idempotency_records": "resource_id expires_at",
    "exports": "state requested_at rows_done rows_total rows_unreadable expires_at",
    "export_parts": "export_id position",
}
"""What seals are bound to in databases that run: these columns, in this order."""


@pytest.mark.parametrize(
    "codec", [each for each in CODECS.values() if each.binder.names], ids=lambda c: c.name
)
def test_what_is_bound_later_comes_last_and_is_optional(codec: Codec[Any]) -> None:
    before = SEALED_BESIDE[codec.name].split()
    names, added = codec.binder.names[: len(before)], codec.binder.names[len(before) :]
    assert list(names) == before, "the seals of rows that are there would count as broken"
    optional = {field.name for field in codec.readable if field.optional}
    assert set(added) <= optional, "rows that are there have no value for it"
