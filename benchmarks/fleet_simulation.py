"""The worker fleet at ten million accounts, an outage of each provider in turn.

`python -m benchmarks.fleet_simulation`: discrete events, the standard library only. A job waits until it is due, takes
a place in a worker, the worker's processor, then its provider's time, and is done; where the provider is out it is
tried again after the worker's own back-off. Each simulated job stands for `WEIGHT` of its kind that come at the same
moment, which makes queues longer than in life, not shorter; an erasure stands for itself. The whole time is the day's
busiest hour.

What comes in is in `kinds` and the constants: each says where it is from, measured, a constant of ours, or assumed.
"""

from __future__ import annotations

import argparse
import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from math import ceil

ACCOUNTS = 10**7
DAY = 86_400.0
PEAK = 2.5
"""How much busier the busiest hour is than the mean: assumed."""
BUSY = 0.5
"""How much of their processors workers use at the peak: chosen, so that there is as much again to catch up with."""
PLACES = 64
"""Jobs that one worker does at the same time: `PLACES` of the queue."""
OF_ONE = PLACES // 3
"""How many of them may ask the same provider: `OF_ONE` of the queue."""
FIRST_WAIT, LONGEST_WAIT, JITTER = 2.0, 6 * 3600.0, 0.25
"""The worker's back-off: a constant of ours (adapters/inbound/worker.py)."""
WEIGHT = 50
WARM, OUTAGE, AFTER = 600.0, 1800.0, 5_400.0
"""Seconds before the outage, of it, and that are watched after it."""
REFUSED = 0.05
"""Seconds until a provider that is out says so: assumed."""


@dataclass(frozen=True)
class Kind:
    """A kind of job: how many an account has a day, what one takes of a processor and of others, in seconds."""

    name: str
    a_day: float
    processor: float
    away: float
    needs: frozenset[str]
    asks: str = ""
    """Whose places it takes, as its row of `JOBS` says; nobody's where this is empty."""
    weight: int = WEIGHT


def kinds(erasure: float) -> tuple[Kind, ...]:
    """Return the kinds of jobs; `erasure` is what one takes of a processor."""
    job, row = 661e-6, 400e-6
    return (
        Kind("send", 4, job, 0.15, frozenset({"carrier"}), "carrier"),
        Kind("follow", 4, row, 0.005, frozenset()),
        Kind("wake", 4, job, 0.15, frozenset({"push"}), "push"),
        Kind("index", 8, row, 0.005, frozenset()),
        Kind("voicemail", 0.1, 2 * job, 0.5, frozenset({"carrier", "objects"}), "objects"),
        Kind("mail", 0.02, job, 0.2, frozenset({"mail"}), "mail"),
        Kind("subscription", 1 / 30, job, 0.3, frozenset({"payments"}), "payments"),
        Kind(
            "erasure",
            0.01 / 30,
            erasure,
            3.0,
            frozenset({"carrier", "objects", "mail", "payments", "keys"}),
            weight=1,
        ),
    )


@dataclass(order=True)
class Job:
    due: float
    number: int
    kind: Kind = field(compare=False)
    queued: float = field(compare=False)
    attempt: int = field(default=0, compare=False)


@dataclass
class Fleet:
    """Workers as one pool: a processor each, and so many places; and what became of the jobs."""

    workers: int
    out: str
    hangs: float
    """Seconds that a provider that is out keeps a job; it refuses at once where this is none."""
    of_one: int = OF_ONE
    """Places of each worker that jobs which ask one provider may take."""
    seen: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """By kind, when each job was queued, and how long it took from then to its end."""
    tries: int = 0

    def live(self, coming: Iterator[tuple[float, Kind]]) -> None:
        """Do what comes, until all that came is done."""
        free, numbers = self.workers * PLACES, count()
        waiting: list[Job] = []
        due: dict[str, list[Job]] = defaultdict(list)
        taken = Counter[str]()
        ends: list[tuple[float, int, Job, bool]] = []
        busy_until = 0.0
        following = next(coming, None)
        while following or waiting or ends:
            now = min(
                following[0] if following else float("inf"),
                waiting[0].due if waiting else float("inf"),
                ends[0][0] if ends else float("inf"),
            )
            if following and following[0] == now:
                heapq.heappush(due[following[1].asks], Job(now, next(numbers), following[1], now))
                following = next(coming, None)
            elif waiting and waiting[0].due == now:
                job = heapq.heappop(waiting)
                heapq.heappush(due[job.kind.asks], job)
            else:
                _, _, job, done = heapq.heappop(ends)
                free += job.kind.weight
                taken[job.kind.asks] -= job.kind.weight
                if done:
                    self.seen.setdefault(job.kind.name, []).append((job.queued, now - job.queued))
                else:
                    job.due = now + backoff(job.attempt)
                    job.attempt += 1
                    heapq.heappush(waiting, job)
            while (first := self.next_of(due, free, taken)) is not None:
                heapq.heappop(due[first.kind.asks])
                free -= first.kind.weight
                taken[first.kind.asks] += first.kind.weight
                self.tries += first.kind.weight
                # A job that stands for many has them done by all processors together.
                begun = max(busy_until, now)
                busy_until = begun + first.kind.processor * first.kind.weight / self.workers
                worked = begun + first.kind.processor
                fails = self.out in first.kind.needs and WARM <= worked < WARM + OUTAGE
                took = (self.hangs or REFUSED) if fails else first.kind.away
                heapq.heappush(ends, (worked + took, first.number, first, not fails))

    def next_of(self, due: dict[str, list[Job]], free: int, taken: Counter[str]) -> Job | None:
        """Return the job that is due for longest among those that a place is free for."""
        most = self.workers * self.of_one
        first = (jobs[0] for asks, jobs in due.items() if jobs and (not asks or taken[asks] + WEIGHT <= most))
        job = min(first, default=None)
        return job if job is not None and job.kind.weight <= free else None


