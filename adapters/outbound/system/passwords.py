"""Argon2id in a bounded pool of threads."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import threading
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError
from typing_extensions import override

from adapters.outbound.system.turns import Turns
from application.ports.passwords import ASKING, Hashing, Overloaded, PasswordHasher
from domain.values import Password, PasswordHash

T = TypeVar("T")

NICENESS = 10
"""Of the threads that hash: a tenth of the processor where others want all of it, and all that nobody wants."""


@dataclass(frozen=True, slots=True)
class PasswordCost:
    """What one hash takes: the second recommendation of RFC 9106 (section 4), unless told otherwise."""

    memory_mib: int = 64
    passes: int = 3
    lanes: int = 4


LEAST = PasswordCost(memory_mib=19, passes=2, lanes=1)
"""OWASP's minimum, below which nothing is served."""


HASHES = max(1, min(2, (os.cpu_count() or 1) // 2))
"""Hashes made at a time. Each takes four processors where it can: on two, one alone leaves little to who answers."""


class Argon2Hasher(PasswordHasher, Hashing):
    """Argon2id in a few threads with a bounded queue.

    Memory is bounded by `threads` x `memory_mib` however many ask: who waits holds none yet. One more turn than there
    are threads is given at a time, so that what the next hash needs is looked up while the one before is made.
    """

    def __init__(
        self, cost: PasswordCost = PasswordCost(), *, threads: int = HASHES, waiting: int = 128
    ) -> None:
        """Hash at that cost; `threads` + 1 turns are given at a time, and `waiting` more wait for one."""
        self._argon = argon2.PasswordHasher(cost.passes, cost.memory_mib << 10, cost.lanes)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2", initializer=_step_back)
        self._closed = False
        self._turns = Turns(at_once=threads + 1, waiting=waiting)
        self._decoy = _decoy(cost)

    @override
    @asynccontextmanager
    async def turn(self, of: str) -> AsyncIterator[Hashing]:
        async with self._turns.turn(ASKING.get(), of):
            yield self

    @override
    async def hash(self, password: Password) -> PasswordHash:
        return PasswordHash(await self._run(self._argon.hash, str(password)))

    @override
    async def verify(self, password: Password, phc: PasswordHash | None) -> bool:
        matched = await self._run(self._matches, str(phc or self._decoy), str(password))
        return matched and phc is not None

    @override
    def outdated(self, phc: PasswordHash) -> bool:
        made = argon2.extract_parameters(phc)
        return made.memory_cost < self._argon.memory_cost or made.time_cost < self._argon.time_cost

    def close(self) -> None:
        """End the threads: whoever still waits for a turn is refused. Repeating is harmless."""
        self._closed = True
        self._pool.shutdown()

    def _matches(self, phc: str, password: str) -> bool:
        try:
            return self._argon.verify(phc, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., T], *args: str) -> T:
        if self._closed:
            raise Overloaded
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)


def _decoy(cost: PasswordCost) -> str:
    """Return what looks like a hash of that cost and is one of no password: to make one takes a quarter of a second."""
    salt, digest = (b64encode(secrets.token_bytes(size)).rstrip(b"=").decode() for size in (16, 32))
    return f"$argon2id$v=19$m={cost.memory_mib << 10},t={cost.passes},p={cost.lanes}${salt}${digest}"


def _step_back() -> None:
    """Have this thread, and the lanes it starts, leave the processor to whoever else wants it: all else is short.

    On Linux each thread has a niceness of its own; elsewhere this would be the whole process's.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):  # a sandbox that forbids it
            os.setpriority(os.PRIO_PROCESS, thread, max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread)))
