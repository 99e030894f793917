"""Fields that are bound: a row opens only beside the very values it was sealed beside, at the version it had."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar
from uuid import uuid4

import pytest
import sqlalchemy as sa

from adapters.outbound.postgres.codec import Codec, Keys
from adapters.outbound.postgres.decoding import Aggregates, Rows
from adapters.outbound.postgres.sealing import AccountCipher
from adapters.outbound.postgres.tables import SEAL, sealing_field, table_of
from application.inventory import Stored
from application.ports.keyring import AccountKey
from domain.accounts import AccountState
from domain.classification import held
from domain.kernel import AccountId, Aggregate, CarrierRef, SealBroken, SessionId
from domain.values import Capability, Label

AT = datetime(2027, 3, 1, 9, 30, 0, 1, UTC)
BOUND = held(bound=True)


@dataclass(slots=True, kw_only=True)
class Lamp(Aggregate):
    """Has a sealed cell that is always there."""

    stored_as: ClassVar[str] = "lamps"
    clause: ClassVar[str] = "C1"

    account_id: AccountId
    id: SessionId
    note: Label | None = None
    name: Label
    state: Annotated[AccountState, BOUND] = AccountState.ACTIVE
    off_at: Annotated[datetime | None, BOUND] = None
    ref: Annotated[CarrierRef | None, BOUND] = None
    watts: Annotated[int, BOUND] = 9
    room: Annotated[SessionId | None, BOUND] = None
    cleaned_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Switch(Aggregate):
    """Has no sealed cell of its own."""

    stored_as: ClassVar[str] = "switches"
    clause: ClassVar[str] = "C1"

    account_id: AccountId
    id: SessionId
    created_at: datetime
    off_at: Annotated[datetime | None, BOUND] = None


def codec(of: type[Any]) -> Codec[Any]:
    stored = Stored(of)
    return Codec(of, stored, table_of(stored, sa.MetaData()))


LAMPS, SWITCHES = codec(Lamp), codec(Switch)
ACCOUNT = AccountId(uuid4())
CIPHER = AccountCipher("test", ACCOUNT, AccountKey(1, bytes(32)))
KEYS = Keys(CIPHER, bytes(32))


def lamp(**fields: Any) -> Lamp:
    return Lamp(account_id=ACCOUNT, id=SessionId(uuid4()), name=Label("Desk"), **fields)


def row(of: Codec[Any], aggregate: Any, version: int = 1) -> dict[str, Any]:
    """Return an aggregate's row, by column."""
    values: list[Any] = []
    of.encode(aggregate, of.owned, KEYS, version, values)
    columns = (column.name for column in of.written(of.owned))
    return {of.owner: ACCOUNT, **dict(zip(columns, values, strict=True)), "version": version}


def loaded(of: Codec[Any], held: dict[str, Any]) -> Any:
    read = Aggregates(of)
    return read.loader(CIPHER)([held[name] for name in read.names])[0]


def test_the_first_sealed_cell_that_is_always_there_seals_the_row_or_one_of_its_own_does() -> None:
    assert (sealing_field(Stored(Lamp)), sealing_field(Stored(Switch))) == ("name", SEAL)
    assert SEAL not in LAMPS.table.c
    assert not SWITCHES.table.c[SEAL].nullable


@pytest.mark.parametrize("version", [1, 7])
def test_a_row_opens_as_it_was_sealed(version: int) -> None:
    room = SessionId(uuid4())
    for of, aggregate in (
        (LAMPS, lamp()), (LAMPS, lamp(off_at=AT, ref=CarrierRef("PN1"), room=room, note=Label("old"))),
        (SWITCHES, Switch(account_id=ACCOUNT, id=SessionId(uuid4()), created_at=AT, off_at=AT)),
    ):  # fmt: skip
        assert loaded(of, row(of, aggregate, version)) == replace(aggregate, version=version)


