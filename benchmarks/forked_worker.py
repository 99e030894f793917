"""A worker that is back at once when it is killed: `python -m benchmarks.forked_worker FOLDER`.

It is what `./pico work` runs. What that is made of is loaded once; each worker is a fork, and its process id is told.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from bootstrap.event_loop import run
from bootstrap.process import ending
from bootstrap.settings import Settings
from bootstrap.worlds.sandbox import Sandbox


async def work(folder: Path) -> None:
    """Work until told to end."""
    async with Sandbox.working(Settings(state_dir=folder, spend_a_day=10**7)):
        await ending().wait()


def main(folder: Path) -> None:
    """Fork a worker, and another one whenever it is killed."""
    child = 0

    def stop(*_: object) -> None:
        os.kill(child, signal.SIGKILL)
        sys.exit()

    print("Pico works", flush=True)
    while True:
        child = os.fork()
        if child == 0:
            run(work(folder))
            os._exit(0)
        signal.signal(signal.SIGTERM, stop)
        print(child, flush=True)
        os.waitpid(child, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
