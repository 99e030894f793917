"""`./pico bench --search MESSAGES`: searches in one account, beside full-text search over the same words in clear.

The floor is PostgreSQL with a GIN index over `tsvector`: nothing is sealed there, so its words lie in its files, which
shows that the look for them in ours finds what is there. Both sides answer each query in turn, in a process that does
nothing else; what they find must be the same. First answers are those of a store that has opened no segment yet;
PostgreSQL's own caches are warm on both sides.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from adapters.outbound.local.kms import LocalKms
from adapters.outbound.postgres.codec import CODECS, Keys
from adapters.outbound.postgres.keyring import PostgresKeyring
from adapters.outbound.postgres.places import DueJob
from adapters.outbound.postgres.pool import connect
from adapters.outbound.postgres.queue import PostgresQueue
from adapters.outbound.postgres.repositories.search import MEMORY
from adapters.outbound.postgres.sealing import AccountCipher
from adapters.outbound.postgres.store import PostgresStore
from adapters.outbound.system.clock import SystemClock
from adapters.outbound.system.ids import TimeOrderedIds
from application.ports.jobs import Job
from application.search import INDEX_MESSAGES, IndexMessages, Search
from benchmarks import population as people
from benchmarks.pictures import forget, peak
from benchmarks.population import BEGAN, Population
from benchmarks.seed import records_of, seed
from bootstrap.plaintext_scan import search_files
from bootstrap.postgres_server import start
from bootstrap.worlds.sandbox import SANDBOX
from domain.kernel import CarrierRef, MessageId
from domain.messages import Direction, Message, Status
from domain.search import SHORTEST_PREFIX, Query, words
from domain.values import MessageBody

ACCOUNT = people.account_id(0)
HOUSEHOLD = Population(1, 60, 600)
"""What the account has besides."""
PACE = timedelta(minutes=3)
"""Between two messages."""
PAGE, TIMES = 50, 20
MOST = MEMORY + (32 << 20)
"""Bytes of memory that searches may take."""
CANARY = "zanzibarquokka"
SYLLABLES = "ba den fo gri hal ju ki lor mes nu pra qui ros sta ti vel wo xen yar zo".split()  # noqa: SIM905 - a list of syllables
HEBREW = "בית דרך שלום מחר עיר ספר ילד מים שעה רחוב".split()  # noqa: SIM905 - a list of words
FLOOR = """
    CREATE TABLE said (
        account_id uuid NOT NULL, id uuid NOT NULL, body text NOT NULL,
        words tsvector GENERATED ALWAYS AS (to_tsvector('simple', body)) STORED,
        PRIMARY KEY (account_id, id)
    );
    CREATE INDEX said_by_words ON said USING gin (words);
"""
FOUND = """
    SELECT id, body FROM said WHERE account_id = $1 AND words @@ to_tsquery('simple', $2) ORDER BY id DESC LIMIT $3
"""


class Place(NamedTuple):
    """Where both sides lie, and what is asked of them."""

    database_url: str
    keyring_url: str
    kms: str
    floor_url: str
    queries: dict[str, str]


class Answers(NamedTuple):
    """Of one query: how many were found, whether by both alike, and the seconds of first and later answers."""

    name: str
    hits: int
    same: bool
    first: tuple[float, float]
    """Ours and the floor's; likewise `later`."""
    later: tuple[float, float]


class Measured(NamedTuple):
    """What came of it."""

    answers: list[Answers]
    memory: int


def vocabulary(draw: random.Random) -> list[str]:
    """Return 5,000 words, the common ones first."""
    made = dict.fromkeys("".join(draw.choices(SYLLABLES, k=draw.randint(1, 4))) for _ in range(20_000))
    known = [*HEBREW, *made][:5000]
    draw.shuffle(known)
    return known


