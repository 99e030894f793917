"""What falls due by the clock, all at once, and what others notice of it.

`./pico bench --due-sessions ROWS`: so many sessions, of which one in fifty is past its time. `--due-accounts COUNT`: so
many accounts whose erasure is due at the same moment. Meanwhile somebody else asks, as a server would for them: whose
session is this, and what conversations do they have? They do so in a process of their own, as a server is one; worker
and providers are in another, and all share the machine with the database.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic, perf_counter, process_time

from application.inbound_messages import InboundMessage
from application.sessions import PurgeEndedSessions
from benchmarks.tripwires import SECRET, Ground, ground_in, product_on, work
from bootstrap.process import work as working
from domain.kernel import AccountId, CarrierRef
from domain.retention import Retention
from domain.values import Email, Label, MessageBody, Peer, PhoneNumber

STRANGER = Peer("+13105550178")
AREAS = (202, 212, 213, 214, 215, 216, 303, 305, 312, 313, 347, 404, 415, 503, 602, 702, 713, 718, 801, 901)
NUMBERS = (f"+1{area}555{number:04}" for area, number in product(AREAS, range(100, 200)))
SWEEP = 500
PAUSE = 0.02
"""Seconds between two requests of somebody else."""
ALONE_SECONDS = 30.0
TWICE = 2.0
PATIENCE = timedelta(minutes=30)
OTHERS = """
    INSERT INTO sessions (account_id, id, fingerprint, created_at, ends_at, revoked_at, version)
    SELECT md5('account ' || n % 1000)::uuid, gen_random_uuid(), '\\x01'::bytea, now() - interval '200 days',
        CASE WHEN n % 50 = 0 THEN now() - interval '91 days' - n * interval '1 second'
            ELSE now() + n * interval '1 second' END,
        CASE WHEN n % 100 = 0 THEN now() - interval '92 days' - n * interval '1 second' END, 1
    FROM generate_series(1, $1::int) n
