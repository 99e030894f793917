"""The flush: everything a unit of work does, in one statement that PostgreSQL keeps or refuses as a whole.

Each write is a common table expression. Those that must find their row are counted at the end: a missing one makes
the statement divide by zero (`VersionConflict`), a job that is not in our hands makes it take the logarithm of
zero (`JobGone`),
and either undoes all of it. The text depends only on the shape of the work, so it is composed once for each shape and
prepared once for each connection.

Relying on a row share-locks it, so that no two commits rely each on what the other is changing.

Erasure deletes by the inventory, the account's own row first. A commit that adds a row must hold on to one that
erasure deletes before it comes to that table, be it the account's own: so it either comes before that deletion and is
erased with the rest, or is refused. A count of zero stays zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC
from itertools import count
from typing import Any
from uuid import UUID

from adapters.outbound.postgres.codec import CODECS, Keys
from application.inventory import INVENTORY
from application.unit_of_work import PendingWrites
from domain.exports import ExportPart
from domain.kernel import AccountId, Aggregate

Write = tuple[Any, ...]
"""A verb, the type of aggregate it is about, the places of the fields it changes: all that the text depends on."""
Value = Callable[[str], str]
"""Returns the next parameter, cast to an SQL type. The first, $1, is always the account."""

_MAKING = frozenset({"insert", "queue"})
_HOLDING = frozenset({"remove", "update", "rely"})
_KNOWN_SHAPES = 500
_RANK = {stored.of: rank for rank, stored in enumerate(INVENTORY)}
"""When erasure comes to a table: first to the account's own, last to the jobs."""
_LAST = len(_RANK)
_texts: dict[tuple[Write, ...], str] = {}


class Flush:
    """What one unit of work will do, in order: end its job, remove, empty, update and insert, queue, rely."""

    __slots__ = ("_account_id", "_keys", "_touched", "_written", "shape", "values")

    def __init__(
        self, work: PendingWrites, account_id: AccountId, keys: Keys, completing: tuple[int, UUID] | None
    ) -> None:
        """Encode the pending writes. Raises ValueError for an aggregate of another account.

        `completing` is the lease of the job to end and the name of the worker that must hold it.
        """
        self.shape: list[Write] = []
        self.values: list[Any] = [account_id]
        self._account_id = account_id
        self._keys = keys
        self._written: list[Aggregate] = []
        self._touched = set[tuple[type[Aggregate], UUID]]()
        if completing:
            self._add("end", None, *completing)
        for aggregate in work.removed:
            self._on("remove", aggregate)
        for export_id in work.exports_emptied:
            self._add("empty", ExportPart, export_id)
        for aggregate in work.saved:
            if not any(aggregate is other for other in work.removed):
                self._save(aggregate)
        for entry in work.audit:
            self._save(entry)
            self._add("log", None, entry.id, entry.at.astimezone(UTC).date(), entry.kind, entry.commitment)
        for job in work.jobs:
            self._add("queue", None, job.kind, job.subject, job.delay)
        self._hold(work.required_unchanged)

    @property
    def text(self) -> str:
        """The statement."""
        shape = tuple(self.shape)
        text = _texts.get(shape)
        if text is None:
            if len(_texts) >= _KNOWN_SHAPES:
                _texts.clear()
            text = _texts[shape] = _compose(shape)
        return text

    def committed(self) -> None:
        """Bring the aggregates up to date with their rows."""
        for aggregate in self._written:
            aggregate.version += 1
            aggregate.origin = CODECS[type(aggregate)].values(aggregate)

    def _hold(self, required_unchanged: Iterable[Any]) -> None:
        """Rely on what is not written anyway, and on the account itself if nothing else stands against its erasure."""
        for aggregate in required_unchanged:
            if (type(aggregate), aggregate.id) not in self._touched:
                self._on("rely", aggregate)
        first_made = min((_RANK.get(of, _LAST) for verb, of, _ in self.shape if verb in _MAKING), default=0)
        first_held = min(
            (_RANK.get(of, _LAST) for verb, of, _ in self.shape if verb in _HOLDING), default=_LAST
        )
        if 0 < first_made <= first_held:  # what makes the account itself needs nothing else
            self._add("live", None)

    def _add(
        self, verb: str, of: type[Aggregate] | None, *values: object, places: tuple[int, ...] = ()
    ) -> None:
        self.shape.append((verb, of, places))
        self.values.extend(values)

    def _on(self, verb: str, aggregate: Any, places: tuple[int, ...] = ()) -> None:  # noqa: ANN401 - it has an id
        """Write to, or look at, the row an aggregate was read from, if it is still the same."""
        self._touched.add((type(aggregate), aggregate.id))
        self._add(verb, type(aggregate), aggregate.id, aggregate.version, places=places)

    def _save(self, aggregate: Any) -> None:  # noqa: ANN401 - it has an id
        codec = CODECS[type(aggregate)]
        if getattr(aggregate, codec.owner) != self._account_id:
            raise ValueError(codec.owner)
        if not aggregate.version:
            self._touched.add((codec.of, aggregate.id))
            places = codec.owned
            self._add("insert", codec.of)
        elif places := codec.changed(aggregate):
            self._on("update", aggregate, places)
        else:
            self._on("rely", aggregate)  # it was decided that all is well as it is: that must still be so
            return
        codec.encode(aggregate, places, self._keys, self.values)
        self._written.append(aggregate)


