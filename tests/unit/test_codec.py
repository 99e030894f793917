"""Every kind of record as it lies in its table: what is sealed opens there and nowhere else, and comes back as it was.

Each test makes the codec anew, by the inventory: what is worked out when it is made is what is held here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, get_args, get_origin
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.postgres.codec import Codec, Keys, canonical, codec
from adapters.outbound.postgres.decoding import VERSION, Aggregates, Rows
from adapters.outbound.postgres.sealed_forms import text_form
from adapters.outbound.postgres.sealing import AccountCipher, blind_index
from adapters.outbound.postgres.tables import (
    SEAL,
    SEALED_UNDER,
    TABLES,
    index_column,
    sealing_field,
    table_of,
)
from application.inventory import INVENTORY, Stored
from application.ports.keyring import AccountKey
from domain.classification import Field, IndexScope, StorageKind
from domain.classification import held as declared
from domain.kernel import AccountId, Aggregate, SealBroken, SessionId
from domain.values import Country, Email, Label

ACCOUNT, ROW = AccountId(UUID(int=1)), UUID(int=2)
SYSTEM = b"s" * 32
CIPHER = AccountCipher("test", ACCOUNT, AccountKey(1, b"k" * 32))
KEYS = Keys(CIPHER, SYSTEM)


@dataclass(slots=True, kw_only=True)
class Switch(Aggregate):
    """Has no sealed cell of its own: a cell that holds nothing seals what is bound."""

    stored_as: ClassVar[str] = "switches"
    clause: ClassVar[str] = "C1"

    account_id: AccountId
    id: SessionId
    created_at: datetime
    off_at: Annotated[datetime | None, declared(bound=True)] = None


@dataclass(slots=True, kw_only=True)
class Lamp(Aggregate):
    """Has a sealed cell that is found by its blind index, and may be missing."""

    stored_as: ClassVar[str] = "lamps"
    clause: ClassVar[str] = "C1"

    account_id: AccountId
    id: SessionId
    note: Annotated[Label | None, declared(index=IndexScope.ACCOUNT)] = None


KINDS = (*INVENTORY, Stored(Switch), Stored(Lamp))
every = pytest.mark.parametrize("stored", KINDS, ids=lambda stored: stored.name)


def table(stored: Stored) -> sa.Table:
    known: sa.Table | None = TABLES.tables.get(stored.name)
    return table_of(stored, sa.MetaData()) if known is None else known


def made(stored: Stored) -> Codec[Any]:
    return Codec(stored.of, stored, table(stored))


def value_of(field: Field, owner: str, seed: int) -> Any:
    """Return a value for a field; two seeds give two values, of a closed set too."""
    of = getattr(field.type, "__supertype__", field.type)
    value: Any
    if get_origin(of) is frozenset:
        value = frozenset(list(get_args(of)[0])[seed % 2 :])
    elif of is UUID:
        value = {owner: ACCOUNT, "id": ROW}.get(field.name, UUID(int=10 + seed))
    elif of is datetime:
        value = datetime(2026, 1, 1 + seed, tzinfo=UTC)
    elif issubclass(of, StrEnum):
        value = list(of)[seed % len(of)]
    elif of is Country:
        value = Country(("US", "CA")[seed % 2])
    elif issubclass(of, int):
        value = of(7 + seed)
    else:
        value = of(f"{field.name} {seed}".encode()) if of is bytes else of(f"{field.name} {seed}")
    return value


def aggregate_of(stored: Stored, seed: int = 0) -> Any:
    fields = {field.name: value_of(field, stored.owner, seed) for field in stored.columns}
    if stored.owner == "id":
        fields["id"] = ACCOUNT
    return stored.of(**fields)


def row(of: Codec[Any], aggregate: Any, version: int = 1) -> dict[str, Any]:
    """Return an aggregate's row, by column."""
    values: list[Any] = []
    of.encode(aggregate, of.owned, KEYS, version, values)
    columns = [column.name for column in of.written(of.owned)]
    return {of.owner: ACCOUNT, **dict(zip(columns, values, strict=True)), VERSION: version}


def shown(names: tuple[str, ...], held: dict[str, Any]) -> list[Any]:
    return [held[name] for name in names]