def backoff(attempt: int) -> float:
    """Return the seconds before the next attempt, as the worker does."""
    return min(FIRST_WAIT * 2.0 ** min(attempt, 20), LONGEST_WAIT) * random.uniform(1 - JITTER, 1 + JITTER)


def arrivals(kind: Kind, until: float) -> Iterator[tuple[float, Kind]]:
    """Yield when jobs of a kind come, by chance, at the busiest hour's pace; erasures fall due evenly."""
    pace = ACCOUNTS * kind.a_day / DAY / kind.weight * (1.0 if kind.name == "erasure" else PEAK)
    at = random.expovariate(pace)
    while at < until:
        yield at, kind
        at += random.expovariate(pace)


def needed(every: tuple[Kind, ...]) -> int:
    """Return how many workers use `BUSY` of their processors at the peak, and no more of their places."""
    peak = {kind: ACCOUNTS * kind.a_day / DAY * PEAK for kind in every}
    processors = sum(pace * kind.processor for kind, pace in peak.items())
    places = sum(pace * (kind.processor + kind.away) for kind, pace in peak.items()) / PLACES
    return max(2, ceil(max(processors, places) / BUSY))


def share_of(took: list[float], share: float) -> float:
    return sorted(took)[min(int(len(took) * share), len(took) - 1)] if took else 0.0


def told(fleet: Fleet, every: tuple[Kind, ...]) -> str:
    """Say what an outage did: to jobs that need the provider, to all others, and to erasures."""
    hit = {kind.name for kind in every if fleet.out in kind.needs} - {"erasure"}
    during = [
        (queued, took)
        for name in hit
        for queued, took in fleet.seen.get(name, [])
        if WARM <= queued < WARM + OUTAGE
    ]
    others = [
        took
        for name, jobs in fleet.seen.items()
        if name not in hit | {"erasure"}
        for queued, took in jobs
        if queued >= WARM
    ]
    erasures = [took for queued, took in fleet.seen["erasure"] if queued >= WARM]
    lasting = [queued + took - WARM - OUTAGE for queued, took in during]
    caught_up = [0.0, *lasting]
    return (
        f"| {fleet.out or 'none'} | {'hangs' if fleet.hangs else 'refuses' if fleet.out else ''} "
        f"| {share_of([took for _, took in during], 1.0):.0f} | {max(share_of(caught_up, 0.99), 0):.0f} "
        f"| {max(caught_up):.0f} | {share_of(others, 0.99):.1f} | {max(others):.0f} "
        f"| {share_of(erasures, 0.99):.0f} | {max(erasures):.0f} "
        f"| {sum(took <= 3600 for took in erasures) / len(erasures):.1%} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Simulate the worker fleet at ten million accounts.")
    parser.add_argument(
        "--erasure", type=float, default=0.25, help="seconds of a processor that an erasure takes"
    )
    parser.add_argument("--workers", type=int, help="how many; else as many as are half busy at the peak")
    parser.add_argument(
        "--hangs", type=float, default=10.0, help="seconds that a provider that is out keeps a job"
    )
    parser.add_argument(
        "--of-one", type=int, default=OF_ONE, help="a worker's places for one provider; 64: no bound"
    )
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    every = kinds(given.erasure)
    workers = given.workers or needed(every)
    jobs = sum(ACCOUNTS * kind.a_day / DAY * PEAK for kind in every)
    print(f"{workers} workers, {jobs:.0f} jobs a second, an outage of {OUTAGE / 60:.0f} minutes\n")
    print(
        "| out | and | oldest job, s | 99 of 100 caught up, s | all, s | others' p99, s | worst "
        "| erasures' p99, s | worst | in an hour |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for out in ("", "carrier", "push", "mail", "payments", "objects", "keys"):
        for hangs in (0.0, given.hangs) if out else (0.0,):
            random.seed(given.seed)
            fleet = Fleet(workers, out, hangs, given.of_one)
            fleet.live(
                heapq.merge(
                    *(arrivals(kind, WARM + OUTAGE + AFTER) for kind in every), key=lambda each: each[0]
                )
            )
            print(told(fleet, every), flush=True)


if __name__ == "__main__":
    main()