def _compose(shape: tuple[Write, ...]) -> str:
    numbers = count(2)
    parts, checks, results = [], [], ["1"]
    for place, (verb, of, places) in enumerate(shape):
        # A unique index sees what this statement has deleted or changed only after that was done.
        before = [
            n for n in range(place) if shape[n][1] is of and shape[n][0] in {"remove", "empty", "update"}
        ]
        clause = _CLAUSES[verb](lambda sql_type: f"${next(numbers)}::{sql_type}", of, places, before)
        parts.append(f"w{place} AS ({clause})")
        if verb == "end":
            results.insert(0, f"ln((SELECT count(*) FROM w{place})::float8)")
        elif verb == "live" or verb in _HOLDING:
            checks.append(f"(SELECT count(*) FROM w{place})")
    results[-1] = f"1 / ({' * '.join(checks)})" if checks else "1"
    return f"WITH {', '.join(parts)} SELECT {', '.join(results)}"


# ruff: noqa: S608 - every name in these texts comes from the inventory, every value is a parameter


def _insert(value: Value, of: type[Aggregate], _places: tuple[int, ...], before: list[int]) -> str:
    codec = CODECS[of]
    written = [column for at in codec.owned for column in codec.written[at]]
    names = ", ".join([codec.owner, *(name for name, _ in written), "version"])
    values = ", ".join(["$1::uuid", *(value(sql_type) for _, sql_type in written), "1"])
    waiting = " AND ".join(f"(SELECT count(*) FROM w{n}) >= 0" for n in before) or "true"
    return f"INSERT INTO {codec.table} ({names}) SELECT {values} WHERE {waiting}"


def _update(value: Value, of: type[Aggregate], places: tuple[int, ...], _before: list[int]) -> str:
    codec, row = CODECS[of], _row(value, of)
    changes = (f"{name} = {value(sql_type)}" for at in places for name, sql_type in codec.written[at])
    return f"UPDATE {codec.table} SET {', '.join(changes)}, version = version + 1 WHERE {row} RETURNING 1"


def _row(value: Value, of: type[Aggregate]) -> str:
    return f"{CODECS[of].owner} = $1 AND id = {value('uuid')} AND version = {value('integer')}"


_CLAUSES: dict[str, Callable[[Value, Any, tuple[int, ...], list[int]], str]] = {
    "insert": _insert,
    "update": _update,
    "remove": lambda value, of, *_: f"DELETE FROM {CODECS[of].table} WHERE {_row(value, of)} RETURNING 1",
    "rely": lambda value, of, *_: f"SELECT FROM {CODECS[of].table} WHERE {_row(value, of)} FOR SHARE",
    "live": lambda *_: "SELECT FROM accounts WHERE id = $1 FOR KEY SHARE",
    "empty": lambda value, *_: (
        f"DELETE FROM export_parts WHERE account_id = $1 AND export_id = {value('uuid')} RETURNING 1"
    ),
    "log": lambda value, *_: (
        "INSERT INTO audit_log (id, day, kind, commitment)"
        f" VALUES ({value('uuid')}, {value('date')}, {value('text::audit_kind')}, {value('bytea')})"
    ),
    # pgqueuer's own enqueue also logs each job it queues; nobody reads that.
    "queue": lambda value, *_: (
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload, execute_after) VALUES"
        f" (0, 'queued', {value('text')}, uuid_send($1) || uuid_send({value('uuid')}), now() + {value('interval')})"
    ),
    # In our hands, and about this account. Should the queue have given the job to another worker meanwhile (ours did
    # not answer for long), that one ends it.
    "end": lambda value, *_: (
        f"DELETE FROM pgqueuer WHERE id = {value('bigint')} AND queue_manager_id = {value('uuid')}"
        " AND substring(payload FOR 16) = uuid_send($1) RETURNING 1"
    ),
}
