"""A process of Production whose clock is moved from outside, so that thirty days can pass.

`python -m tests.rehearse.part serve|work FOLDER`: the rehearsal's tour runs on these. But for the clock, and for
looking as often and as soon as a Sandbox does, they are what `./pico serve --no-work` and `./pico work` run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import boto3
from typing_extensions import override

from adapters.inbound.metrics import Meters
from adapters.outbound.system.clock import SystemClock
from bootstrap.event_loop import run
from bootstrap.logs import configure_logs
from bootstrap.parts import Parts
from bootstrap.process import ending
from bootstrap.sandbox_state import STATE, FollowedClock, SandboxState
from bootstrap.settings import ProductionSettings, read_settings
from bootstrap.worlds.amazon import Amazon
from bootstrap.worlds.production import Production
from bootstrap.worlds.sandbox import SWEEP_EVERY
from tests.support.iam import suit_moto


class Moved(Production):
    """Production by another clock."""

    def __init__(self, settings: ProductionSettings, clock: SystemClock) -> None:
        super().__init__(settings)
        self._clock = clock

    @override
    def _parts(self, aws: Amazon, clock: SystemClock, meters: Meters | None) -> Parts:
        parts = super()._parts(aws, clock, meters)
        return replace(parts, clock=self._clock, sweep_every=SWEEP_EVERY, pause=timedelta())


@contextmanager
def suited_to_moto() -> Iterator[None]:
    """Have clients that are made within the block say what moto understands."""
    boto3.setup_default_session()
    suit_moto(boto3.DEFAULT_SESSION.events)  # type: ignore[union-attr]  # it was set up
    try:
        yield
    finally:
        boto3.setup_default_session()


async def main(what: str, folder: Path) -> None:
    """Serve or work until told to end."""
    clock = FollowedClock(SandboxState(folder / STATE))
    production = Moved(read_settings(ProductionSettings), clock)
    with suited_to_moto():
        async with production.running(work=False) if what == "serve" else production.working():
            told = ending()
            print("Pico runs", flush=True)  # noqa: T201 - whoever started it waits for this
            await told.wait()


if __name__ == "__main__":
    configure_logs()
    run(main(sys.argv[1], Path(sys.argv[2])))
