"""One side of the comparison in a process of its own: `python -m benchmarks.sides product|floor <JSON>`.

It prints the port it serves on. Standard input steers it: "profile" begins to profile, and its end ends it.
"""

from __future__ import annotations

import asyncio
import cProfile
import json
import pstats
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from bootstrap.event_loop import run
from bootstrap.garbage import settle

SPEND_A_DAY = 10**7
"""So much that nobody is refused."""


@asynccontextmanager
async def product(database_url: str, keyring_url: str, state_dir: str, public_url: str) -> AsyncIterator[int]:
    """Pico as `./pico serve` runs it, without a worker: production's works elsewhere."""
    from pydantic import SecretStr  # noqa: PLC0415 - the floor's process must not carry it

    from bootstrap.settings import Settings  # noqa: PLC0415
    from bootstrap.worlds.sandbox import Sandbox  # noqa: PLC0415

    settings = Settings(
        port=0, public_url=public_url, state_dir=Path(state_dir),
        database_url=SecretStr(database_url), keyring_url=SecretStr(keyring_url),
        spend_a_day=SPEND_A_DAY, requests_a_minute=10**7,
    )  # fmt: skip
    async with Sandbox.running(settings, work=False) as sandbox:
        yield int(sandbox.url.rpartition(":")[2])


@asynccontextmanager
async def floor(database_url: str, keyring_url: str, state_dir: str, public_url: str) -> AsyncIterator[int]:
    """The floor. Keys it has not seen lately come from the real keyring."""
    from aiohttp import web  # noqa: PLC0415

    from adapters.inbound.http.listening import listen  # noqa: PLC0415
    from adapters.outbound.local.kms import LocalKms  # noqa: PLC0415
    from adapters.outbound.postgres.keyring import PostgresKeyring  # noqa: PLC0415
    from adapters.outbound.postgres.pool import connect  # noqa: PLC0415
    from adapters.outbound.system.clock import SystemClock  # noqa: PLC0415
    from application.ports.keyring import KeyGone  # noqa: PLC0415
    from benchmarks.floor.database import Lanes  # noqa: PLC0415
    from benchmarks.floor.server import Floor, serve  # noqa: PLC0415
    from domain.kernel import AccountId  # noqa: PLC0415
    from domain.limits import Limit  # noqa: PLC0415
    from domain.spend import DAY  # noqa: PLC0415

    state = json.loads((Path(state_dir) / "sandbox.json").read_text())
    lanes = Lanes(database_url)
    await lanes.open()
    async with connect(keyring_url, least=1, most=4) as keys:
        keyring = PostgresKeyring(keys, LocalKms(Path(state_dir) / "kms", SystemClock().now), memory=0)

        async def load(account: UUID) -> tuple[int, bytes] | None:
            try:
                key = await keyring.open(AccountId(account))
            except KeyGone:
                return None
            return key.version, key.material

        handler = Floor(
            lanes, load, await keyring.system("index"), await keyring.system("limits"),
            limit=Limit(name="spend", most=SPEND_A_DAY, within=DAY, at_once=SPEND_A_DAY * 66 // 100),
            environment="sandbox", token=state["carrier_token"], url=public_url,
        )  # fmt: skip
        server = serve(handler)
        runner = web.ServerRunner(server)
        await runner.setup()
        port, listening = await listen(server, "127.0.0.1", 0)
        yield port
        for each in listening:
            each.close()
        await runner.cleanup()
    lanes.close()


async def main(side: str, place: dict[str, str]) -> None:
    steering, sys.stdout = sys.stdout, sys.stderr  # whatever else is said goes to the log
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin
    )
    profile = cProfile.Profile(time.thread_time)  # of the processor: others may be using it too
    async with {"product": product, "floor": floor}[side](**place) as port:
        settle()
        print(port, file=steering, flush=True)
        if await commands.readline():
            profile.enable()
            await commands.read()
            profile.disable()
            pstats.Stats(profile, stream=steering).sort_stats("tottime").print_stats(40)


if __name__ == "__main__":
    run(main(sys.argv[1], json.loads(sys.argv[2])))
