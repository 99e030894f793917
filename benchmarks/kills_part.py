"""A server of Pico's without a carrier of its own: `python -m benchmarks.kills_part FOLDER PORT`.

It is what `./pico serve --no-work` runs, but for the simulated carrier, which must outlive it here. The workers beside
it are `./pico work` on the same folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bootstrap.assembly import assembled
from bootstrap.databases import databases_in_use
from bootstrap.event_loop import run
from bootstrap.process import ending, serve
from bootstrap.sandbox_state import FollowedClock, SandboxState
from bootstrap.settings import Settings
from bootstrap.worlds.sandbox import sandbox_parts


async def main(folder: Path, port: int) -> None:
    settings = Settings(state_dir=folder, spend_a_day=10**7, requests_a_minute=10**7)
    saved = SandboxState(folder / "sandbox.json")
    clock = FollowedClock(saved)
    found = await databases_in_use(settings, saved)
    parts = sandbox_parts(settings, found, saved, clock, saved.url)
    async with assembled(parts) as product, serve(product, port):
        told = ending()
        print("Pico serves", flush=True)
        await told.wait()


if __name__ == "__main__":
    run(main(Path(sys.argv[1]), int(sys.argv[2])))
