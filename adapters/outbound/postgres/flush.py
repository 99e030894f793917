"""The flush: everything a unit of work does, in one statement that PostgreSQL keeps or refuses as a whole.

Each write is a common table expression (see composition.py for their text). Those that must find their row are
counted at the end: a missing one has the statement raise an SQLSTATE of our own, which undoes all of it.

A row of which only relative fields changed is moved: it must still be there at the version that was read, and stays
at it, so that any number of such writers at once add up and none of them is a conflict. Whatever else changes a row
raises its version; so does emptying a count, which never falls below zero: nobody takes from what was emptied.

Relying on a row share-locks it, so that no two commits rely each on what the other is changing.

Erasure deletes by the inventory, the account's own row first. A commit that adds a row must hold on to one that
erasure deletes before it comes to that table, be it the account's own: so it either comes before that deletion and is
erased with the rest, or is refused. A count of zero stays zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any
from uuid import UUID

from adapters.outbound.postgres.audit_log import seal_of
from adapters.outbound.postgres.codec import CODECS, Codec
from adapters.outbound.postgres.composition import Verb, Write, statement
from adapters.outbound.postgres.reading import Original, Reader
from application.inventory import INVENTORY
from application.ports.jobs import JobLease
from application.ports.keyring import Ending
from application.unit_of_work import PendingWrites
from domain.classification import StorageKind
from domain.exports import ExportPart
from domain.kernel import Aggregate

Stored = Any
"""An aggregate of whatever type: each has an id."""

_MAKING = frozenset({Verb.INSERT, Verb.QUEUE, Verb.LIST})
_HOLDING = frozenset({Verb.REMOVE, Verb.UPDATE, Verb.MOVE, Verb.OVERWRITE, Verb.RELY})
_RANK = {stored.of: rank for rank, stored in enumerate(INVENTORY)}
"""When erasure comes to a table: first to the account's own, last to the directory and the jobs."""
_LAST = len(_RANK)


