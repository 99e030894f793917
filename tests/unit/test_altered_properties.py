"""Laws of rows that somebody altered, for every kind of record: what decides is believed whole, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, get_args, get_origin
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.postgres.codec import CODECS, Codec, Keys
from adapters.outbound.postgres.decoding import Aggregates
from adapters.outbound.postgres.sealing import AccountCipher
from application.inventory import INVENTORY, Stored
from application.ports.keyring import AccountKey
from domain.classification import Field, IndexScope, StorageKind
from domain.kernel import Aggregate, SealBroken

ACCOUNT = UUID("01890000-0000-7000-8000-000000000001")
KEY = AccountKey(1, bytes(range(32)))
KEYS = Keys(AccountCipher("test", ACCOUNT, KEY), bytes(32))
BOUND = [pytest.param(each, id=each.name) for each in INVENTORY if CODECS[each.of].binder.names]
SEALED = [
    pytest.param(each, id=each.name)
    for each in INVENTORY
    if any(column.info["kind"] is StorageKind.SEALED for column in CODECS[each.of].table.c)
]
Row = dict[str, Any]

instants = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def values_of(field: Field) -> st.SearchStrategy[Any]:
    """Return what a field may hold, None included where it may be missing."""
    return _or_missing(field.type) if field.optional else _present(field.type)


@cache
def _or_missing(of: Any) -> st.SearchStrategy[Any]:
    return _present(of) | st.none()


@cache  # a strategy is looked through when it is first drawn from, which takes longer than to draw
def _present(of: Any) -> st.SearchStrategy[Any]:
    of = getattr(of, "__supertype__", of)
    if get_origin(of) is frozenset:
        return st.frozensets(st.sampled_from(list(get_args(of)[0])))
    if issubclass(of, StrEnum):
        return st.sampled_from(list(of))
    plain: dict[type, st.SearchStrategy[Any]] = {
        UUID: st.uuids(), datetime: instants, int: st.integers(0, 2**31 - 1), bytes: st.binary(max_size=40),
    }  # fmt: skip
    text: st.SearchStrategy[Any] = st.text(st.characters(codec="utf-8"), max_size=20).map(of)
    return next((made for base, made in plain.items() if issubclass(of, base)), text)


@st.composite
def records(draw: st.DrawFn, of: Stored) -> Aggregate:
    """Make any record of one kind."""
    codec = CODECS[of.of]
    fields = {field.name: draw(values_of(field)) for field in codec.readable}
    hidden = [
        field for field in of.columns if field.policy.index is IndexScope.ACCOUNT and field.name not in fields
    ]
    fields |= {field.name: draw(_present(field.type)) for field in hidden}
    return of.of(**{**fields, codec.owner: ACCOUNT})


def row_of(codec: Codec[Any], record: Any, version: int) -> Row:
    """Return a record's row, by column."""
    written: list[Any] = []
    codec.encode(record, codec.owned, KEYS, version, written)
    columns = (column.name for column in codec.written(codec.owned))
    return {codec.owner: ACCOUNT, **dict(zip(columns, written, strict=True)), "version": version}


def loaded(codec: Codec[Any], row: Row) -> Any:
    read = Aggregates(codec)
    return read.loader(KEYS.cipher, lambda *_: None)([row[name] for name in read.names])[0]


def values(codec: Codec[Any], record: Any) -> Mapping[str, Any]:
    return {field.name: getattr(record, field.name) for field in codec.readable}


@pytest.mark.parametrize("of", BOUND)
@given(data=st.data(), version=st.integers(1, 2**31 - 1))
def test_no_row_opens_with_another_value_beside_its_seal(
    of: Stored, data: st.DataObject, version: int
) -> None:
    codec = CODECS[of.of]
    record = data.draw(records(of))
    row = row_of(codec, record, version)
    fields = {field.name: values_of(field) for field in codec.readable}
    beside = {**{name: fields[name] for name in codec.binder.names}, "version": st.integers(1, 2**31 - 1)}
    name = data.draw(st.sampled_from(sorted(beside)))
    before = row[name]
    other = data.draw(beside[name].filter(lambda value: value != before))
    altered = loaded(codec, {**row, name: other})
    assert altered.altered
    assert altered.unreadable == {codec.sealing}
    read = Aggregates(codec)
    with pytest.raises(SealBroken):
        read.loader(KEYS.cipher)([{**row, name: other}[column] for column in read.names])
    assert values(codec, loaded(codec, row)) == values(codec, record), "put back, it is all there again"


@pytest.mark.parametrize("of", SEALED)
@given(data=st.data())
def test_a_flipped_bit_takes_its_own_cell_and_no_other(of: Stored, data: st.DataObject) -> None:
    codec = CODECS[of.of]
    record = data.draw(records(of))
    row = row_of(codec, record, 1)
    sealed = [
        column.name
        for column in codec.table.c
        if column.info["kind"] is StorageKind.SEALED and row[column.name] is not None
    ]
    name = data.draw(st.sampled_from(sealed))
    bit = data.draw(st.integers(0, 8 * len(row[name]) - 1))
    flipped = bytearray(row[name])
    flipped[bit // 8] ^= 1 << bit % 8
    damaged = loaded(codec, {**row, name: bytes(flipped)})
    assert damaged.unreadable == {name}
    assert damaged.altered is (name == codec.sealing)
    assert values(codec, damaged) == {**values(codec, record), **({name: None} if name != "seal" else {})}


@pytest.mark.parametrize("of", [each for each in INVENTORY if CODECS[each.of].final is not None], ids=str)
@given(data=st.data())
def test_of_an_earlier_row_of_what_is_over_nothing_opens(of: Stored, data: st.DataObject) -> None:
    codec = CODECS[of.of]
    assert codec.final is not None
    record: Any = data.draw(records(of))
    row = row_of(codec, record, 1)
    key = AccountKey(KEY.version, KEY.material, {record.id.bytes})
    read = Aggregates(codec)
    opened = read.loader(AccountCipher("test", ACCOUNT, key), lambda *_: None)(
        [row[name] for name in read.names]
    )[0]
    if getattr(record, codec.fields[codec.final]) is None:
        assert opened.outdated
        assert opened.altered
        assert all(getattr(opened, name) is None for name in opened.unreadable - {"seal"})
        assert {
            field.name for field in codec.readable if field.policy.kind is StorageKind.SEALED
        } >= opened.unreadable - {"seal"}
    else:
        assert values(codec, opened) == values(codec, record), "that it is over is what it says itself"
