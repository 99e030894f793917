"""The Sandbox: the real product on one machine, with simulated providers."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from aiohttp import ClientSession, DummyCookieJar

from adapters.inbound.http.app import build
from adapters.inbound.http.server import serving
from adapters.inbound.worker import Worker, keep_sweeping
from adapters.outbound.local.kms import LocalKms
from adapters.outbound.local.ledger import LocalLedger
from adapters.outbound.local.mailbox import LocalMailbox
from adapters.outbound.postgres import keyring as keyring_database
from adapters.outbound.postgres.directory import PostgresDirectory
from adapters.outbound.postgres.keyring import PostgresKeyring
from adapters.outbound.postgres.pool import Database, connect
from adapters.outbound.postgres.queue import PostgresQueue
from adapters.outbound.postgres.schema import migrate
from adapters.outbound.postgres.store import PostgresStore
from adapters.outbound.system import Argon2Hasher, ShiftedClock, SignedTokens, TimeOrderedIds
from adapters.outbound.twilio.carrier import TwilioCarrier
from adapters.outbound.twilio.signature import TwilioSignature
from adapters.outbound.twilio.simulator import TwilioSimulator
from adapters.outbound.twilio.vocabulary import status_of
from application.use_cases import UseCases
from bootstrap.container import wire
from bootstrap.fingerprint import AccountFingerprint
from bootstrap.postgres_server import PostgresUnavailable, start
from bootstrap.sandbox_state import SandboxState
from bootstrap.settings import BadSettings, Settings
from domain.retention import Retention

LOOPBACK = "127.0.0.1"
ACCOUNT_SID = "AC" + "0" * 31 + "1"
SANDBOX = "sandbox"
"""The environment's name: part of what every ciphertext is bound to."""