"""
FOUND = (
    "EXPLAIN SELECT id FROM sessions WHERE revoked_at <= now() - interval '90 days' ORDER BY revoked_at LIMIT 500",
    "EXPLAIN SELECT id FROM sessions WHERE ends_at <= now() - interval '90 days' ORDER BY ends_at LIMIT 500",
)
"""How a sweep finds what is due."""


@dataclass(frozen=True)
class Somebody:
    """Asks for their own, again and again, in a process of its own, which is as a server's."""

    process: BaseProcess
    here: Connection

    async def p99(self) -> float:
        """Return the 99th percentile, in milliseconds, of how long the answers took since this was asked last."""
        self.here.send("p99")
        took = sorted(await asyncio.to_thread(self.here.recv))
        return took[len(took) * 99 // 100] * 1000


def ask(folder: str, account: AccountId, token: str, told: Connection) -> None:
    """Be the process that asks, until told to end."""

    async def asking() -> None:
        took = list[float]()
        async with product_on(Path(folder)) as product:
            do = product.use_cases
            while True:
                if took and told.poll():
                    if told.recv() != "p99":
                        return
                    told.send(took)
                    took = []
                began = perf_counter()
                await do.authenticate(token)
                await do.list_conversations(account, None, None, 20)
                took.append(perf_counter() - began)
                await asyncio.sleep(PAUSE)

    asyncio.run(asking())


@asynccontextmanager
async def somebody(ground: Ground) -> AsyncIterator[Somebody]:
    """Sign somebody up who stays, and have them ask until the block ends."""
    account = await ground.somebody("ada")
    signed_in = await ground.product.use_cases.sign_in(Email("ada@example.org"), SECRET)
    here, there = ground.context.Pipe()
    process = ground.context.Process(
        target=ask, args=(str(ground.folder), account, str(signed_in.token), there)
    )
    process.start()
    there.close()
    ada = Somebody(process, here)
    try:
        await ada.p99()  # of the first answer, which opens connections
        yield ada
    finally:
        here.send("end")
        await asyncio.to_thread(process.join)


async def sessions(rows: int, folder: Path, say: Callable[[str], None]) -> int:
    """Purge what is due of so many sessions, cut off half-way; return how many promises were broken."""
    async with ground_in(folder, __name__) as ground, somebody(ground) as ada:
        began = perf_counter()
        await ground.pool.execute(OTHERS, rows, timeout=3_600)
        await ground.pool.execute("VACUUM ANALYZE sessions", timeout=3_600)
        say(f"{rows} sessions were made in {perf_counter() - began:.0f} s")
        await ada.p99()
        await asyncio.sleep(ALONE_SECONDS)
        alone, due, gone = await ada.p99(), rows // 50, 0
        plans = ["\n".join(row[0] for row in await ground.pool.fetch(each)) for each in FOUND]
        broken = [f"not by index:\n{plan}" for plan in plans if "Seq Scan" in plan or "Sort" in plan]
        purge, clock = (
            PurgeEndedSessions(ground.product.outside.store, Retention()),
            ground.product.outside.clock,
        )
        began = perf_counter()
        while latest := (await purge(clock.now(), SWEEP)).purged:
            gone += latest
            if gone >= due // 2:  # as another process would go on
                purge = PurgeEndedSessions(ground.product.outside.store, Retention())
        took, beside = perf_counter() - began, await ada.p99()
        left = await ground.pool.fetchval("SELECT count(*) FROM sessions")
        say(
            f"{gone} of {rows} sessions went in {took:.1f} s ({took / max(gone, 1) * 1e6:.0f} µs each); somebody else's"
            f" p99 was {alone:.1f} ms without, {beside:.1f} ms beside it"
        )
        broken += ["not all that was due went"] if gone != due else []
        broken += ["something went that was not due"] if left < rows - due else []
        broken += ["p99 more than doubled"] if beside > TWICE * alone else []
        for one in broken:
            say(f"broken: {one}")
        return len(broken)


async def leaving(ground: Ground, number: int) -> AccountId:
    """Have somebody live, and ask for erasure at once."""
    use_cases = ground.product.use_cases
    account = await ground.somebody(f"gone{number}")
    line = (await use_cases.buy_line(account, PhoneNumber(next(NUMBERS)), Label("Work"), "buy")).line
    await use_cases.send_message(account, line.id, STRANGER, MessageBody("Are you there?"), "send")
    heard = CarrierRef(await ground.simulator.inbound_sms(STRANGER, line.number, "I am."))
    await use_cases.receive_message(
        InboundMessage(heard, line.number, STRANGER, MessageBody("I am."), line_id=line.id)
    )
    await work(ground.product, use_cases, rounds=1)
    await use_cases.erase_on_request(account, really=True)
    return account


async def accounts(count: int, folder: Path, say: Callable[[str], None]) -> int:
    """Have so many accounts due at once, and let a worker erase them; return how many promises were broken."""
    async with ground_in(folder, __name__) as ground, somebody(ground) as ada:
        outside = ground.product.outside
        gone = [await leaving(ground, number) for number in range(count)]
        names = deque([await outside.fingerprint(account) for account in gone])
        """Whose receipt is not there: to ask for all of them each time would be what others notice."""
        await ada.p99()
        await asyncio.sleep(ALONE_SECONDS)
        alone, began, busy = await ada.p99(), monotonic(), process_time()
        async with working(ground.product):
            while monotonic() < began + PATIENCE.total_seconds():
                while names and await outside.ledger.receipt(names[0]) is not None:
                    names.popleft()
                if not names:
                    break
                await asyncio.sleep(1)
        took, beside, busy = monotonic() - began, await ada.p99(), process_time() - busy
        left = [account for account in gone if any((await outside.store.count_rows(account)).values())]
        say(
            f"{count} accounts erased in {took:.0f} s ({took / count:.2f} s each, and {busy / count:.2f} s"
            f" of the worker's and the providers' processor time); somebody else's p99 was {alone:.1f}"
            f" ms without, {beside:.1f} ms beside it"
        )
        broken = [f"{len(left)} accounts are left"] if left else []
        broken += ["it took more than half an hour"] if took >= PATIENCE.total_seconds() else []
        broken += ["p99 more than doubled"] if beside > TWICE * alone else []
        for one in broken:
            say(f"broken: {one}")
        return len(broken)
