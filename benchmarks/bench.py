"""The benchmark: Pico and the floor take turns on the same machine, in the same run, with the same requests.

Only ratios are worth comparing between machines. A pair is one slice of requests, which each side serves in several
turns, in changing order; its ratio is Pico's throughput over the floor's. Both sides are warm: each account's key and
line have been seen.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from statistics import median, quantiles
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks import check
from benchmarks.load import NotServed, fire
from benchmarks.population import Population
from benchmarks.product import SIDES, Rig, running
from benchmarks.scenarios import SCENARIOS, Scenario

Measure = Callable[[Rig, Callable[[Any], None]], Awaitable[bool]]
"""Measures something on the rig and prints what came of it; tells whether the target was met."""
SLICE_SECONDS = 1.5
"""How long the floor shall need for its half of a pair, in all."""
TURNS = 6
"""How often the sides take turns within a pair: whatever else the machine does meets both alike."""


@dataclass(slots=True)
class Figures:
    """What one side did: per slice its throughput and its processor time per request, per request its latency."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    each: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, float]:
        cuts = quantiles(self.each, n=100)
        return {
            "per_second": round(median(self.rates), 1), "p50_ms": round(cuts[49] * 1e3, 3),
            "p99_ms": round(cuts[98] * 1e3, 3), "cpu_us": round(median(self.cpu) * 1e6, 1),
        }  # fmt: skip


@dataclass(slots=True)
class Result:
    """What came of a scenario."""

    scenario: Scenario
    connections: int
    figures: dict[str, Figures]

    @property
    def ratios(self) -> list[float]:
        return [
            pico / floor for pico, floor in zip(*(self.figures[side].rates for side in SIDES), strict=True)
        ]

    def summary(self) -> dict[str, object]:
        ratios = self.ratios
        return {
            "scenario": self.scenario.name, "connections": self.connections,
            "target": self.scenario.target, "stretch": self.scenario.stretch,
            "ratio": {"min": min(ratios), "median": median(ratios), "max": max(ratios)}, "pairs": ratios,
            "met": median(ratios) >= self.scenario.target,
            **{side: figures.summary() for side, figures in self.figures.items()},
        }  # fmt: skip


async def main(
    *, size: Population | None = None, pairs: int = 9, only: Sequence[str] = (), connections: Sequence[int] = (8, 32),
    profile: str | None = None, instead: Measure | None = None, as_json: bool = False,
) -> int:  # fmt: skip
    """Run the benchmark and print it. Return 0 when every median meets its target, else 1.

    `only`: names of scenarios. `connections`: how many requests are under way at a time. `profile`: a side ("product"
    or "floor") to be profiled instead of measured. `instead`: what else to measure instead of them.
    """
    console = Console(stderr=as_json, width=None if sys.stdout.isatty() else 120, highlight=False)
    try:
        async with running(size or Population(), console.print) as rig:
            if instead is not None:
                return 0 if await instead(rig, console.print) else 1
            checked = await check.check(rig)
            console.print(f"{checked} kinds of requests: the same answers and the same rows on both sides.")
            scenarios = [SCENARIOS[name] for name in only or SCENARIOS]
            if profile:
                for scenario in scenarios:
                    await _profile(rig, scenario, profile)
                return 0
            results = []
            for scenario, wide in product(scenarios, connections):
                console.print(f"Measuring {scenario.title} over {wide} connections ...")
                results.append(await _measure(rig, scenario, pairs, wide))
            written = await check.count_records(rig)
            console.print(f"{sum(written.values())} rows on either side, and as many in each table.")
    except (check.Unequal, NotServed) as error:
        console.print(f"Not comparable: {error}", markup=False)
        return 1
    if as_json:
        print(json.dumps([result.summary() for result in results], indent=2))
    else:
        console.print(_table(results))
    return 0 if all(result.summary()["met"] for result in results) else 1


async def _measure(rig: Rig, scenario: Scenario, pairs: int, connections: int) -> Result:
    result = Result(scenario, connections, {name: Figures() for name in SIDES})
    count = await _warm(rig, scenario)
    for pair in range(pairs):
        requests = scenario.requests(rig.size, rig.carrier_token, pair + 2, count)
        seconds = dict.fromkeys(SIDES, 0.0)
        before = {name: rig.sides[name].cpu() for name in SIDES}
        for turn in range(TURNS):
            for name in SIDES if (pair + turn) % 2 else reversed(SIDES):
                measured = await fire(rig.sides[name].port, requests[turn::TURNS], connections=connections)
                seconds[name] += measured.seconds
                result.figures[name].each += measured.each
        for name, figures in result.figures.items():
            figures.rates.append(count / seconds[name])
            figures.cpu.append((rig.sides[name].cpu() - before[name]) / count)
    return result


async def _warm(rig: Rig, scenario: Scenario) -> int:
    """Let both sides see every account, then let both do what tells how many requests fill a slice of the floor's."""
    rates = {}
    for slice_, count in enumerate((rig.size.accounts, 1_000)):
        requests = scenario.requests(rig.size, rig.carrier_token, slice_, count)
        for name in SIDES:
            rates[name] = count / (await fire(rig.sides[name].port, requests)).seconds
    return max(200, round(rates["floor"] * SLICE_SECONDS))


async def _profile(rig: Rig, scenario: Scenario, name: str) -> None:
    """Have a side profile itself; it prints the profile when it is stopped."""
    side = rig.sides[name]
    count = await _warm(rig, scenario)
    side.process.stdin.write(b"profile\n")  # type: ignore[union-attr]
    await asyncio.sleep(0.5)
    await fire(side.port, scenario.requests(rig.size, rig.carrier_token, 2, count))


def _table(results: list[Result]) -> Table:
    table = Table("scenario", box=SIMPLE_HEAD, title="Pico / floor")
    for name in ("median (min-max)", "target, stretch", "per second", "p50 ms", "p99 ms", "CPU µs"):
        table.add_column(name, justify="right", no_wrap=True)
    for result in results:
        ratios, target, stretch = result.ratios, result.scenario.target, result.scenario.stretch
        middle = median(ratios)
        colour = "green" if middle >= stretch else "yellow" if middle >= target else "red"
        pico, floor = (result.figures[side].summary() for side in SIDES)
        table.add_row(
            f"{result.scenario.title}, c={result.connections}",
            f"[{colour}]{middle:.2f}[/] ({min(ratios):.2f}-{max(ratios):.2f})",
            f"{target:.2f}, {stretch:.2f}",
            f"{pico['per_second']:.0f} / {floor['per_second']:.0f}",
            *(f"{pico[name]:.1f} / {floor[name]:.1f}" for name in ("p50_ms", "p99_ms")),
            f"{pico['cpu_us']:.0f} / {floor['cpu_us']:.0f}",
        )  # fmt: skip
    table.caption = "c: requests under way at a time. CPU: of the server's own process, per request."
    return table
