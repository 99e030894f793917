"""Both sides on one footing: one PostgreSQL, one keyring, and for each side a clone of the same seeded database."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import astuple, dataclass
from hashlib import sha256
from pathlib import Path

import asyncpg

from benchmarks.population import Population
from benchmarks.scenarios import PUBLIC_URL
from benchmarks.seed import seed
from bootstrap.postgres_server import PostgresServer, start
from bootstrap.sandbox_state import SandboxState

ROOT = Path(__file__).resolve().parent.parent
SIDES = ("product", "floor")
POSTGRES = {"max_wal_size": "4GB", "checkpoint_timeout": "1h", "shared_buffers": "512MB"}
"""So that no checkpoint falls into one half of a pair. What makes a commit durable is left as it is."""
TEMPLATE, KEYRING = "seeded", "keyring"
KEYRINGS = {side: f"keyring_of_{side}" for side in SIDES}
"""Each side has its own: what is over is remembered there, and happens on both."""
DROP = [f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in (*SIDES, *KEYRINGS.values())]


@dataclass(slots=True)
class Side:
    """A server process, and the database behind it."""

    name: str
    database_url: str
    keyring_url: str
    process: asyncio.subprocess.Process
    port: int

    def cpu(self) -> float:
        """Return the seconds of processor time that the process has used (Linux, proc(5)) in its only busy thread."""
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) / 1e9


@dataclass(frozen=True, slots=True)
class Ground:
    """A seeded database and its keyring: enough for what no server takes part in."""

    size: Population
    kms: Path
    database_url: str
    keyring_url: str


@dataclass(slots=True)
class Rig:
    """Both sides, running. `carrier_token` signs webhooks for either."""

    size: Population
    carrier_token: str
    kms: Path
    sides: dict[str, Side]

    @property
    def ground(self) -> Ground:
        """What lies behind the product's side."""
        side = self.sides["product"]
        return Ground(self.size, self.kms, side.database_url, side.keyring_url)


@asynccontextmanager
async def running(size: Population, say: Callable[[str], None]) -> AsyncIterator[Rig]:
    """Seed if need be, clone, start both sides; stop them at the end."""
    home = ROOT / "var" / "bench" / "-".join(map(str, astuple(size)))
    home.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        server = stack.enter_context(start(home / "postgres", settings=POSTGRES))
        say("Seeding, if the data is not there from a former run ...")
        await _seeded(server, home, size)
        say("Cloning the data for each side ...")
        await _cloned(server)
        stack.push_async_callback(_execute, server, *DROP)
        token = SandboxState(home / "sandbox.json").token
        sides = {}
        for name in SIDES:
            place = {
                "database_url": server.url(name), "keyring_url": server.url(KEYRINGS[name]), "state_dir": str(home),
                "public_url": PUBLIC_URL,
            }  # fmt: skip
            log = stack.enter_context((home / f"{name}.log").open("wb"))
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "benchmarks.sides", name, json.dumps(place),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log, cwd=ROOT, limit=1 << 20,
            )  # fmt: skip
            stack.push_async_callback(_ended, process)
            port = await process.stdout.readline()  # type: ignore[union-attr]
            if not port:
                raise RuntimeError(f"{name} did not start; {home / name}.log says why")
            sides[name] = Side(name, server.url(name), server.url(KEYRINGS[name]), process, int(port))
        yield Rig(size, token, home / "kms", sides)


async def _seeded(server: PostgresServer, home: Path, size: Population) -> None:
    """Have the template filled with what this very code would fill it with."""
    sources = [
        *(ROOT / "adapters/outbound/postgres/migrations").rglob("*.py"),
        *(ROOT / "benchmarks").glob("seed.py"),
    ]
    sources += [
        ROOT / "adapters/outbound/postgres" / name
        for name in ("binding.py", "codec.py", "sealing.py", "tables.py")
    ]
    sources.append(ROOT / "benchmarks/population.py")
    wanted = sha256(b"".join(source.read_bytes() for source in sorted(sources))).hexdigest()
    note = home / "seeded"
    if note.exists() and note.read_text() == wanted:
        return
    note.unlink(missing_ok=True)
    await _execute(server, *DROP, *(f"DROP DATABASE IF EXISTS {name}" for name in (TEMPLATE, KEYRING)))
    await _execute(server, *(f"CREATE DATABASE {name}" for name in (TEMPLATE, KEYRING)))
    await seed(server.url(TEMPLATE), server.url(KEYRING), home / "kms", size)
    note.write_text(wanted)


async def _cloned(server: PostgresServer) -> None:
    await _execute(server, *DROP)
    cloned = [(name, TEMPLATE) for name in SIDES] + [(name, KEYRING) for name in KEYRINGS.values()]
    await _execute(
        server, *(f"CREATE DATABASE {name} TEMPLATE {of} STRATEGY FILE_COPY" for name, of in cloned)
    )
    await _execute(server, "CHECKPOINT")


async def _execute(server: PostgresServer, *statements: str) -> None:
    connection = await asyncpg.connect(server.url("postgres"))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Tell a side to stop; what it prints on the way is its profile."""
    said, _ = await process.communicate(b"")  # which also closes its standard input
    if said:
        print(said.decode())
