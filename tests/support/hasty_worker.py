"""`./pico work` with leases of two seconds, that stops itself once, right before it asks whether a job is still its.

It does so where there is a file named "stop" in the state folder: `python -m tests.support.hasty_worker`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from adapters.outbound.postgres.pool import Database
from adapters.outbound.postgres.queue import PostgresQueue
from application.ports.jobs import JobLease
from application.unit_of_work import PendingWrites
from bootstrap import assembly
from bootstrap.commands.running import work
from bootstrap.private_memory import keep_private
from domain.kernel import AccountId

MARK = "stop"


def stop_once() -> None:
    """Stop this process where the mark is, and take the mark away."""
    mark = Path(os.environ["PICO_STATE_DIR"]) / MARK
    if mark.exists():
        mark.unlink()
        os.kill(os.getpid(), signal.SIGSTOP)


class HastyQueue(PostgresQueue):
    """Stops the process before the question that stands before every write to a provider."""

    async def holds(self, account_id: AccountId, lease: JobLease) -> bool:
        stop_once()
        return await super().holds(account_id, lease)


def holding(work: PendingWrites, lease: JobLease, honest: Callable[..., None] = PendingWrites.hold) -> None:
    """Stop the process before the commit that asks the same."""
    stop_once()
    honest(work, lease)


def hasty(database: Database) -> HastyQueue:
    return HastyQueue(database, lease=timedelta(seconds=2))


if __name__ == "__main__":
    keep_private()
    vars(assembly)["PostgresQueue"] = hasty
    with patch.object(PendingWrites, "hold", holding):
        work({})
