"""A roll from the previous release to this one and back, under load: no request may fail.

Those who ask keep their connections, and are never asked to try again: the balancer may go to another server only where
the first one let nobody in. The schema is this release's from the first roll on, as `docs/releases.md` says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from ssl import SSLContext

from tests.rehearse.fleet import Fleet
from tests.rehearse.ground import migrated
from tests.rehearse.load import Load
from tests.rehearse.rehearsal import Killed, failures, staffed, tell
from tests.rehearse.verdict import broken
from tests.support.releases import laid_out, previous

LEAST = 3.0
"""Seconds of load between two steps of a roll."""


async def rolled(
    seconds: float, folder: Path, certificate: tuple[SSLContext, Path], say: Callable[[str], None]
) -> list[str]:
    """Roll forward after a third of the time, back after two thirds. Return what does not hold."""
    commit = previous()
    if not commit:
        return ["this checkout has no history: the previous release's code is not at hand"]
    older = laid_out(commit, folder / "previous")
    async with staffed(folder, certificate, older) as fleet:
        load = Load(fleet.ground)
        await load.settle()
        say(f"{len(fleet.servers)} servers and {len(fleet.workers)} workers of {commit[:7]} run, under load.")
        await load.run(_there_and_back(fleet, older, seconds, say))
        found = await broken(load, say)
        tell(fleet.ground, load, say)
        asked, failed = fleet.ground.front.asked, failures(fleet.ground.front, Killed())
        say(f"{asked} requests; those who asked heard {dict(sorted(load.stage.asked.items()))}")
        found += [f"{times} requests had no answer" for times in [load.stage.asked[0]] if times]
        return found + failed


async def _there_and_back(fleet: Fleet, older: Path, seconds: float, say: Callable[[str], None]) -> None:
    for code, name in ((None, "this release"), (older, "the previous one")):
        await asyncio.sleep(seconds / 3)
        if code is None:
            await migrated(fleet.ground)
            say("The schema is this release's.")
        servers, workers = list(fleet.servers), list(fleet.workers)
        await asyncio.gather(*(fleet.add_server(code) for _ in servers))
        for server in servers:
            await asyncio.sleep(LEAST)
            await fleet.end_server(server)
        await asyncio.gather(*(fleet.add_worker(code) for _ in workers))
        for worker in workers:
            await fleet.end_worker(worker)
        say(f"Everything that runs is {name}.")
    await asyncio.sleep(seconds / 3)
