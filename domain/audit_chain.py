"""The public half of the audit log as hash chains: what proves that nothing was changed, dropped, swapped or added.

Chain 0 holds what is recent, in the order in which it came to be chained. When a day is over and enough has come
together, its entries are drawn in random order into the lasting chains, 1 to `LASTING`, which only grow. So the order
that lasts says nothing of who did what, and each chain is checked by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from domain.audit import AuditKind

RECENT = 0
"""The chain of what is recent."""
LASTING = 8
"""How many lasting chains there are."""
CROWD = 100
"""As many entries at least are drawn together: a hundred acts of a day or of several hide one person's few."""
BEGINNING = bytes(32)
"""What the first entry of a chain follows."""
_EPOCH = date(2000, 1, 1)


class Flaw(StrEnum):
    """What is wrong with a chain."""

    CHANGED = "changed"
    """An entry's hash is not that of what it says, after the entry before it."""
    MISSING = "missing"
    """A place in the chain is empty, or the chain is shorter than it was when it was signed."""
    INSERTED = "inserted"
    """An entry is there twice, or was not written by this product."""
    UNSIGNED = "unsigned"
    """The newest signature is not ours, or is for another chain than this."""
    FELL_BACK = "fell_back"
    """The chain ends earlier, or otherwise, than at a point that was seen before."""

    @property
    def code(self) -> str:
        """What a sweep that found it reports."""
        return f"audit_log_{self}"


@dataclass(frozen=True, slots=True)
class Link:
    """One public half in its place."""

    chain: int
    position: int
    """From 1 on."""
    day: date
    """The day of the act while it is recent; in a lasting chain the last day of those that were drawn together."""
    kind: AuditKind
    commitment: bytes
    hash: bytes
    ours: bool = True
    """Whether its seal says that this product wrote it. Lasting entries have none: their chain is signed."""

    def follows(self, previous: bytes) -> bytes:
        """Return the hash that this entry has after `previous`: SHA-256, every part of known length."""
        kind = self.kind.encode()
        return hashlib.sha256(
            previous
            + self.chain.to_bytes(4)
            + self.position.to_bytes(8)
            + (self.day - _EPOCH).days.to_bytes(4, signed=True)
            + len(kind).to_bytes(4)
            + kind
            + self.commitment
        ).digest()


@dataclass(frozen=True, slots=True)
class Head:
    """How long a chain was at an instant, and the hash at its end; signed."""

    chain: int
    length: int
    hash: bytes
    signed_at: datetime
    signature: bytes = field(default=b"", repr=False)

    @property
    def said(self) -> bytes:
        """The bytes that are signed."""
        return (
            b"pico audit head 1"
            + self.chain.to_bytes(4)
            + self.length.to_bytes(8)
            + self.hash
            + self.signed_at.isoformat().encode()
        )


def digest_of(heads: Mapping[int, Head]) -> str:
    """Return SHA-256, in hexadecimal, over how far each lasting chain goes: a receipt names it."""
    ends = (
        head.chain.to_bytes(4) + head.length.to_bytes(8) + head.hash for head in heads.values() if head.chain
    )
    return hashlib.sha256(b"".join(sorted(ends))).hexdigest()


@dataclass(frozen=True, slots=True)
class Finding:
    """A flaw, and where: the first place of the chain at which it shows, 0 for the chain as a whole."""

    chain: int
    position: int
    flaw: Flaw


@dataclass(slots=True)
class Walk:
    """Goes along one chain, from its beginning or from a head that was checked before."""

    chain: int
    length: int = 0
    hash: bytes = BEGINNING
    findings: list[Finding] = field(default_factory=list)
    passed: dict[int, bytes] = field(default_factory=dict)
    """The hash at each length asked for by `watch`."""
    watch: frozenset[int] = frozenset()

    def along(self, links: Iterable[Link]) -> None:
        """Check the next links, in order of position. After a flaw it goes on from what is there."""
        for link in links:
            place = self.length + 1
            if link.position != place:
                flaw = Flaw.MISSING if link.position > place else Flaw.INSERTED
                self.findings.append(Finding(self.chain, place, flaw))
            elif link.hash != link.follows(self.hash):
                self.findings.append(Finding(self.chain, place, Flaw.CHANGED))
            if not link.ours:
                self.findings.append(Finding(self.chain, link.position, Flaw.INSERTED))
            self.length, self.hash = link.position, link.hash
            if self.length in self.watch:
                self.passed[self.length] = self.hash

    def must_reach(self, head: Head | None, seen: tuple[int, bytes] | None = None) -> None:
        """Note a flaw unless the chain passes its newest signed head, and a length and hash `seen` before."""
        if head is not None and head.length > self.length:
            self.findings.append(Finding(self.chain, self.length + 1, Flaw.MISSING))
        elif head is not None and self._at(head.length) != head.hash:
            self.findings.append(Finding(self.chain, head.length, Flaw.CHANGED))
        if seen is not None and self._at(seen[0]) != seen[1]:
            self.findings.append(Finding(self.chain, min(seen[0], self.length), Flaw.FELL_BACK))

    def _at(self, length: int) -> bytes | None:
        """Return the hash that the chain had at one of the lengths that are watched; None past its end."""
        if length == self.length:
            return self.hash
        return BEGINNING if length == 0 else self.passed.get(length)