def bodies(messages: int, known: list[str], draw: random.Random) -> Iterator[str]:
    """Yield what messages say: 3 to 18 words, a few of which are in most of them; one holds the canary."""
    weights = [1 / (place + 3) for place in range(len(known))]
    for number in range(messages):
        said = draw.choices(known, weights, k=draw.randint(3, 18))
        yield " ".join([*said, CANARY] if number == messages // 2 else said)


def queries_of(known: list[str]) -> dict[str, str]:
    """Return what is searched for, by what it shows."""
    return {
        "one message has it": CANARY,
        "a common word": known[1],
        "a rare word": known[-1],
        "three letters, many words": "sta",
        "two words": f"{known[0]} {known[40]}",
        "three words": f"{known[2]} {known[60]} {known[200]}",
        "Hebrew": HEBREW[0],
        "nobody said it": "nowhereatall",
    }


async def fill(place: Place, messages: int, known: list[str], draw: random.Random) -> None:
    """Fill both sides with the same messages."""
    await seed(place.database_url, place.keyring_url, Path(place.kms), HOUSEHOLD)
    async with connect(place.keyring_url, least=1, most=2) as database:
        keyring = PostgresKeyring(database, LocalKms(Path(place.kms), SystemClock().now))
        keys = Keys(
            AccountCipher(SANDBOX, ACCOUNT, await keyring.open(ACCOUNT)), await keyring.system("index")
        )
    made = [_message(number, body) for number, body in enumerate(bodies(messages, known, draw))]
    codec = CODECS[Message]
    columns = [codec.owner, *(column.name for column in codec.written(codec.owned)), "version"]
    connection = await asyncpg.connect(place.database_url)
    await connection.execute("TRUNCATE messages")
    rows = records_of(codec, made, {ACCOUNT: keys}, [])
    await connection.copy_records_to_table(codec.name, records=rows, columns=columns)
    await connection.execute("VACUUM (ANALYZE) messages")
    await connection.close()
    connection = await asyncpg.connect(place.floor_url)
    await connection.execute(FLOOR)
    clear = ((ACCOUNT, message.id, str(message.body)) for message in made)
    await connection.copy_records_to_table("said", records=clear, columns=["account_id", "id", "body"])
    await connection.execute("VACUUM (ANALYZE) said")
    await connection.close()


def _message(number: int, body: str) -> Message:
    at, inbound = BEGAN + PACE * number, number % 2 == 0
    return Message(
        account_id=ACCOUNT, id=MessageId(people.identity(at, "said", number)), line_id=people.line_id(0),
        conversation_id=people.conversation_id(0, number % HOUSEHOLD.each), body=MessageBody(body), created_at=at,
        direction=Direction.INBOUND if inbound else Direction.OUTBOUND,
        status=Status.RECEIVED if inbound else Status.DELIVERED, ref=CarrierRef(f"SM{number:032x}"),
        attempted_at=None if inbound else at, copy_deleted_at=at,
    )  # fmt: skip


def be_alone(place: Place, told: Any) -> None:  # noqa: ANN401 - a connection
    """Be a process that searches, and tell what it took."""
    told.send(asyncio.run(measured(place)))


async def measured(place: Place) -> Measured:
    """Ask both sides in turn."""
    async with AsyncExitStack() as stack:
        opened = await _stores(place, stack)
        floor = await asyncpg.connect(place.floor_url)
        stack.push_async_callback(floor.close)
        found = await floor.prepare(FOUND)
        store = opened()

        async def ours(text: str) -> list[UUID]:
            return [row.id for row in (await Search(store)(ACCOUNT, Query.parse(text), limit=PAGE)).messages]

        async def theirs(text: str) -> list[UUID]:
            return [row[0] for row in await found.fetch(ACCOUNT, _as_tsquery(text), PAGE)]

        before, answers = forget(), []
        for name, text in place.queries.items():
            store = opened()
            first = await _timed(ours, text), await _timed(theirs, text)
            later = [(await _timed(ours, text), await _timed(theirs, text)) for _ in range(TIMES)]
            hits, others = await ours(text), await theirs(text)
            warm = median(one for one, _ in later), median(other for _, other in later)
            answers.append(Answers(name, len(hits), hits == others, first, warm))
        return Measured(answers, peak() - before)


async def _stores(place: Place, stack: AsyncExitStack) -> Callable[[], PostgresStore]:
    """Return what makes a store that has opened nothing yet."""
    clock = SystemClock()
    database = await stack.enter_async_context(connect(place.database_url, least=1, most=4))
    keys = await stack.enter_async_context(connect(place.keyring_url, least=1, most=2))
    keyring = PostgresKeyring(keys, LocalKms(Path(place.kms), clock.now))
    return lambda: PostgresStore(database, keyring, TimeOrderedIds(clock), environment=SANDBOX)


async def _timed(ask: Callable[[str], Any], text: str) -> float:
    began = perf_counter()
    await ask(text)
    return perf_counter() - began


def _as_tsquery(text: str) -> str:
    return " & ".join(f"{word}:*" if len(word) >= SHORTEST_PREFIX else word for word in words(text))


async def indexed(place: Place) -> float:
    """Have the job make all segments; return the seconds it took."""
    async with AsyncExitStack() as stack:
        store, clock = (await _stores(place, stack))(), SystemClock()
        database = await stack.enter_async_context(connect(place.database_url, least=1, most=2))
        async with store.begin(ACCOUNT) as tx:
            tx.queue(Job(INDEX_MESSAGES, ACCOUNT, ACCOUNT))
        (job,) = await database.fetch("SELECT id FROM jobs WHERE name = $1", INDEX_MESSAGES)
        (leased,) = await PostgresQueue(database).claim([DueJob(ACCOUNT, job[0], INDEX_MESSAGES)])
        began = perf_counter()
        await IndexMessages(store, clock, TimeOrderedIds(clock))(ACCOUNT, ACCOUNT, leased.lease)
        return perf_counter() - began


async def tell(messages: int, folder: Path, say: Callable[[str], None]) -> int:
    """Measure and print it. Return how many promises were broken; each is told."""
    draw = random.Random(1789)
    known = vocabulary(draw)
    with start(folder / "rows") as rows, start(folder / "floor") as floor:
        for server, names in ((rows, ("pico", "pico_keyring")), (floor, ("floor",))):
            connection = await asyncpg.connect(server.url("postgres"))
            for name in names:
                await connection.execute(f"CREATE DATABASE {name}")
            await connection.close()
        place = Place(
            rows.url("pico"),
            rows.url("pico_keyring"),
            str(folder / "kms"),
            floor.url("floor"),
            queries_of(known),
        )
        await fill(place, messages, known, draw)
        say(f"{messages} messages, made into segments in {await indexed(place):.1f} s")
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=be_alone, args=(place, there))
        process.start()
        there.close()
        came: Measured = await asyncio.to_thread(here.recv)
        await asyncio.to_thread(process.join)
        for server in (rows, floor):
            connection = await asyncpg.connect(server.url("postgres"))
            await connection.execute("CHECKPOINT")
            await connection.close()
        traces = {
            name: search_files([folder / name], {"canary": CANARY}) for name in ("rows", "floor", "kms")
        }
    return judged(came, {name: len(found) for name, found in traces.items()}, say)


def judged(came: Measured, traces: dict[str, int], say: Callable[[str], None]) -> int:
    """Print what came of it; return how many promises were broken."""
    say("milliseconds, Pico / PostgreSQL in clear: first answer, later ones (median)")
    for one in came.answers:
        first, later = ([f"{1000 * seconds:.1f}" for seconds in pair] for pair in (one.first, one.later))
        say(f"{one.name}: {one.hits} hits, first {' / '.join(first)}, later {' / '.join(later)}")
    say(f"{came.memory / 2**20:.0f} MiB of memory more at most; it may be {MOST >> 20}")
    say(
        f"files with the canary's word in them: ours {traces['rows'] + traces['kms']}, the floor's {traces['floor']}"
    )
    broken = {
        "the two sides found other messages": not all(one.same for one in came.answers),
        "searches take too much memory": came.memory > MOST,
        "a word lies in clear": traces["rows"] + traces["kms"] > 0,
        "the look for words sees nothing": traces["floor"] == 0,
    }
    for what in (what for what, is_so in broken.items() if is_so):
        say(f"broken: {what}")
    return sum(broken.values())
