"""The use cases that compare the numbers a carrier holds for us with the lines that lease them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from application.line_check import CHECK_LINE
from application.ports.clock import Clock
from application.ports.directory import Directory, Lease
from application.ports.ids import made_at
from application.ports.jobs import Job
from application.ports.keyring import KeyGone
from application.ports.numbering import NumberingPlan
from application.ports.numbers import CarrierNumber, NumberProvider
from application.ports.store import Store, Tx
from application.purge import Purge, PurgeResult
from domain.erasure import NotYetGone
from domain.kernel import CarrierRef, LineId, NotFound
from domain.money import Money, sums
from domain.orphan_numbers import RULE, OrphanNumbers, OrphanRule

EVERY = timedelta(hours=6)


class Mismatch(StrEnum):
    """How the carrier's numbers and our lines differ."""

    ORPHAN = "orphan"
    """Bought by us, billed to us, and leased by no line."""
    MISSING = "missing"
    """A line counts on it, and the carrier does not hold it."""
    MISDIRECTED = "misdirected"
    """A line's own, but what comes in for it is not sent to us."""
    SUSPENDED = "suspended"
    """A line's own, and the carrier has put it out of use."""
    UNKNOWN = "unknown"
    """Held in the same account at the carrier, and not bought here: it is somebody else's business."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One number on which we disagree, by references only. `price` is a month's, where the carrier tells it."""

    kind: Mismatch
    ref: CarrierRef | None = None
    line_id: LineId | None = None
    price: Money | None = None
    released: bool = False
    """Given back to the carrier, and not there any more when it was asked for."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison came to: numbers at the carrier, lines that lease one, and where they differ."""

    held: int
    leased: int
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        """Whether nothing is left for anybody to look at."""
        return all(each.released or each.kind is Mismatch.UNKNOWN for each in self.differences)

    @property
    def wasted(self) -> list[Money]:
        """What the orphans that are still held cost a month, by currency."""
        return sums([each.price for each in self.orphans if each.price is not None])

    @property
    def orphans(self) -> list[Difference]:
        """Those that are still held."""
        return [each for each in self.differences if each.kind is Mismatch.ORPHAN and not each.released]