def sent(at: datetime) -> bytes:
    """Return an instant as PostgreSQL's `timestamptz_send` does: microseconds since 2000, eight bytes."""
    return ((at - datetime(2000, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)).to_bytes(8, signed=True)


def listed(names: tuple[str, ...], held: dict[str, Any], asked: str) -> list[Any]:
    """Return a row of a list of `asked`: an instant that it is only bound to comes as `timestamptz_send` gives it."""
    return [
        sent(held[name]) if name != asked and isinstance(held[name], datetime) else held[name]
        for name in names
    ]


def sealed(stored: Stored) -> list[str]:
    return [field.name for field in stored.columns if field.policy.kind is StorageKind.SEALED]


@every
def test_a_row_has_every_column_of_its_table_and_comes_back_as_it_was(stored: Stored) -> None:
    of, aggregate = made(stored), aggregate_of(stored)
    held = row(of, aggregate, 3)
    assert held.keys() == {column.name for column in table(stored).columns} - {SEALED_UNDER.name}
    read = Aggregates(of)
    loaded, values = read.loader(CIPHER)(shown(read.names, held))
    readable = [field.name for field in stored.columns if field.policy.kind is not StorageKind.INDEX]
    assert {name: getattr(loaded, name) for name in readable} == {
        name: getattr(aggregate, name) for name in readable
    }
    assert (type(loaded), loaded.version, loaded.unreadable, loaded.altered) == (
        stored.of, 3, frozenset(), False
    )  # fmt: skip
    assert of.changed(loaded, values) == (), "it was loaded, and nothing happened to it"


@every
def test_a_cell_is_what_its_field_is_declared_to_be(stored: Stored) -> None:
    of, aggregate = made(stored), aggregate_of(stored)
    held = row(of, aggregate, 3)
    bound = of.binder.data([getattr(aggregate, name) for name in of.binder.names], 3)
    for field in stored.columns:
        value, name = getattr(aggregate, field.name), field.name
        if (index := index_column(field)) is not None:
            assert held[index] == CIPHER.blind_index(f"{stored.name}.{name}", canonical(value))
        if field.policy.kind is StorageKind.SEALED:
            plain = value if isinstance(value, bytes) else text_form(value).encode()
            beside = bound if name == of.sealing else b""
            row_id = aggregate.id.bytes
            assert CIPHER.column(stored.name, name).open(row_id, held[name], beside) == plain
        elif field.policy.kind is not StorageKind.INDEX:
            assert held[name] == (sorted(value) if isinstance(value, frozenset) else value)
    if of.sealing == SEAL:
        assert CIPHER.column(stored.name, SEAL).open(aggregate.id.bytes, held[SEAL], bound) == b""


@every
def test_what_is_missing_is_missing_in_its_row_too(stored: Stored) -> None:
    of = made(stored)
    optional = [f for f in stored.columns if f.optional and f.policy.kind is not StorageKind.INDEX]
    aggregate = aggregate_of(stored)
    for field in optional:
        setattr(aggregate, field.name, None)
    held = row(of, aggregate)
    for field in optional:
        assert held[field.name] is None
        if field.policy.kind is StorageKind.SEALED and (index := index_column(field)) is not None:
            assert held[index] is None
    read = Aggregates(of)
    loaded, _ = read.loader(CIPHER)(shown(read.names, held))
    assert all(getattr(loaded, field.name) is None for field in optional)


@every
def test_a_codec_says_of_its_fields_what_was_declared(stored: Stored) -> None:
    of = made(stored)
    declared = {field.name: field.policy for field in stored.columns}
    assert (of.of, of.name, of.owner) == (stored.of, stored.name, stored.owner)
    assert of.sealing == sealing_field(stored)
    assert {of.fields[at]: kind for at, kind in of.relative.items()} == {
        name: policy.kind for name, policy in declared.items() if policy.relative
    }
    assert {(of.fields[key.at], key.kind) for key in of.directory_keys} == {
        (name, f"{stored.name}.{name}")
        for name, policy in declared.items()
        if policy.index is IndexScope.SYSTEM
    }
    assert set(of.binder.names) == {name for name, policy in declared.items() if policy.bound}
    hidden = [policy.kind is StorageKind.INDEX for policy in map(declared.get, of.fields) if policy]
    assert hidden == sorted(hidden), "what can be read back comes first"


@every
def test_the_directory_is_told_field_by_field_what_leads_to_an_aggregate(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def is_listed_by(_self: object, field: str) -> bool:
        asked.append(field)
        return len(asked) % 2 == 0

    monkeypatch.setattr(stored.of, "is_listed_by", is_listed_by)
    of = made(stored)
    keys = [field.name for field in stored.columns if field.policy.index is IndexScope.SYSTEM]
    assert of.listed(aggregate_of(stored)) == tuple([False, True, False, True][: len(keys)])
    assert sorted(asked) == sorted(keys)


@every
def test_a_change_is_seen_where_it_was_made_and_seals_the_row_anew(stored: Stored) -> None:
    of = made(stored)
    with pytest.raises(ValueError, match="zip"):
        of.changed(aggregate_of(stored), of.values(aggregate_of(stored))[:-1])
    for at, name in enumerate(of.fields):
        (field,) = (field for field in stored.columns if field.name == name)
        aggregate, before = aggregate_of(stored), of.values(aggregate_of(stored))
        assert of.changed(aggregate, before) == ()
        if name not in {stored.owner, "id"}:
            setattr(aggregate, name, value_of(field, stored.owner, 1))
            assert of.changed(aggregate, before) == (at,)
            places = of.with_seal((at,))
            assert places == tuple(sorted(places))
            sealing = [(*of.fields, SEAL).index(of.sealing)] if of.sealing else []
            assert set(places) == {at, *sealing}


@every
def test_a_broken_cell_is_named_and_is_missing_and_the_sealing_one_makes_the_row_altered(
    stored: Stored,
) -> None:
    of = made(stored)
    held = row(of, aggregate_of(stored))
    read = Aggregates(of)
    for name in sealed(stored) + ([SEAL] if of.sealing == SEAL else []):
        cell = held[name][:-1] + bytes([held[name][-1] ^ 1])
        damaged = shown(read.names, held | {name: cell})
        with pytest.raises(SealBroken):
            read.loader(CIPHER)(damaged)
        told: list[Any] = []
        loaded, _ = read.loader(CIPHER, lambda *what, told=told: told.append(what))(damaged)
        assert told == [(stored.name, loaded.id, frozenset({name}))]
        assert (loaded.unreadable, loaded.altered) == (frozenset({name}), name == of.sealing)
        assert getattr(loaded, name, None) is None
        values, missing = read.plain(CIPHER, lambda *_: None)(damaged)
        assert (values.get(name), missing) == (None, frozenset({name}))


@every
def test_what_was_altered_is_not_sealed_as_if_it_were_good(stored: Stored) -> None:
    of, aggregate = made(stored), aggregate_of(stored)
    if of.sealing is None:
        return
    aggregate.altered = True
    held, read = row(of, aggregate), Aggregates(of)
    loaded, _ = read.loader(CIPHER, lambda *_: None)(shown(read.names, held))
    assert loaded.altered
    assert loaded.unreadable == {of.sealing}


@every
def test_plain_values_are_text_numbers_instants_and_sorted_lists(stored: Stored) -> None:
    of, aggregate = made(stored), aggregate_of(stored)
    read = Aggregates(of)
    values, missing = read.plain(CIPHER)(shown(read.names, row(of, aggregate)))
    assert missing == frozenset()
    for name, value in values.items():
        expected = getattr(aggregate, name)
        if isinstance(expected, frozenset):
            expected = sorted(map(str, expected))
        assert value == expected
        assert type(value) in {str, bytes, int, datetime, UUID, list, bool}


@every
def test_a_list_reads_what_it_shows_and_what_that_is_bound_to(stored: Stored) -> None:
    of, aggregate = made(stored), aggregate_of(stored)
    held = row(of, aggregate)
    for field in of.readable:
        one = Rows(of, lambda value: value, (field.name,))
        assert one.loader(CIPHER)(listed(one.names, held, field.name)) == getattr(aggregate, field.name)
        needed = {field.name}
        if field.policy.kind is StorageKind.SEALED:
            needed |= {"id"}
        if field.name == of.sealing:
            needed |= {*of.binder.names, VERSION}
        assert set(one.names) == needed
        assert len(one.columns) == len(one.names)


@given(st.text(), st.text())
def test_the_blind_index_of_a_value_is_that_of_its_canonical_form(purpose: str, value: str) -> None:
    assert KEYS.system_index(purpose, value) == blind_index(SYSTEM, purpose, value.encode())
    assert KEYS.account_index(purpose, value) == CIPHER.blind_index(purpose, value.encode())
    assert KEYS.system_index(purpose, value) != KEYS.account_index(purpose, value)


def test_addresses_that_are_one_mailbox_have_one_blind_index() -> None:
    one, other = Email("Ada@Example.org"), Email("ada@example.org")
    assert KEYS.system_index("accounts.email", one) == KEYS.system_index("accounts.email", other)
    assert KEYS.account_index("x.email", one) == CIPHER.blind_index("x.email", b"ada@example.org")


@pytest.mark.parametrize("stored", INVENTORY, ids=lambda stored: stored.name)
def test_each_type_has_its_codec(stored: Stored) -> None:
    assert codec(stored.of).of is stored.of