@dataclass(slots=True)
class Sandbox:
    """The real product on this machine: PostgreSQL, the carrier's real adapter, a simulated carrier that calls back."""

    url: str
    use_cases: UseCases
    state_dir: Path
    database_dir: Path
    database_url: str
    clock: ShiftedClock
    saved: SandboxState
    queue: PostgresQueue
    ledger: LocalLedger
    mailbox: LocalMailbox
    simulator: TwilioSimulator

    @classmethod
    @asynccontextmanager
    async def running(cls, settings: Settings, *, work: bool = True) -> AsyncIterator[Sandbox]:
        """Serve until the block ends. Raises PostgresUnavailable, CannotListen. `work`: run jobs and sweeps here."""
        state = usable(settings.state_dir)
        async with AsyncExitStack() as stack:
            database_url, keyring_url, database_dir = await databases(settings, stack)
            await migrate(database_url)
            database = await stack.enter_async_context(connect(database_url))
            keys = await stack.enter_async_context(asyncpg.create_pool(keyring_url, min_size=1, max_size=4))
            await keyring_database.prepare(keys)

            saved = SandboxState(state / "sandbox.json")
            clock = ShiftedClock(saved.offset)
            ids = TimeOrderedIds(clock)
            keyring = PostgresKeyring(keys, LocalKms(state / "kms", clock.now))
            store = PostgresStore(database, keyring, ids, environment=SANDBOX)
            queue = PostgresQueue(database)
            mailbox = LocalMailbox(state / "mail", clock.now)
            ledger = LocalLedger(state / "ledger", await keyring.system("ledger"))
            hasher = Argon2Hasher()
            stack.callback(hasher.close)

            port = settings.port or free_port()
            url = f"http://{LOOPBACK}:{port}"
            public_url = settings.public_url or url
            simulator = TwilioSimulator(
                account_sid=ACCOUNT_SID,
                auth_token=saved.token,
                now=clock.now,
                state_file=state / "twilio.json",
            )
            carrier = TwilioCarrier(
                await stack.enter_async_context(ClientSession(cookie_jar=DummyCookieJar())),
                account_sid=ACCOUNT_SID, auth_token=saved.token, public_url=public_url,
                api_url=await stack.enter_async_context(simulator.running(LOOPBACK)),
            )  # fmt: skip
            use_cases = wire(
                store=store, directory=PostgresDirectory(database, keyring), queue=queue, keyring=keyring,
                carrier=carrier, mail=mailbox, ledger=ledger, fingerprint=AccountFingerprint(keyring),
                hasher=hasher, tokens=SignedTokens(keyring), clock=clock, ids=ids, retention=Retention(),
            )  # fmt: skip
            sandbox = cls(
                url,
                use_cases,
                state,
                database_dir,
                database_url,
                clock,
                saved,
                queue,
                ledger,
                mailbox,
                simulator,
            )
            app = build(
                use_cases, ready=lambda: is_ready(database), verify_signature=TwilioSignature([saved.token]).verify,
                status_of=status_of, public_url=public_url, sandbox=sandbox,
            )  # fmt: skip
            await stack.enter_async_context(serving(app, LOOPBACK, port))
            if saved.url and saved.url != public_url:
                simulator.move_webhooks(saved.url, public_url)  # we listen elsewhere than the last time
            saved.url = public_url
            saved.save()
            simulator.resume()
            if work:
                for task in (queue.run(Worker(use_cases)), keep_sweeping(use_cases.sweep, SANDBOX_SWEEPS)):
                    stack.push_async_callback(cancelled, asyncio.create_task(task))
            yield sandbox

    async def advance(self, by: timedelta) -> datetime:
        """Move the clock forward and sweep at once; return the new now."""
        self.saved.offset = self.clock.offset = self.clock.offset + by
        self.saved.save()
        await self.queue.shift(by)
        await self.use_cases.sweep()
        return self.clock.now()

    def now(self) -> datetime:
        """Return the Sandbox's present."""
        return self.clock.now()

    async def mails(self) -> list[dict[str, Any]]:
        """Return the mails sent so far, oldest first."""
        return [dict(mail) for mail in await self.mailbox.list()]

    async def sms(self, from_: str, to: str, body: str) -> str:
        """Let somebody text one of our numbers; return the carrier's reference."""
        return await self.simulator.inbound_sms(from_, to, body)

    def faults(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Set how the simulated carrier misbehaves; return what now holds. Raises ValueError."""
        self.simulator.faults.set(wanted)
        return asdict(self.simulator.faults)

    def providers(self) -> dict[str, Any]:
        """Return what each simulated provider still holds."""
        return {"twilio": self.simulator.holdings()}

    async def erased(self) -> bool:
        """Tell whether every erasure that began is finished, receipt and all."""
        return not await self.ledger.pending()

    async def flush(self) -> None:
        """Have PostgreSQL write everything to its files, for whoever wants to search them."""
        connection = await asyncpg.connect(self.database_url)
        try:
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()


SANDBOX_SWEEPS = timedelta(seconds=1)
"""A Sandbox is watched by somebody who just moved its clock."""


async def databases(settings: Settings, stack: AsyncExitStack) -> tuple[str, str, Path]:
    """Return the addresses of database and keyring, and the folder of our own server, run unless others are set."""
    if settings.database_url is not None and settings.keyring_url is not None:
        database_url = settings.database_url.get_secret_value()
        keyring_url = settings.keyring_url.get_secret_value()
        await must_answer("PICO_DATABASE_URL", database_url)
        await must_answer("PICO_KEYRING_URL", keyring_url)
        return database_url, keyring_url, settings.state_dir
    usable(settings.state_dir)
    server = stack.enter_context(start(settings.state_dir / "postgres"))
    connection = await asyncpg.connect(server.url("postgres"))
    try:
        for name in ("pico", "pico_keyring"):
            with suppress(asyncpg.DuplicateDatabaseError):
                await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return server.url("pico"), server.url("pico_keyring"), server.data_dir


def usable(state: Path) -> Path:
    """Make the state folder if need be. Raises BadSettings."""
    try:
        state.mkdir(parents=True, exist_ok=True)
    except OSError:
        state = state / "nowhere"
    if not os.access(state, os.W_OK):
        raise BadSettings("PICO_STATE_DIR is no folder that can be written to: set it to another one.")
    return state


async def must_answer(variable: str, url: str) -> None:
    """Ask a database given by somebody else. Raises PostgresUnavailable, which names the variable and no value."""
    try:
        connection = await asyncpg.connect(url, timeout=10)
        await connection.close()
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError):
        answered = False
    else:
        answered = True
    if not answered:
        raise PostgresUnavailable(f"{variable}: no PostgreSQL answers there, or it does not let us in.")


async def is_ready(database: Database) -> None:
    """Ask the database anything. Raises StoreUnavailable."""
    await database.fetch("SELECT 1")


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.create_server((LOOPBACK, 0)) as probe:
        return int(probe.getsockname()[1])


async def cancelled(task: asyncio.Task[None]) -> None:
    """End a background task and wait for its end."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
