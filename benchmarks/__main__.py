"""`python -m benchmarks`: what `./pico bench` runs."""

from __future__ import annotations

import argparse
import asyncio
import sys
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
    live,
    live_apart,
    outage,
    search,
    sign_ins,
    voicemail_kills,
)
from benchmarks.bench import Measure, main
from benchmarks.kill_points import kills_between_send_and_commit
from benchmarks.kills import kills
from benchmarks.population import Population
from benchmarks.scenarios import SCENARIOS
from benchmarks.spend import overspend
from benchmarks.timing import tell
from bootstrap.private_memory import keep_private

if __name__ == "__main__":
    keep_private()
    parser = argparse.ArgumentParser(prog="./pico bench", description="Measure Pico against its floor.")
    parser.add_argument(
        "--timing", nargs="?", type=int, const=400, metavar="PAIRS",
        help="whether the time of an answer tells if an address has its account",
    )  # fmt: skip
    parser.add_argument(
        "--spend", nargs="?", type=int, const=100_000, metavar="SENDS",
        help="whether raced sends make an account spend more than it may",
    )  # fmt: skip
    parser.add_argument(
        "--live", nargs="?", type=int, const=10_000, metavar="CLIENTS",
        help="what it costs to tell so many who follow their accounts",
    )  # fmt: skip
    parser.add_argument(
        "--live-apart", nargs="?", type=int, const=2_000, metavar="ACCOUNTS",
        help="how soon a server that follows so many accounts tells what another one committed",
    )  # fmt: skip
    parser.add_argument(
        "--sign-ins", nargs="?", type=int, const=200, metavar="CLIENTS",
        help="what so many who sign in at once cost those who read, and in memory",
    )  # fmt: skip
    parser.add_argument("--accounts", type=int, default=1_000)
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--tenth", action="store_true", help="a tenth of the data")
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--only", action="append", choices=list(SCENARIOS), default=[])
    parser.add_argument("--connections", type=int, action="append", help="requests at a time (8 and 32)")
    parser.add_argument("--profile", nargs="?", const="product", choices=["product", "floor"])
    parser.add_argument(
        "--crowd", nargs="?", type=float, const=60, default=0, metavar="SECONDS",
        help="everybody at one conversation: bursts, and a stream of so many seconds",
    )  # fmt: skip
    parser.add_argument("--beside", action="store_true", help="sends with a worker at work beside the server")
    parser.add_argument(
        "--deletions", action="store_true", help="erasure of accounts, and purges of what is due"
    )
    parser.add_argument("--exports", action="store_true", help="exports, account by account")
    parser.add_argument(
        "--calls", action="store_true", help="how soon the carrier hears what is to be done with a call"
    )
    parser.add_argument(
        "--kills", type=int, default=0, metavar="N",
        help="kill -9 servers and workers N times under load, and look for what is lost, done twice or left",
    )  # fmt: skip
    parser.add_argument(
        "--voicemail-kills", type=int, default=0, metavar="N",
        help="kill -9 a process N times at each step of a voicemail, and look for what is lost, there twice or left",
    )  # fmt: skip
    parser.add_argument(
        "--erasure-kills", type=int, default=0, metavar="N",
        help="kill -9 a process N times before and after each step of an erasure; what is left, or done twice?",
    )  # fmt: skip
    parser.add_argument(
        "--due-sessions", nargs="?", type=int, const=5_000_000, default=0, metavar="ROWS",
        help="purge what is due of so many sessions, while others ask",
    )  # fmt: skip
    parser.add_argument(
        "--due-accounts", nargs="?", type=int, const=1_000, default=0, metavar="N",
        help="erase so many accounts that are due at once, while others ask",
    )  # fmt: skip
    parser.add_argument(
        "--big-export", nargs="?", type=int, const=1_000_000, default=0, metavar="MESSAGES",
        help="export one account with so many messages, and look at memory",
    )  # fmt: skip
    parser.add_argument(
        "--kill-point", type=int, default=0, metavar="N",
        help="kill -9 the workers N times when the carrier has just taken a message, and nobody has noted it",
    )  # fmt: skip
    parser.add_argument(
        "--outage", nargs="?", type=int, const=5_000, metavar="MESSAGES",
        help="ten minutes in which everything is down, or no webhook comes: by when so many messages are there",
    )  # fmt: skip
    parser.add_argument(
        "--deliveries", nargs="?", type=int, const=10_000, metavar="MESSAGES",
        help="twenty webhooks for each of so many messages; with --kills N, servers are killed meanwhile",
    )  # fmt: skip
    parser.add_argument(
        "--search", nargs="?", type=int, const=100_000, default=0, metavar="MESSAGES",
        help="search one account with so many messages, beside full-text search in clear",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.deliveries:
        with TemporaryDirectory(prefix="pico-deliveries-") as folder:
            Path(folder).chmod(0o755)  # the database's user must reach it
            told = deliveries.deliveries(given.deliveries, given.kills, Path(folder), print)
            sys.exit(asyncio.run(told))
    killing = {
        kills: given.kills, kills_between_send_and_commit: given.kill_point,
        voicemail_kills.kills: given.voicemail_kills, erasure_kills.kills: given.erasure_kills,
        due.sessions: given.due_sessions, due.accounts: given.due_accounts, big_export.tell: given.big_export,
        outage.outages: given.outage or 0, search.tell: given.search,
    }  # fmt: skip
    for killed, times in killing.items():
        if times:
            with TemporaryDirectory(prefix="pico-kills-") as folder:
                Path(folder).chmod(0o755)  # the database's user must reach it
                sys.exit(asyncio.run(killed(times, Path(folder), print)))
    part = 10 if given.tenth else 1
    size = Population(given.accounts // part, given.conversations // part, given.messages // part)
    if given.spend:
        sys.exit(asyncio.run(overspend(given.spend)))
    if given.live:
        sys.exit(asyncio.run(live.tell(given.live)))
    if given.live_apart:
        sys.exit(asyncio.run(live_apart.tell(given.live_apart)))
    if given.sign_ins:
        sys.exit(asyncio.run(sign_ins.tell(given.sign_ins)))
    if given.timing:
        sys.exit(asyncio.run(tell(given.timing)))
    measures: dict[str, Measure] = {
        "crowd": partial(crowd.tell, seconds=given.crowd),
        "beside": partial(beside.tell, pairs=given.pairs),
        "deletions": partial(deletions.tell, pairs=given.pairs),
        "exports": partial(exports.tell, pairs=given.pairs),
        "calls": partial(calls.tell, pairs=given.pairs, connections=given.connections or (8, 32)),
    }
    running = main(
        size=size, pairs=given.pairs, only=given.only, connections=given.connections or (8, 32), profile=given.profile,
        instead=next((measure for name, measure in measures.items() if getattr(given, name)), None), as_json=given.json,
    )  # fmt: skip
    sys.exit(asyncio.run(running))
