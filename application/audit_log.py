"""Use cases of the audit log: show a person theirs, chain what is new, and check that nothing was changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import ClassVar

from application.paging import Page
from application.ports.audit_log import AuditLog
from application.ports.signing import Signing
from application.ports.store import Store
from application.purge import Purge, PurgeResult
from domain.audit import AuditEntry
from domain.audit_chain import CROWD, LASTING, RECENT, Finding, Flaw, Head, Walk
from domain.kernel import AccountId, AuditId

CHAINS = range(LASTING + 1)
AT_ONCE = 1_000
"""Entries that are read and checked before others have their turn."""
EVERYTHING_EVERY = timedelta(hours=1)
"""How often the schedule checks all of it; what is new is checked whenever it looks."""
Point = tuple[int, bytes]
"""How long a chain was, and the hash at its end."""
NOTHING_SEEN: Mapping[int, Point] = MappingProxyType({})
LOOKS = 3
"""How often the recent chain is looked at before a flaw in it counts: it may have been drawn from meanwhile."""


@dataclass(frozen=True, slots=True)
class ListAuditLog:
    """Shows a person what was done to their account."""

    store: Store

    async def __call__(
        self, account_id: AccountId, before: AuditId | None, limit: int
    ) -> Page[AuditEntry, AuditId]:
        """Return a page, newest first. A broken entry is shown as far as it opens. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            found = await tx.audit_entries.page(before, limit + 1)
        return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What a check of the whole log found. No findings: nothing was changed, dropped, swapped, added or cut off."""

    entries: int
    unchained: int
    """Entries that came too lately to be in a chain: the next sweep puts them there."""
    heads: Mapping[int, Point]
    """How far each chain goes: for a later check to compare with."""
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class VerifyAuditLog:
    """Checks the chains against their hashes and signed heads, and against heads that were seen before."""

    audit_log: AuditLog
    signing: Signing

    async def __call__(self, seen: Mapping[int, Point] = NOTHING_SEEN) -> AuditReport:
        """Check everything. `seen` are heads of an earlier report; the recent one is passed over. Repeatable."""
        walks = [await self.walk(chain, seen.get(chain) if chain != RECENT else None) for chain in CHAINS]
        return AuditReport(
            sum(walk.length for walk in walks),
            await self.audit_log.unchained(),
            {walk.chain: (walk.length, walk.hash) for walk in walks},
            tuple([finding for walk in walks for finding in walk.findings]),
        )

    async def walk(self, chain: int, seen: Point | None = None, begin: Point | None = None) -> Walk:
        """Check one chain, from its beginning or from a point that was checked before."""
        walk = await self._walk(chain, seen, begin)
        for _ in range(LOOKS - 1):
            if chain != RECENT or not walk.findings:
                break
            walk = await self._walk(chain, seen, None)
        return walk

    async def _walk(self, chain: int, seen: Point | None, begin: Point | None) -> Walk:
        # The head first: a chain may be longer than it by now, and not shorter.
        head = (await self.audit_log.heads()).get(chain)
        watch = {head.length} if head is not None else set[int]()
        walk = Walk(chain, watch=frozenset(watch if seen is None else watch | {seen[0]}))
        if begin is not None and begin[0]:
            walk.length, walk.hash = begin
            walk.passed = {walk.length: walk.hash}
            last = await self.audit_log.page(chain, walk.length - 1, 1)
            if not last or (last[0].position, last[0].hash) != begin:
                walk.findings.append(Finding(chain, walk.length, Flaw.FELL_BACK))
        while links := await self.audit_log.page(chain, walk.length, AT_ONCE):
            walk.along(links)
        if head is not None and not await self.signing.signed(head.said, head.signature):
            walk.findings.append(Finding(chain, 0, Flaw.UNSIGNED))
        elif begin is None or head is None or head.length >= begin[0]:
            walk.must_reach(head, seen)
        return walk


@dataclass(frozen=True, slots=True)
class KeepAuditLog(Purge):
    """Chains and signs what is new, draws what is of days gone by into the lasting chains, and checks.

    What is found is counted as failed, by the flaw's name: the schedule raises the alarm. Nothing is drawn from a
    recent chain in which something is wrong, and no chain in which something is wrong is signed anew.
    """

    name: ClassVar[str] = "audit_log"
    crowd: ClassVar[int] = CROWD

    audit_log: AuditLog
    signing: Signing
    verify_audit_log: VerifyAuditLog
    seen: dict[int, Point] = field(default_factory=dict, init=False, repr=False, compare=False)
    """How far this process has checked each chain."""
    checked: list[datetime] = field(default_factory=list, init=False, repr=False, compare=False)
    """When it last checked everything."""

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        """Do so. Repeating is harmless."""
        _ = limit
        everything = not self.checked or now >= self.checked[0] + EVERYTHING_EVERY
        await self.audit_log.chain()
        findings = await self._check(RECENT, now, everything=everything)
        if not findings and await self.audit_log.draw((now - timedelta(days=1)).date(), self.crowd):
            self.seen.pop(RECENT, None)
            await self.audit_log.chain()
            findings += await self._check(RECENT, now, everything=True)
        for chain in CHAINS[1:]:
            findings += await self._check(chain, now, everything=everything)
        if everything:
            self.checked[:] = [now]
        return PurgeResult(0, Counter(finding.flaw.code for finding in findings))

    async def _check(self, chain: int, now: datetime, *, everything: bool) -> list[Finding]:
        """Check a chain and, where all is well, sign how far it goes now."""
        seen = self.seen.get(chain)
        walk = await self.verify_audit_log.walk(
            chain, None if chain == RECENT else seen, None if everything else seen
        )
        if walk.findings:
            return walk.findings
        if walk.length and seen != (walk.length, walk.hash):
            head = Head(chain, walk.length, walk.hash, now)
            await self.audit_log.keep_head(replace(head, signature=await self.signing.sign(head.said)))
        self.seen[chain] = walk.length, walk.hash
        return []