@dataclass(frozen=True, slots=True)
class ReconcileNumbers:
    """Compares; and, if it really shall, gives orphans back by the rule and has lines looked at that miss their number.

    What the carrier holds is read before our lines are. An order's intent is on record before it is placed, and a lease
    ends only after the number is gone: so neither a purchase nor a release under way looks like an orphan.
    """

    numbers: NumberProvider
    directory: Directory
    store: Store
    plan: NumberingPlan
    clock: Clock
    rule: ClassVar[OrphanRule] = RULE

    async def __call__(self, *, really: bool) -> Comparison:
        """Return what differs. Repeating is harmless.

        Raises CarrierUnavailable, CarrierUnsupported where the carrier lists no numbers, NotYetGone where it still
        shows one that it was given back, and TooManyStrangers before anything is done.
        """
        began = self.clock.now()
        held = await self.numbers.list_numbers()
        leases = await self._leases()
        orphans, others = await self._sorted(held, leases)
        missing = self._missing(held, leases, began)
        differences = [*await self._priced(orphans), *others, *missing]
        if really:
            self.rule.must_be_few(len(orphans), len(held))
            self.rule.must_be_few(len(missing), len(leases))
            by_ref: dict[CarrierRef | None, CarrierNumber] = {each.ref: each for each in orphans}
            differences = [await self._settled(each, by_ref, leases) for each in differences]
        return Comparison(len(held), len(leases), tuple(differences))

    async def _leases(self) -> Mapping[LineId, Lease]:
        """Return every lease there is, by its line."""
        return {lease.line_id: lease async for lease in self.directory.leases()}

    async def _sorted(
        self, held: Iterable[CarrierNumber], leases: Mapping[LineId, Lease]
    ) -> tuple[list[CarrierNumber], list[Difference]]:
        """Tell orphans from what else is not as it should be. Of two numbers for one line, one is an orphan."""
        times = Counter(number.line_id for number in held)
        orphans, others = [], []
        for number in held:
            kind = None
            if number.line_id is None:
                kind = Mismatch.UNKNOWN
            elif number.line_id not in leases:
                kind = Mismatch.ORPHAN if number.reaches_us else Mismatch.UNKNOWN
            elif times[number.line_id] > 1 and not await self._is_leased(number):
                kind = Mismatch.ORPHAN
            elif number.is_suspended:
                kind = Mismatch.SUSPENDED
            elif not number.reaches_us:
                kind = Mismatch.MISDIRECTED
            if kind is Mismatch.ORPHAN:
                orphans.append(number)
            elif kind is not None:
                others.append(Difference(kind=kind, ref=number.ref, line_id=number.line_id))
        return orphans, others

    async def _is_leased(self, number: CarrierNumber) -> bool:
        lease = await self.directory.line(number.number, fresh=True)
        return lease is not None and lease.line_id == number.line_id

    def _missing(
        self, held: Iterable[CarrierNumber], leases: Mapping[LineId, Lease], began: datetime
    ) -> list[Difference]:
        """Return lines whose number is not there; a young one may be waiting for its order still."""
        there = {number.line_id for number in held}
        return [
            Difference(kind=Mismatch.MISSING, line_id=line_id)
            for line_id in leases
            if line_id not in there and self.rule.allows(made_at(line_id), began)
        ]

    async def _priced(self, orphans: Iterable[CarrierNumber]) -> list[Difference]:
        priced = []
        for orphan in orphans:
            country = self.plan.country(orphan.number)
            price = None if country is None else await self.numbers.price(country)
            priced.append(
                Difference(kind=Mismatch.ORPHAN, ref=orphan.ref, line_id=orphan.line_id, price=price)
            )
        return priced

    async def _settled(
        self,
        found: Difference,
        orphans: Mapping[CarrierRef | None, CarrierNumber],
        leases: Mapping[LineId, Lease],
    ) -> Difference:
        if found.kind is Mismatch.ORPHAN:
            return await self._released(found, orphans[found.ref])
        if found.kind is Mismatch.MISSING and found.line_id is not None:
            await self._have_checked(leases[found.line_id])
        return found

    async def _released(self, found: Difference, orphan: CarrierNumber) -> Difference:
        """Give an orphan back if the rule allows it and no line has it by now; believe it on reading it back."""
        line_id = orphan.line_id
        if line_id is None or not self.rule.allows(orphan.since, self.clock.now()):
            return found
        if await self._is_leased(orphan):
            return found
        await self.numbers.release(orphan.ref, line_id)
        if await self.numbers.owns(orphan.ref, line_id):
            raise NotYetGone
        return replace(found, released=True)

    async def _have_checked(self, lease: Lease) -> None:
        """Have the carrier asked for this one number: what a list lacks may be there all the same."""

        async def change(tx: Tx) -> None:
            await tx.lines.get_even_broken(lease.line_id)
            tx.queue(Job(CHECK_LINE, lease.account_id, lease.line_id))

        try:
            await self.store.update(lease.account_id, change)
        except (NotFound, KeyGone):
            return  # the account is being erased: its numbers are on the list of what is to go


@dataclass(slots=True)
class WatchNumbers(Purge):
    """Compares a few times a day, releases nothing, and raises the alarm about what nobody can be using."""

    name: ClassVar[str] = "numbers"

    reconcile_numbers: ReconcileNumbers
    numbers: NumberProvider
    looked_at: datetime | None = field(default=None, init=False)
    """When this process compared last."""

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        """Compare if it is time. Raises OrphanNumbers, and what a comparison raises. Repeating is harmless."""
        due = self.looked_at is None or now >= self.looked_at + EVERY
        if not due or not self.numbers.number_abilities.can_list:
            return PurgeResult(0)
        self.looked_at = now
        compared = await self.reconcile_numbers(really=False)
        if compared.orphans:
            raise OrphanNumbers
        return PurgeResult(0)
