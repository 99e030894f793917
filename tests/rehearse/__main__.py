"""`./pico rehearse`: see docs/operating.md."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path
from ssl import SSLContext
from tempfile import TemporaryDirectory

from bootstrap.private_memory import keep_private
from tests.support.tls_postgres import certified


def main() -> int:
    """Rehearse; return how much does not hold."""
    parser = argparse.ArgumentParser(
        prog="./pico rehearse", description="Run Production on loopback, under load, while processes die."
    )
    parser.add_argument("--seconds", type=float, default=600, help="of mixed load (600)")
    parser.add_argument("--no-tour", action="store_true", help="without a whole life and the tour at the end")
    parser.add_argument(
        "--roll",
        action="store_true",
        help="instead: roll the previous release to this one and back under load",
    )
    given = parser.parse_args()
    keep_private()
    with TemporaryDirectory(prefix="pico-rehearsal-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the database's user must reach it
        certificate = certified(["localhost"], folder)
        # Whoever calls a webhook believes in this certificate, if it is there before the HTTP client is imported.
        os.environ["SSL_CERT_FILE"] = str(certificate[1])
        return asyncio.run(_rehearsed(given, folder, certificate))


async def _rehearsed(given: argparse.Namespace, folder: Path, certificate: tuple[SSLContext, Path]) -> int:
    from tests.rehearse.rehearsal import SERVERS, WORKERS, staffed, under_load
    from tests.rehearse.roll import rolled
    from tests.rehearse.tour import toured

    # Told to end, it ends all that it started.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)  # type: ignore[union-attr]
    if given.roll:
        found = await rolled(given.seconds, folder, certificate, say)
    else:
        async with staffed(folder, certificate) as fleet:
            found = await under_load(fleet, given.seconds, say)
            if not given.no_tour:
                traces = await toured(fleet, SERVERS, WORKERS)
                say(f"The tour on Production's wiring: {traces} traces left.")
                found += ["the tour left traces"] * traces
    for one in found:
        say(f"broken: {one}")
    return len(found)


def say(line: str) -> None:
    """Tell a person."""
    print(line, flush=True)  # noqa: T201 - a command's own voice


if __name__ == "__main__":
    sys.exit(min(main(), 100))
