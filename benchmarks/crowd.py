"""Everybody at one conversation: what is refused, lost or kept twice when all write to the same row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from time import monotonic
from typing import Any

import asyncpg
from rich.box import SIMPLE_HEAD
from rich.table import Table

from benchmarks import population as people
from benchmarks.load import fire
from benchmarks.product import SIDES, Rig
from benchmarks.scenarios import inbound, outbound

BURSTS = (2, 4, 8, 16, 32, 64, 128, 256)
"""Messages that arrive at once, every second one from the other side."""
WIDE = 32
"""Connections of the sustained run."""
ACCOUNT, CONVERSATION = 5, 1


@dataclass(frozen=True, slots=True)
class Crowd:
    """What came of one burst, or of the sustained run."""

    side: str
    title: str
    sent: int
    refused: int
    kept: int
    per_second: float

    @property
    def whole(self) -> bool:
        """Whether every message was taken, and kept once."""
        return not self.refused and self.kept == self.sent


async def crowd(rig: Rig, seconds: float) -> list[Crowd]:
    """Send bursts, then a stream of `seconds` seconds, to either side."""
    serials = count(1)
    return [await _one(rig, side, how, serials, seconds) for how in (*BURSTS, None) for side in SIDES]


async def _one(rig: Rig, side: str, burst: int | None, serials: Iterator[int], seconds: float) -> Crowd:
    before, sent = await _kept(rig, side), 0

    def counted(requests: Iterator[bytes]) -> Iterator[bytes]:
        nonlocal sent
        for request in requests:
            sent += 1
            yield request

    requests = _requests(rig.carrier_token, serials)
    some = islice(requests, burst) if burst else _until(monotonic() + seconds, requests)
    port = rig.sides[side].port
    measured = await fire(port, counted(some), connections=burst or WIDE, bear_refusals=True)
    title = f"{burst} at once" if burst else f"{seconds:.0f} s over {WIDE} connections"
    kept = await _kept(rig, side) - before
    return Crowd(side, title, sent, measured.refused, kept, sent / measured.seconds)


def _requests(carrier_token: str, serials: Iterator[int]) -> Iterator[bytes]:
    """Write messages of one conversation, in and out in turns. They differ between the sides: rows are told apart."""
    number, peer, line = people.number(ACCOUNT), people.peer(ACCOUNT, CONVERSATION), people.line_id(ACCOUNT)
    for serial in serials:
        yield inbound(carrier_token, f"MM{serial:032x}", peer, number, people.saying(serial), lease=line)
        yield outbound(ACCOUNT, f"crowd-{serial:030d}", peer, people.saying(serial))


def _until(end: float, requests: Iterator[bytes]) -> Iterator[bytes]:
    for request in requests:
        if monotonic() > end:
            return
        yield request


async def _kept(rig: Rig, side: str) -> int:
    """Count the conversation's messages."""
    connection = await asyncpg.connect(rig.sides[side].database_url)
    try:
        where = people.account_id(ACCOUNT), people.conversation_id(ACCOUNT, CONVERSATION)
        counted = "SELECT count(*) FROM messages WHERE account_id = $1 AND conversation_id = $2"
        return int(await connection.fetchval(counted, *where))
    finally:
        await connection.close()


def table(crowds: list[Crowd]) -> Table:
    """Lay the results out."""
    laid = Table("one conversation", "side", box=SIMPLE_HEAD, title="Everybody at one conversation")
    for name in ("sent", "refused", "kept", "per second"):
        laid.add_column(name, justify="right")
    for one in crowds:
        colour = "green" if one.whole else "red"
        laid.add_row(
            one.title, one.side, str(one.sent), f"[{colour}]{one.refused}[/]", f"[{colour}]{one.kept}[/]",
            f"{one.per_second:.0f}",
        )  # fmt: skip
    return laid


async def tell(rig: Rig, say: Callable[[Any], None], seconds: float) -> bool:
    """Measure and print it; tell whether the product took every message and kept it once."""
    crowds = await crowd(rig, seconds)
    say(table(crowds))
    return all(one.whole for one in crowds if one.side == "product")