class Flush:
    """What one unit of work will do, in order: end or hold a job, take, remove, empty, save, queue, list, rely."""

    __slots__ = ("_lists", "_reader", "_touched", "_written", "ended", "shape", "values")

    def __init__(
        self, work: PendingWrites, reader: Reader, completing: JobLease | None, taking: Sequence[object] = ()
    ) -> None:
        """Encode the pending writes, and what is `taking` of a limit. Raises ValueError for another account's."""
        self.shape: list[Write] = []
        self.values: list[Any] = [reader.account_id]
        self.ended: list[Ending] = []
        """What is over by this commit."""
        self._reader = reader
        self._written: list[Aggregate] = []
        self._touched = set[tuple[type[Aggregate], UUID]]()
        self._lists: list[tuple[Codec[Any], int, bytes, UUID]] = []
        self._begin(completing, work.held)
        if taking:
            self._add(Verb.TAKE, None, *taking)
        for aggregate in work.removed:
            self._remove(aggregate)
        for export_id in work.exports_emptied:
            self._add(Verb.EMPTY, ExportPart, export_id)
        for aggregate in work.saved:
            if not any(aggregate is other for other in work.removed):
                self._save(aggregate)
        for entry in work.audit:
            self._save(entry)
            day, commitment = entry.at.astimezone(UTC).date(), entry.commitment
            seal = seal_of(reader.keys.system, commitment, entry.kind, day)
            self._add(Verb.LOG, None, commitment, entry.kind, day, seal)
        for event in work.live:
            self._save(event)
            self._add(Verb.TELL, None, event.kind, event.subject, event.at)
        for job in work.jobs:
            self._add(Verb.QUEUE, None, work.ids.random_id(), job.name, job.subject, job.delay)
        for (
            codec,
            key,
            index,
            subject,
        ) in self._lists:  # last: a key that this commit frees can be taken by it
            self._add(Verb.LIST, codec.of, index, subject, places=(key,))
        self._hold(work.required_unchanged)

    @property
    def text(self) -> str:
        """The statement. It depends only on the shape of the work."""
        return statement(tuple(self.shape))

    def committed(self) -> None:
        """Bring the aggregates up to date with their rows."""
        for aggregate in self._written:
            aggregate.version += 1

    def _begin(self, completing: JobLease | None, held: JobLease | None) -> None:
        if self._reader.keys.turning:
            self._add(Verb.UNDER, None, self._reader.keys.cipher.version)
        if completing is not None:
            self._add(Verb.END, None, completing.job_id, completing.token)
        if held is not None:
            self._add(Verb.HOLD, None, held.job_id, held.token, held.lasts)

    def _add(
        self, verb: Verb, of: type[Aggregate] | None, *values: object, places: tuple[int, ...] = ()
    ) -> None:
        self.shape.append(Write(verb, of, places))
        self.values.extend(values)

    def _save(self, aggregate: Stored) -> None:
        codec = self._codec(aggregate)
        original = self._reader.original(aggregate)
        self._note_ending(codec, aggregate, original)
        if not aggregate.version:
            self._touched.add((codec.of, aggregate.id))
            self._write(Verb.INSERT, codec, aggregate, codec.owned, 1)
            self._relist(codec, aggregate, original)
            return
        if original is None:
            self._overwrite(codec, aggregate)
        else:
            places = codec.changed(aggregate, original.values)
            if not places:
                self._on(
                    Verb.RELY, aggregate
                )  # it was decided that all is well as it is: that must still be so
                return
            self._update(codec, aggregate, places, original)
        self._relist(codec, aggregate, original)

    def _note_ending(self, codec: Codec[Any], aggregate: Stored, original: Original | None) -> None:
        if codec.final is None or codec.values(aggregate)[codec.final] is None:
            return
        if original is None or original.values[codec.final] is None:
            self.ended.append(Ending(aggregate.id, aggregate.usable_until))

    def _update(
        self,
        codec: Codec[Any],
        aggregate: Stored,
        places: tuple[int, ...],
        original: Original,
    ) -> None:
        values, before = codec.values(aggregate), original.values
        fixed = tuple([at for at in places if at not in codec.relative])
        moved = {
            at: values[at] - before[at] if codec.relative[at] is StorageKind.COUNT else values[at]
            for at in places
            if at in codec.relative
        }
        emptied = any(codec.relative[at] is StorageKind.COUNT and not values[at] for at in moved)
        rises = bool(fixed) or emptied
        if rises and not aggregate.altered:  # a broken seal is never made good by whoever comes along
            fixed = codec.with_seal(fixed)
        if rises:
            codec.encode(aggregate, fixed, self._reader.keys, aggregate.version + 1, self.values)
            self._written.append(aggregate)
        self.values += moved.values()
        self._on(Verb.UPDATE if rises else Verb.MOVE, aggregate, (*fixed, *moved))

    def _overwrite(self, codec: Codec[Any], aggregate: Stored) -> None:
        """Write an aggregate whole that another unit of work loaded. What cannot be read back stays as it is."""
        values = codec.values(aggregate)
        readable = len(codec.readable)
        places = tuple(
            [
                at
                for at in codec.owned
                if (at < readable and codec.fields[at] not in aggregate.unreadable)
                or (at >= len(values) and not aggregate.altered)
                or (at < len(values) and values[at] is not None)
            ]
        )
        codec.encode(aggregate, places, self._reader.keys, aggregate.version + 1, self.values)
        self._written.append(aggregate)
        self._on(Verb.OVERWRITE, aggregate, places)

    def _write(
        self,
        verb: Verb,
        codec: Codec[Any],
        aggregate: Stored,
        places: tuple[int, ...],
        version: int,
    ) -> None:
        codec.encode(aggregate, places, self._reader.keys, version, self.values)
        self._written.append(aggregate)
        self.shape.append(Write(verb, codec.of, ()))

    def _remove(self, aggregate: Stored) -> None:
        codec = self._codec(aggregate)
        self._on(Verb.REMOVE, aggregate)
        for key in codec.directory_keys:
            self._add(Verb.UNLIST, codec.of, aggregate.id, places=(key.at,))

    def _relist(self, codec: Codec[Any], aggregate: Stored, original: Original | None) -> None:
        """Have the directory lead to an aggregate, or no longer, as its fields now say."""
        if not codec.directory_keys:
            return
        values = codec.values(aggregate)
        for place, (key, listed) in enumerate(
            zip(codec.directory_keys, codec.listed(aggregate), strict=True)
        ):
            value = values[key.at]
            if not aggregate.version:
                freed, taken = False, listed and value is not None
            elif original is None:  # what it was is not known: a value that cannot be read back stays listed
                freed, taken = not listed or value is not None, listed and value is not None
            else:
                moved = original.values[key.at] != value
                was_listed = original.listed[place]
                freed = was_listed and (moved or not listed)
                taken = listed and (moved or not was_listed) and value is not None
            if freed:
                self._add(Verb.UNLIST, codec.of, aggregate.id, places=(key.at,))
            if taken:
                index = self._reader.keys.system_index(key.kind, value)
                self._lists.append((codec, key.at, index, aggregate.id))

    def _hold(self, required_unchanged: Iterable[Stored]) -> None:
        """Rely on what is not written anyway, and on the account itself if nothing else stands against its erasure."""
        for aggregate in required_unchanged:
            if (type(aggregate), aggregate.id) not in self._touched:
                self._on(Verb.RELY, aggregate)
        first_made = min([_rank(of) for verb, of, _ in self.shape if verb in _MAKING], default=0)
        first_held = min([_rank(of) for verb, of, _ in self.shape if verb in _HOLDING], default=_LAST)
        if 0 < first_made <= first_held:  # what makes the account itself needs nothing else
            self._add(Verb.LIVE, None)
        if self._reader.keys.turning and len(self.shape) == 1:
            self.shape.clear()  # nothing is written

    def _on(self, verb: Verb, aggregate: Stored, places: tuple[int, ...] = ()) -> None:
        """Write to, or look at, the row an aggregate was read from, if it is still the same."""
        codec = self._codec(aggregate)
        self._touched.add((codec.of, aggregate.id))
        self._add(verb, codec.of, aggregate.id, aggregate.version, places=places)

    def _codec(self, aggregate: Aggregate) -> Codec[Any]:
        codec = CODECS[type(aggregate)]
        if getattr(aggregate, codec.owner) != self._reader.account_id:
            raise ValueError("This belongs to another account.")
        return codec


def _rank(of: type[Aggregate] | None) -> int:
    return _LAST if of is None else _RANK[of]