def test_rows_of_a_list_open_each_beside_its_own_values_also_after_one_that_was_altered() -> None:
    variants: list[dict[str, Any]] = [
        {}, {"off_at": AT}, {"off_at": AT, "watts": 0}, {"ref": CarrierRef("PN1")}, {"room": SessionId(uuid4())},
        {"state": AccountState.ERASING}, {},
    ]  # fmt: skip
    lamps = [lamp(**fields) for fields in (*variants, *reversed(variants))]
    held = [row(LAMPS, one, version) for version, one in enumerate(lamps, 1)]
    read = Aggregates(LAMPS)
    load = read.loader(CIPHER, lambda *_: None)

    def opened(altered: dict[str, Any]) -> Iterator[bool]:
        for one, of in zip(held, lamps, strict=True):
            good, bad = ([values[name] for name in read.names] for values in (one, one | altered))
            assert load(good)[0] == replace(of, version=one["version"])
            yield load(bad)[0].altered

    for altered in ({"watts": 8}, {"off_at": AT + timedelta(days=1)}, {"ref": "PN2"}, {"room": uuid4()}):
        assert all(opened(altered))


@pytest.mark.parametrize(
    "change",
    [
        {"state": "erasing"}, {"off_at": None}, {"off_at": AT + timedelta(microseconds=1)}, {"ref": None},
        {"ref": "PN2"}, {"watts": 10}, {"room": uuid4()}, {"version": 2}, {"id": uuid4()},
    ],
    ids=range(9),
)  # fmt: skip
def test_a_row_in_which_somebody_altered_what_decides_does_not_open(change: dict[str, Any]) -> None:
    held = row(LAMPS, lamp(off_at=AT, ref=CarrierRef("PN1"), room=SessionId(uuid4())))
    assert loaded(LAMPS, held | {"cleaned_at": AT}).cleaned_at == AT, "what decides nothing is not bound"
    with pytest.raises(SealBroken):
        loaded(LAMPS, held | change)


def test_two_values_cannot_be_moved_into_each_other() -> None:
    held = row(LAMPS, lamp(ref=CarrierRef("PN1"), watts=5))
    for change in ({"ref": "", "watts": 5}, {"ref": None, "room": uuid4()}):
        with pytest.raises(SealBroken):
            loaded(LAMPS, held | change)


def test_a_revoked_row_without_sealed_cells_cannot_be_revived() -> None:
    switch = Switch(account_id=ACCOUNT, id=SessionId(uuid4()), created_at=AT, off_at=AT)
    held = row(SWITCHES, switch)
    other = row(SWITCHES, replace(switch, id=SessionId(uuid4()), off_at=None))
    for change in ({"off_at": None}, {"off_at": None, SEAL: other[SEAL]}):
        with pytest.raises(SealBroken):
            loaded(SWITCHES, held | change)


def test_an_older_row_cannot_be_put_back_under_the_version_of_the_newer_one() -> None:
    one = lamp()
    older = row(LAMPS, one)
    one.off_at = AT
    newer = row(LAMPS, one, version=2)
    with pytest.raises(SealBroken):
        loaded(LAMPS, older | {"version": 2})
    with pytest.raises(SealBroken):
        loaded(LAMPS, newer | {"off_at": None})


def test_any_change_that_raises_the_version_seals_the_row_anew() -> None:
    for of, name in ((LAMPS, "cleaned_at"), (LAMPS, "state"), (SWITCHES, "off_at")):
        places = of.with_seal((of.fields.index(name),))
        assert of.sealing in {column.name for column in of.written(places)}


def test_a_list_that_shows_the_sealing_cell_reads_what_it_is_bound_to() -> None:
    names = Rows(LAMPS, lambda name, watts: (name, watts), ("name", "watts"))
    notes = Rows(LAMPS, lambda note: note, ("note",))
    assert set(notes.names) == {"note", "id"}
    held = row(LAMPS, lamp(note=Label("old")))
    assert names.loader(CIPHER)([held[name] for name in names.names]) == ("Desk", 9)
    with pytest.raises(SealBroken):
        names.loader(CIPHER)([(held | {"state": "erasing"})[name] for name in names.names])


def _bound_field(hint: Any) -> Callable[[], Codec[Any]]:
    @dataclass(slots=True, kw_only=True)
    class Odd(Aggregate):
        stored_as: ClassVar[str] = "odd"
        clause: ClassVar[str] = "C1"
        account_id: AccountId
        id: SessionId
        odd: Any

    Odd.__annotations__["odd"] = hint
    return lambda: codec(Odd)


@pytest.mark.parametrize(
    "hint",
    [
        Annotated[Label, BOUND],
        Annotated[int, held(bound=True, relative=True)],
        Annotated[frozenset[Capability], BOUND],
    ],
    ids=["sealed", "relative", "several"],
)
def test_what_has_no_one_plain_value_cannot_be_bound(hint: Any) -> None:
    with pytest.raises(TypeError):
        _bound_field(hint)()
