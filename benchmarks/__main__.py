"""`python -m benchmarks`: what `./pico bench` runs."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import (
    beside,
    big_export,
    calls,
    crowd,
    deletions,
    deliveries,
    due,
    erasure_kills,
    exports,
    greeting_kills,
    kill_points,
    kills,
    live,
    live_apart,
    outage,
    search,
    sign_ins,
    spend,
    timing,
    voicemail_kills,
)
from benchmarks.bench import Measure, main
from benchmarks.population import Population
from benchmarks.scenarios import SCENARIOS
from bootstrap.private_memory import keep_private


@dataclass(frozen=True)
class Experiment:
    """A measurement of its own, beside no floor: an option, which takes a number, and what it runs."""

    option: str
    number: str
    help: str
    run: Callable[[int], Awaitable[int]]
    """Takes the number; returns how many promises were broken."""
    usual: int | None = None
    """The number where none is given; without one it must be."""

    @property
    def name(self) -> str:
        return self.option.strip("-").replace("-", "_")


def in_a_folder(
    run: Callable[[int, Path, Callable[[str], None]], Awaitable[int]],
) -> Callable[[int], Awaitable[int]]:
    """Have an experiment keep its state in a folder that is gone afterwards, and print what it tells."""

    async def running(number: int) -> int:
        with TemporaryDirectory(prefix="pico-bench-") as folder:
            os.chmod(folder, 0o755)  # noqa: PTH101, S103 - the database's user must reach it
            return await run(number, Path(folder), print)

    return running


EXPERIMENTS = (
    Experiment("--timing", "PAIRS", "AUC of answer times, for known and unknown addresses", timing.tell, 400),
    Experiment("--spend", "SENDS", "overspend of an account at its cap, with racing sends", spend.overspend, 100_000),
    Experiment("--live", "CLIENTS", "cost of an event, and memory, with N streams open", live.tell, 10_000),
    Experiment("--live-apart", "ACCOUNTS", "delay of events between two servers", live_apart.tell, 2_000),
    Experiment("--sign-ins", "CLIENTS", "reads and memory while N sign in at once", sign_ins.tell, 200),
    Experiment(
        "--kills", "N", "kill -9 servers and workers under load; count what is lost, done twice or left",
        in_a_folder(kills.kills),
    ),
    Experiment(
        "--kill-point", "N", "kill -9 workers between the carrier's yes to a message and our commit",
        in_a_folder(kill_points.kills_between_send_and_commit),
    ),
    Experiment(
        "--voicemail-kills", "N", "kill -9 N times at each step of a voicemail; count likewise",
        in_a_folder(voicemail_kills.kills),
    ),
    Experiment(
        "--greeting-kills", "N", "kill -9 N times at each step of a greeting said by phone; count likewise",
        in_a_folder(greeting_kills.kills),
    ),
    Experiment(
        "--erasure-kills", "N", "kill -9 N times before and after each step of an erasure; count likewise",
        in_a_folder(erasure_kills.kills),
    ),
    Experiment(
        "--due-sessions", "ROWS", "purge the expired ones of N sessions, while others ask",
        in_a_folder(due.sessions), 5_000_000,
    ),
    Experiment(
        "--due-accounts", "N", "erase N accounts that are due at once, while others ask",
        in_a_folder(due.accounts), 1_000,
    ),
    Experiment(
        "--big-export", "MESSAGES", "export one account of N messages, and watch memory",
        in_a_folder(big_export.tell), 1_000_000,
    ),
    Experiment(
        "--outage", "MESSAGES", "ten minutes without webhooks, then with all down; time until N messages are in",
        in_a_folder(outage.outages), 5_000,
    ),
    Experiment(
        "--search", "MESSAGES", "search one account of N messages, beside full-text search in clear",
        in_a_folder(search.tell), 100_000,
    ),
)  # fmt: skip


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./pico bench", description="Measure Pico and its floor.")
    size = parser.add_argument_group("how much")
    size.add_argument("--accounts", type=int, default=1_000)
    size.add_argument("--conversations", type=int, default=100_000)
    size.add_argument("--messages", type=int, default=1_000_000)
    size.add_argument("--tenth", action="store_true", help="a tenth of the data")
    size.add_argument("--pairs", type=int, default=9, help="runs of each side, in turns")
    size.add_argument("--connections", type=int, action="append", help="requests at a time (8 and 32)")
    beside_floor = parser.add_argument_group("beside the floor (all of --only, where nothing else is named)")
    beside_floor.add_argument("--only", action="append", choices=list(SCENARIOS), default=[])
    beside_floor.add_argument("--profile", nargs="?", const="product", choices=["product", "floor"])
    beside_floor.add_argument(
        "--crowd", nargs="?", type=float, const=60, default=0, metavar="SECONDS",
        help="everybody writes to one conversation: in bursts, then for a while",
    )  # fmt: skip
    for name, told in {
        "beside": "sends with a worker in a process of its own, and without one",
        "deletions": "erasure of accounts, and purges of what is due",
        "exports": "exports, account by account",
        "calls": "time until the carrier hears what is to be done with a call",
    }.items():
        beside_floor.add_argument(f"--{name}", action="store_true", help=told)
    alone = parser.add_argument_group("by themselves")
    for one in EXPERIMENTS:
        many = {"nargs": "?", "const": one.usual} if one.usual else {}
        alone.add_argument(one.option, type=int, default=0, metavar=one.number, help=one.help, **many)  # type: ignore[arg-type]
    alone.add_argument(
        "--deliveries", nargs="?", type=int, const=10_000, default=0, metavar="MESSAGES",
        help="twenty webhooks for each of N messages; with --kills, servers are killed meanwhile",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true")
    return parser


async def chosen(given: argparse.Namespace) -> int:
    """Run what is asked for; return the exit code."""
    if given.deliveries:
        delivered = in_a_folder(lambda number, *rest: deliveries.deliveries(number, given.kills, *rest))
        return await delivered(given.deliveries)
    for one in EXPERIMENTS:
        if number := getattr(given, one.name):
            return await one.run(number)
    part, connections = 10 if given.tenth else 1, given.connections or (8, 32)
    measures: dict[str, Measure] = {
        "crowd": partial(crowd.tell, seconds=given.crowd),
        "beside": partial(beside.tell, pairs=given.pairs),
        "deletions": partial(deletions.tell, pairs=given.pairs),
        "exports": partial(exports.tell, pairs=given.pairs),
        "calls": partial(calls.tell, pairs=given.pairs, connections=connections),
    }
    return await main(
        size=Population(given.accounts // part, given.conversations // part, given.messages // part),
        pairs=given.pairs, only=given.only, connections=connections, profile=given.profile,
        instead=next((measure for name, measure in measures.items() if getattr(given, name)), None),
        as_json=given.json,
    )  # fmt: skip


if __name__ == "__main__":
    keep_private()
    sys.exit(asyncio.run(chosen(options().parse_args())))
