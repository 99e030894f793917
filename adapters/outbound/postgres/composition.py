"""The text of a flush: one clause a write, composed once for each shape of work, prepared once for each connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Any, NamedTuple

import sqlalchemy as sa

from adapters.outbound.postgres.codec import CODECS
from adapters.outbound.postgres.limits import taking
from adapters.outbound.postgres.pool import JOB_GONE, NOT_LEFT, VERSION_CONFLICT
from adapters.outbound.postgres.reading import ACCOUNT, owned
from adapters.outbound.postgres.statements import Parameter, compiled, count_of, value
from adapters.outbound.postgres.tables import AUDIT_RECENT, DIRECTORY, JOBS, LIMITS, SEALED_UNDER
from application.ports.jobs import DELIVER_WEBHOOK
from domain.accounts import Account
from domain.classification import StorageKind
from domain.exports import ExportPart
from domain.kernel import Aggregate
from domain.webhook_deliveries import WebhookDelivery
from domain.webhook_endpoints import WebhookEndpoint

_KNOWN_SHAPES = 500
_LOGGED = ("commitment", "kind", "day", "seal")


class Verb(Enum):
    """What a write does."""

    # A member is itself: Enum's own hash is of its name, in Python, for each look-up of a shape.
    __hash__ = object.__hash__

    END = auto()
    """Delete the job whose lease is held."""
    HOLD = auto()
    """Renew the lease that is held."""
    TAKE = auto()
    """Take of a limit."""
    REMOVE = auto()
    EMPTY = auto()
    """Delete an export's parts."""
    INSERT = auto()
    UPDATE = auto()
    """Set what changed, and raise the version."""
    MOVE = auto()
    """Change relative fields only, without emptying a count; the version stays."""
    OVERWRITE = auto()
    """Set everything that is given, relative fields too, and raise the version."""
    UNLIST = auto()
    """Have the directory no longer lead here."""
    LIST = auto()
    LOG = auto()
    """Add the public half of an audit entry."""
    QUEUE = auto()
    TELL = auto()
    """Add a delivery, and its job, for each webhook endpoint that hears of a live event."""
    RELY = auto()
    """Do nothing, but only if the row is still as it was read."""
    LIVE = auto()
    """Do nothing, but only if the account's row is there."""
    UNDER = auto()
    """Do nothing, but only if what is written is still to be sealed under this version of the account's key."""


class Write(NamedTuple):
    """A verb, the type of aggregate it is about, the fields it changes: all that the text depends on."""

    verb: Verb
    of: type[Aggregate] | None
    places: tuple[int, ...] = ()


Shape = tuple[Write, ...]
_Clause = Callable[[Parameter, Any, tuple[int, ...], Sequence[sa.CTE]], Any]

_ONE: sa.Label[int] = sa.literal_column("1").label("one")
_texts: dict[Shape, str] = {}


def statement(shape: Shape) -> str:
    """Return the one statement for this shape of work. Its first parameter is the account."""
    text = _texts.get(shape)
    if text is None:
        if len(_texts) >= _KNOWN_SHAPES:
            _texts.clear()
        text = _texts[shape] = _compose(shape)
    return text


