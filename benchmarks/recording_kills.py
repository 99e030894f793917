"""`kill -9` at every step of what a carrier recorded, from its webhook to the deletion at the carrier.

At each step a process dies as many times; another then goes on. No audio may be lost, none may be there twice, and no
object may be left that nothing has. What outlives the processes, as it does in life, runs here: PostgreSQL and the
carrier.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from adapters.outbound.local.byte_store import LocalByteStore
from application.use_cases import UseCases
from benchmarks.tripwires import Ground, Mined, Tripwire, product_on, work
from bootstrap.container import wire
from domain.kernel import AccountId, ObjectId

PASSES = 6


class Told(Protocol):
    """What the carrier's webhooks say of a recording."""

    async def tell(self, use_cases: UseCases) -> None:
        """Say it, each of them twice."""
        ...


def life(folder: str, told: Told, at: int, told_steps: Any) -> None:  # noqa: ANN401 - a connection
    """Be a process that takes a recording in, and is killed at a step."""

    async def lived() -> None:
        tripwire = Tripwire(at)
        async with product_on(Path(folder)) as product:
            outside = product.outside
            mines: dict[str, Any] = {
                "store": Mined(outside.store, tripwire, "update"),
                "objects": Mined(outside.objects, tripwire, "put", "delete"),
                "recordings": Mined(outside.recordings, tripwire, "look_up", "delete", "holds"),
            }
            use_cases = wire(replace(outside, **mines))
            await told.tell(use_cases)
            await work(product, use_cases)
        told_steps.send(tripwire.steps)

    asyncio.run(lived())


async def left_behind(ground: Ground, account: AccountId, wanted: set[ObjectId]) -> list[str]:
    """Return what is there that should not be, where these objects are all that the account has."""
    found = []
    if {object_id async for object_id in ground.product.outside.objects.list_all(account)} != wanted:
        found.append("there are orphan objects, or one is missing")
    held = ground.simulator.holdings()
    if held["recordings"] or held["transcriptions"]:
        found.append("the carrier still holds it")
    await LocalByteStore(ground.folder / "objects").clear()
    if any((ground.folder / "objects" / "unfinished").iterdir()):
        found.append("half an object is left")
    return found


async def killed(
    ground: Ground, recorded: Callable[[], Awaitable[Told]], broken_of: Callable[[Any], Awaitable[list[str]]],
    times: int, say: Callable[[str], None], every: int,
) -> int:  # fmt: skip
    """Kill `times` times at each step, or each `every`th; return how many promises were broken; each is told.

    `recorded` has the carrier record something, and `broken_of` returns what is lost, twice or left behind of it.
    """
    broken = 0

    async def once(at: int) -> tuple[list[str], list[str]]:
        told = await recorded()
        steps = await ground.live(life, told, at)
        await told.tell(ground.product.use_cases)  # what was not answered is told again
        await ground.go_on(PASSES)
        return steps, await broken_of(told)

    steps, wrong = await once(0)
    say(f"{len(steps)} steps; without a kill: {wrong or 'whole'}")
    broken += len(wrong)
    for at in range(1, len(steps) + 1, every):
        for _ in range(times):
            _, wrong = await once(at)
            broken += len(wrong)
            for one in wrong:
                say(f"broken, killed {steps[at - 1]} ({at}): {one}")
    say(f"killed {len(range(1, len(steps) + 1, every)) * times} times, {broken} promises broken")
    return broken
