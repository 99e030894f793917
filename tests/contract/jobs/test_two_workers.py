"""Two workers and one job: the first freezes, somewhere between two looks, until the second has done all there is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from application.ports.jobs import ERASURE_JOB, JobLease, LeasedJob, Outcome
from bootstrap.worlds import InMemory
from tests.contract.conftest import Postgres
from tests.support.actors import PASSWORD, STRANGER, sign_up, with_line
from tests.support.harness import OnPostgres, on_postgres

WRITES = frozenset({"order", "release", "send", "delete_copy", "erase"})
READS = frozenset({"find_by_pair", "look_up", "find_order", "list_message_refs", "owns"})
A_WHILE, MONTH = timedelta(minutes=3), timedelta(days=31)

Opened = AbstractAsyncContextManager[InMemory]


@asynccontextmanager
async def in_memory() -> AsyncIterator[InMemory]:
    yield InMemory()


@pytest.fixture(params=["memory", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Opened]:
    if request.param == "memory":
        return in_memory
    postgres: Postgres = request.getfixturevalue("postgres")
    return partial(on_postgres, postgres, tmp_path)


class Freezing:
    """A part of a world at whose named methods a worker may freeze before it is heard."""

    def __init__(self, part: Any, freeze: Callable[[], Awaitable[None]], *methods: str) -> None:
        self._part, self._freeze, self._methods = part, freeze, methods

    def __getattr__(self, name: str) -> Any:
        honest = getattr(self._part, name)
        if name not in self._methods:
            return honest

        async def frozen_first(*given: Any, **named: Any) -> Any:
            await self._freeze()
            return await honest(*given, **named)

        return frozen_first


@dataclass
class TwoWorkers:
    """A world in which the worker of a job freezes at its nth look, and a second one does what is due meanwhile."""

    world: InMemory
    told: list[str] = field(default_factory=list)
    """What the providers were told to do."""
    late: list[str] = field(default_factory=list)
    """What of it by the first worker, once it had been frozen."""
    job: str = ""
    freeze_at: int | None = None
    frozen: bool = False
    looks: int = 0
    watched: JobLease | None = None
    doing: JobLease | None = None
    meanwhile: Callable[[], Awaitable[object]] | None = None

    def __post_init__(self) -> None:
        """Let every look of a job be a place to freeze at, and note every write."""
        world = self.world
        world.store = Freezing(world.store, self.freeze, "update")  # type: ignore[assignment]
        world.queue = Freezing(world.queue, self.freeze, "holds")  # type: ignore[assignment]
        for part in (world.carrier, world.mail):
            for name in WRITES & set(dir(part)):
                setattr(part, name, self._noting(name, getattr(part, name)))
        for name in READS:
            setattr(world.carrier, name, getattr(Freezing(world.carrier, self.freeze, name), name))
        world.wire()
        world.worker = self._watching(world.worker)  # type: ignore[assignment]

    def _noting(self, name: str, write: Callable[..., Any]) -> Callable[..., Any]:
        async def noted(*given: Any) -> Any:
            self.told.append(name)
            if self.frozen and self.doing == self.watched:
                self.late.append(name)
            return await write(*given)

        return noted

    def _watching(self, worker: Callable[[LeasedJob], Awaitable[Outcome]]) -> Callable[..., Any]:
        async def watched(leased: LeasedJob) -> Outcome:
            if self.watched is None and self.freeze_at is not None and leased.job.name == self.job:
                self.watched = leased.lease
            self.doing, before = leased.lease, self.doing
            try:
                return await worker(leased)
            finally:
                self.doing = before

        return watched

    async def freeze(self) -> None:
        """Count a look of the watched job; at the one that is meant, let the other worker have the job."""
        if self.frozen or self.watched is None or self.doing != self.watched:
            return
        self.looks += 1
        if self.looks == self.freeze_at:
            self.frozen = True
            if isinstance(self.world, OnPostgres):
                lapse = "UPDATE jobs SET due_at = now() - interval '1 s' WHERE id = $1"
                await self.world.database.execute(lapse, self.watched.job_id)
            else:
                self.world.queue.lapse(self.watched)
            self.doing, doing = None, self.doing
            await self.world.settle()
            await self.happen_meanwhile()
            self.doing = doing

    async def happen_meanwhile(self) -> None:
        """Let happen what is to happen once the job is done, and only once."""
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            await happens()


async def sends(two: TwoWorkers) -> None:
    two.job = "send_message"
    ada = await with_line(two.world)
    await two.world.settle()
    for body in ("one", "two"):
        await ada.sends(body)


async def orders(two: TwoWorkers) -> None:
    two.job = "complete_purchase"
    await sign_up(two.world)  # so that the mails of somebody else are done
    two.world.carrier.outage = True
    ada = await with_line(two.world, "grace")
    assert ada.line is not None
    assert ada.line.is_ordering
    two.world.carrier.outage = False
    two.world.clock.advance(A_WHILE)
    await two.world.queue.shift(A_WHILE)


async def releases(two: TwoWorkers) -> None:
    two.job = "finish_release"
    ada = await with_line(two.world)
    await two.world.settle()
    two.world.carrier.silent = True
    await two.world.carrier.receive(STRANGER, ada.number, "still on its way")

    async def bought_by_another() -> None:
        grace = await with_line(two.world, "grace", ada.number)
        assert grace.line is not None
        assert grace.line.accepts_messages

    two.meanwhile = bought_by_another
    await ada.gives_up()
    await two.world.queue.shift(two.world.retention.released_number.keep)


async def deletes_a_copy(two: TwoWorkers) -> None:
    two.job = "delete_carrier_copy"
    ada = await with_line(two.world)
    await two.world.carrier.receive(STRANGER, ada.number, "hello")
    await two.world.settle()
    two.world.clock.advance(A_WHILE)
    await two.world.queue.shift(A_WHILE)


async def mails(two: TwoWorkers) -> None:
    two.job = "mail_deletion_scheduled"
    ada = await sign_up(two.world)
    await two.world.use_cases.delete_account(ada.id, PASSWORD)


async def erases(two: TwoWorkers) -> None:
    two.job = ERASURE_JOB
    ada = await with_line(two.world)
    await two.world.use_cases.delete_account(ada.id, PASSWORD)
    await two.world.settle()
    await two.world.carrier.receive(STRANGER, ada.number, "too late")
    two.world.clock.advance(MONTH)
    await two.world.use_cases.sweep()


SCENES = [sends, orders, releases, deletes_a_copy, mails, erases]


async def played(
    opened: Callable[[], Opened], scene: Callable[[TwoWorkers], Awaitable[None]], freeze_at: int | None
) -> TwoWorkers:
    """Play a scene to its end, its first job frozen at that look."""
    async with opened() as world:
        two = TwoWorkers(world)
        await scene(two)
        two.freeze_at = freeze_at
        await world.settle()
        await two.happen_meanwhile()
        await world.settle()
        return two


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
async def test_a_worker_whose_job_went_to_another_writes_nothing(
    opened: Callable[[], Opened], scene: Callable[[TwoWorkers], Awaitable[None]]
) -> None:
    alone = await played(opened, scene, None)
    assert WRITES & set(alone.told)
    for at in count(1):
        two = await played(opened, scene, at)
        assert two.late == [], f"frozen at look {at}"
        for once in ("send", "order"):
            assert two.told.count(once) == alone.told.count(once), f"frozen at look {at}"
        if not two.frozen:
            break  # the job looked less often
    assert at > 1