def _compose(shape: Shape) -> str:
    names: list[str] = []

    def parameter(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
        names.append(f"v{len(names)}")
        return value(names[-1], column)

    clauses: list[sa.CTE] = []
    refusals: dict[str, list[sa.ColumnElement[bool]]] = {NOT_LEFT: [], JOB_GONE: [], VERSION_CONFLICT: []}
    for place, write in enumerate(shape):
        freeing = [clause for clause, earlier in zip(clauses, shape, strict=False) if _frees(earlier, write)]
        clause = _CLAUSES[write.verb](parameter, write.of, write.places, freeing).cte(f"w{place}")
        clauses.append(clause)
        if (code := _REFUSALS.get(write.verb)) is not None:
            refusals[code].append(count_of(clause) == sa.literal_column("0"))
    cases = [
        (sa.or_(*missing), sa.func.pico_refuse(sa.literal_column(f"'{code}'")))
        for code, missing in refusals.items()
        if missing
    ]
    result: Any = sa.case(*cases, else_=sa.literal_column("''")) if cases else _ONE
    return compiled(sa.select(result).add_cte(*clauses), ACCOUNT, *names)


def _frees(earlier: Write, later: Write) -> bool:
    """Tell whether what `earlier` frees may be what `later` takes; or whether `later` writes what `earlier` locks."""
    if earlier.verb is Verb.UNDER:
        return later.of is Account and later.verb in _OF_A_ROW
    if later.verb is Verb.LIST:
        return earlier.verb is Verb.UNLIST
    freeing = {Verb.REMOVE, Verb.EMPTY, Verb.UPDATE, Verb.OVERWRITE}
    return later.verb is Verb.INSERT and earlier.verb in freeing and earlier.of is later.of


def _inserted(table: sa.Table, values: dict[str, Any], freeing: Sequence[sa.CTE]) -> sa.Insert:
    """Return an insert. A unique index sees what this statement frees only after that was done: so it waits for it."""
    if not freeing:
        return sa.insert(table).values(values)
    done = (count_of(clause) >= sa.literal_column("0") for clause in freeing)
    return sa.insert(table).from_select(list(values), sa.select(*values.values()).where(*done))


def _insert(new: Parameter, of: Any, _: tuple[int, ...], freeing: Sequence[sa.CTE]) -> sa.Insert:  # noqa: ANN401
    codec = CODECS[of]
    columns = {column.name: new(column) for column in codec.written(codec.owned)}
    account = sa.bindparam(ACCOUNT, type_=codec.table.c[codec.owner].type)
    return _inserted(
        codec.table, {codec.owner: account, **columns, "version": sa.literal_column("1")}, freeing
    )


def _row(new: Parameter, of: Any, first: Sequence[sa.CTE]) -> sa.ColumnElement[bool]:  # noqa: ANN401 - a type of aggregate
    """Find a row as it was read. What locks the same row comes `first`: what a statement has written it cannot lock."""
    columns = CODECS[of].table.c
    done = (count_of(clause) >= sa.literal_column("0") for clause in first)
    return sa.and_(owned(of), columns.id == new(columns.id), columns.version == new(columns.version), *done)


def _relative(column: sa.Column[Any], kind: StorageKind, given: sa.ColumnElement[Any]) -> Any:  # noqa: ANN401
    if kind is StorageKind.COUNT:
        return sa.func.greatest(column + given, sa.literal_column("0"))
    return sa.func.greatest(column, given)


def _changed(new: Parameter, of: Any, places: tuple[int, ...]) -> dict[str, Any]:  # noqa: ANN401
    codec, changes = CODECS[of], dict[str, Any]()
    for at in places:
        for column in codec.written([at]):
            given = new(column)
            kind = codec.relative.get(at)
            changes[column.name] = given if kind is None else _relative(column, kind, given)
    return changes


def _update(new: Parameter, of: Any, places: tuple[int, ...], first: Sequence[sa.CTE]) -> Any:  # noqa: ANN401
    table, changes = CODECS[of].table, _changed(new, of, places)
    changes["version"] = table.c.version + sa.literal_column("1")
    return sa.update(table).where(_row(new, of, first)).values(changes).returning(_ONE)


def _move(new: Parameter, of: Any, places: tuple[int, ...], first: Sequence[sa.CTE]) -> Any:  # noqa: ANN401
    changes = _changed(new, of, places)
    return sa.update(CODECS[of].table).where(_row(new, of, first)).values(changes).returning(_ONE)


def _overwrite(new: Parameter, of: Any, places: tuple[int, ...], first: Sequence[sa.CTE]) -> Any:  # noqa: ANN401
    codec = CODECS[of]
    changes: dict[str, Any] = {column.name: new(column) for column in codec.written(places)}
    changes["version"] = codec.table.c.version + sa.literal_column("1")
    return sa.update(codec.table).where(_row(new, of, first)).values(changes).returning(_ONE)


def _kind(of: Any, places: tuple[int, ...]) -> sa.ColumnElement[str]:  # noqa: ANN401 - a type of aggregate
    kind = next(key.kind for key in CODECS[of].directory_keys if key.at in places)
    return sa.literal_column(f"'{kind}'")


def _list(new: Parameter, of: Any, places: tuple[int, ...], freeing: Sequence[sa.CTE]) -> sa.Insert:  # noqa: ANN401
    columns = DIRECTORY.c
    account = sa.bindparam(ACCOUNT, type_=columns.account_id.type)
    values = {"kind": _kind(of, places), "key": new(columns.key), "account_id": account}
    return _inserted(DIRECTORY, {**values, "subject_id": new(columns.subject_id)}, freeing)


def _unlist(new: Parameter, of: Any, places: tuple[int, ...], _: Sequence[sa.CTE]) -> Any:  # noqa: ANN401
    columns = DIRECTORY.c
    mine = columns.account_id == sa.bindparam(ACCOUNT)
    row = sa.and_(mine, columns.subject_id == new(columns.subject_id), columns.kind == _kind(of, places))
    return sa.delete(DIRECTORY).where(row).returning(_ONE)


def _held(new: Parameter) -> sa.ColumnElement[bool]:
    """Find the job leased under this very lease, and about this account: one that has passed on ends nothing."""
    columns = JOBS.c
    mine = columns.account_id == sa.bindparam(ACCOUNT)
    return sa.and_(
        mine, columns.id == new(columns.id), columns.token == new(columns.token),
        columns.state == sa.literal_column("'leased'"),
    )  # fmt: skip


def _end(new: Parameter, *_: object) -> Any:  # noqa: ANN401
    return sa.delete(JOBS).where(_held(new)).returning(_ONE)


def _renew(new: Parameter, *_: object) -> Any:  # noqa: ANN401
    row = _held(new)
    until = sa.func.now() + new(sa.Column("lasts", sa.Interval()))
    return sa.update(JOBS).where(row).values(due_at=until).returning(_ONE)


def _taken(new: Parameter, *_: object) -> Any:  # noqa: ANN401
    columns = LIMITS.c
    more: sa.Column[Any] = sa.Column("more", sa.Interval())
    return taking(*map(new, (columns.key, columns.full_at, more, columns.full_at))).returning(_ONE)


def _queue(new: Parameter, *_: object) -> sa.Insert:
    columns = JOBS.c
    given = {name: new(columns[name]) for name in ("id", "name", "subject")}
    due_at = sa.func.now() + new(sa.Column("delay", sa.Interval()))
    account = sa.bindparam(ACCOUNT, type_=columns.account_id.type)
    return sa.insert(JOBS).values({"account_id": account, **given, "due_at": due_at})


def _tell(new: Parameter, *_: object) -> sa.Insert:
    """Ask as `WebhookEndpoint.hears` does: one look at an index where an account has no endpoint."""
    endpoint, delivery = CODECS[WebhookEndpoint].table.c, CODECS[WebhookDelivery].table
    account = sa.bindparam(ACCOUNT, type_=endpoint.account_id.type)
    kind, subject, at = (new(delivery.c[name]) for name in ("kind", "subject", "at"))
    given = {
        "account_id": account, "id": sa.func.gen_random_uuid(), "endpoint_id": endpoint.id, "kind": kind,
        "subject": subject, "at": at, "state": sa.literal_column("'waiting'"), "attempts": sa.literal_column("0"),
        "version": sa.literal_column("1"),
    }  # fmt: skip
    every = sa.func.cardinality(endpoint.kinds) == sa.literal_column("0")
    hears = sa.and_(
        endpoint.state == sa.literal_column("'enabled'"), sa.or_(every, kind == sa.any_(endpoint.kinds))
    )
    heard = sa.select(*given.values()).where(owned(WebhookEndpoint), hears)
    told = sa.insert(delivery).from_select(list(given), heard).returning(delivery.c.id).cte()
    job = {
        "account_id": account, "id": sa.func.gen_random_uuid(), "name": sa.literal_column(f"'{DELIVER_WEBHOOK}'"),
        "subject": told.c.id, "due_at": sa.func.now(),
    }  # fmt: skip
    return sa.insert(JOBS).from_select(list(job), sa.select(*job.values()).select_from(told))


def _remove(new: Parameter, of: Any, _: tuple[int, ...], first: Sequence[sa.CTE]) -> Any:  # noqa: ANN401
    return sa.delete(CODECS[of].table).where(_row(new, of, first)).returning(_ONE)


def _empty(new: Parameter, *_: object) -> Any:  # noqa: ANN401
    table = CODECS[ExportPart].table
    of_export = table.c.export_id == new(table.c.export_id)
    return sa.delete(table).where(owned(ExportPart), of_export).returning(_ONE)


def _rely(new: Parameter, of: Any, _: tuple[int, ...], first: Sequence[sa.CTE]) -> Any:  # noqa: ANN401
    return (
        sa.select(_ONE).select_from(CODECS[of].table).where(_row(new, of, first)).with_for_update(read=True)
    )


def _live(*_: object) -> Any:  # noqa: ANN401
    account = sa.select(_ONE).select_from(CODECS[Account].table).where(owned(Account))
    return account.with_for_update(read=True, key_share=True)


def _under(new: Parameter, *_: object) -> Any:  # noqa: ANN401
    account = sa.select(_ONE).select_from(CODECS[Account].table)
    return account.where(owned(Account), new(SEALED_UNDER) == SEALED_UNDER).with_for_update(read=True)


def _log(new: Parameter, *_: object) -> sa.Insert:
    columns = AUDIT_RECENT.c
    return sa.insert(AUDIT_RECENT).values({name: new(columns[name]) for name in _LOGGED})


_OF_A_ROW = frozenset({Verb.REMOVE, Verb.UPDATE, Verb.MOVE, Verb.OVERWRITE, Verb.RELY})
_CLAUSES: dict[Verb, _Clause] = {
    Verb.END: _end,
    Verb.HOLD: _renew,
    Verb.TAKE: _taken,
    Verb.REMOVE: _remove,
    Verb.EMPTY: _empty,
    Verb.INSERT: _insert,
    Verb.UPDATE: _update,
    Verb.MOVE: _move,
    Verb.OVERWRITE: _overwrite,
    Verb.UNLIST: _unlist,
    Verb.LIST: _list,
    Verb.LOG: _log,
    Verb.QUEUE: _queue,
    Verb.TELL: _tell,
    Verb.RELY: _rely,
    Verb.LIVE: _live,
    Verb.UNDER: _under,
}
_REFUSALS = {
    Verb.END: JOB_GONE,
    Verb.HOLD: JOB_GONE,
    Verb.TAKE: NOT_LEFT,
    **dict.fromkeys(
        (Verb.REMOVE, Verb.UPDATE, Verb.MOVE, Verb.OVERWRITE, Verb.RELY, Verb.LIVE, Verb.UNDER),
        VERSION_CONFLICT,
    ),
}
"""What it means when a write does not find its row."""
