"""Argon2id in a bounded pool of threads."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError
from typing_extensions import override

from application.ports.passwords import Overloaded, PasswordHasher
from domain.values import Password, PasswordHash

T = TypeVar("T")


class Argon2Hasher(PasswordHasher):
    """Argon2id at OWASP's recommended minimum (19 MiB, 2 passes, 1 lane), in two threads with a bounded queue."""

    def __init__(
        self, *, memory_kib: int = 19_456, passes: int = 2, threads: int = 2, waiting: int = 32
    ) -> None:
        """Hash with the given cost; at most `threads` + `waiting` requests are accepted at a time."""
        self._argon = argon2.PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._room = threads + waiting
        self._decoy = self._argon.hash(secrets.token_hex(16))

    @override
    async def hash(self, password: Password) -> PasswordHash:
        return PasswordHash(await self._run(self._argon.hash, str(password)))

    @override
    async def verify(self, password: Password, phc: PasswordHash | None) -> bool:
        matched = await self._run(self._matches, str(phc or self._decoy), str(password))
        return matched and phc is not None

    @override
    def outdated(self, phc: PasswordHash) -> bool:
        return self._argon.check_needs_rehash(phc)

    def close(self) -> None:
        """End the threads. Repeating is harmless."""
        self._pool.shutdown()

    def _matches(self, phc: str, password: str) -> bool:
        try:
            return self._argon.verify(phc, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., T], *args: str) -> T:
        if self._room <= 0:
            raise Overloaded
        self._room -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)
        finally:
            self._room += 1
