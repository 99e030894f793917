"""Calls to AWS: boto3 waits for its answers, so it does that in a few threads of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import TypeVar

from botocore.config import Config
from botocore.exceptions import ClientError

T = TypeVar("T")

THREADS = 16
"""Requests under way at once, and connections kept."""
MOST_WAITING = 512
"""Calls that may wait for a thread; one more is refused, so that an outage piles up nothing."""

CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=THREADS,
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
"""How every client is built. Seconds; a call ends within 21 of them, pauses between attempts left out."""


class TooManyCalls(Exception):
    """More calls wait for AWS than it makes sense to."""


class AwsCalls:
    """A bounded pool of threads in which clients are asked. A client is made once and shared by them all."""

    def __init__(
        self,
        threads: int = THREADS,
        most_waiting: int = MOST_WAITING,
        called: Callable[[str, str, float], None] | None = None,
    ) -> None:
        """Ask in so many threads. `called` is told of each call: `aws`, what came of it, and seconds."""
        self._called = called
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="aws")
        self._room = threads + most_waiting
        self._under_way = 0

    async def __call__(self, act: Callable[[], T]) -> T:
        """Do one thing in a thread. Raises TooManyCalls, and whatever `act` raises.

        Whoever gives up leaves the thread at work, for as long as the time-outs let it.
        """
        if self._under_way >= self._room:
            raise TooManyCalls
        self._under_way += 1
        asked = asyncio.get_running_loop().run_in_executor(self._pool, act)
        asked.add_done_callback(self._ended)
        if self._called is None:
            return await asked
        began, outcome = perf_counter(), "unanswered"
        try:
            answer = await asked
            outcome = "2xx"
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            outcome = f"{status // 100}xx" if status else outcome
            raise
        else:
            return answer
        finally:
            self._called("aws", outcome, perf_counter() - began)

    def close(self) -> None:
        """Start nothing more; what is under way ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _ended(self, _asked: object) -> None:
        self._under_way -= 1
