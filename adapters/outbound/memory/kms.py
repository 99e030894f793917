"""A key management service in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import uuid4

from typing_extensions import override

from application.ports.kms import (
    LONGEST_WINDOW,
    PLAINTEXT,
    SHORTEST_WINDOW,
    KeyState,
    KeyStatus,
    Kms,
    KmsBadCiphertext,
    KmsKeyGone,
    KmsUnavailable,
    WrappedKey,
)


class MemoryKms(Kms):
    """`Kms` without cryptography: a blob is a random name for what it wraps, so only this object can unwrap it.

    Set `outage` to have every method raise KmsUnavailable. `calls` counts wraps and unwraps, `contexts` keeps the
    encryption contexts they came with, as a provider's log would.
    """

    window = SHORTEST_WINDOW

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Begin with one enabled master key."""
        self.outage = False
        self.calls: Counter[str] = Counter()
        self.contexts: list[dict[str, str]] = []
        self._now = now
        self._masters: dict[str, KeyStatus] = {}
        self._wrapped: dict[WrappedKey, tuple[bytes, dict[str, str]]] = {}
        self._newest = self._create()

    @override
    async def wrap(
        self, plaintext: bytes, context: Mapping[str, str], key_id: str | None = None
    ) -> WrappedKey:
        if len(plaintext) != PLAINTEXT:
            raise ValueError("Only keys of 32 bytes are wrapped.")
        self._note("wrap", context)
        under = key_id or self._newest
        self._status(under).require_usable()
        wrapped = WrappedKey(under, b"wrapped " + uuid4().bytes)
        self._wrapped[wrapped] = plaintext, dict(context)
        return wrapped

    @override
    async def unwrap(self, wrapped: WrappedKey, context: Mapping[str, str]) -> bytes:
        self._note("unwrap", context)
        self._status(wrapped.key_id).require_usable()
        plaintext, bound = self._wrapped.get(wrapped, (b"", None))
        if bound != dict(context):
            raise KmsBadCiphertext
        return plaintext

    @override
    async def rewrap(self, wrapped: WrappedKey, context: Mapping[str, str], key_id: str) -> WrappedKey:
        return await self.wrap(await self.unwrap(wrapped, context), context, key_id)

    @override
    async def create_key(self) -> str:
        self._answer()
        self._newest = self._create()
        return self._newest

    @override
    async def state(self, key_id: str) -> KeyState:
        return self._status(key_id).state

    @override
    async def enable(self, key_id: str) -> None:
        self._masters[key_id] = self._status(key_id).enabled()

    @override
    async def disable(self, key_id: str) -> None:
        self._masters[key_id] = self._status(key_id).disabled()

    @override
    async def schedule_deletion(self, key_id: str, window: timedelta = LONGEST_WINDOW) -> datetime:
        now = self._now()
        self._masters[key_id] = self._status(key_id).deletion_scheduled(now, window)
        return now + window

    @override
    async def retire(self, key_id: str) -> datetime:
        status = self._status(key_id)
        return status.deleted_at or await self.schedule_deletion(key_id, self.window)

    @override
    async def cancel_deletion(self, key_id: str) -> None:
        self._masters[key_id] = self._status(key_id).deletion_cancelled()

    def _note(self, call: str, context: Mapping[str, str]) -> None:
        self.calls[call] += 1
        self.contexts.append(dict(context))

    def _create(self) -> str:
        key_id = str(uuid4())
        self._masters[key_id] = KeyStatus()
        return key_id

    def _answer(self) -> None:
        """Fail during an outage; otherwise delete what is due, with everything that was wrapped under it."""
        if self.outage:
            raise KmsUnavailable
        now = self._now()
        self._masters = {key_id: status for key_id, status in self._masters.items() if not status.gone(now)}
        self._wrapped = {blob: kept for blob, kept in self._wrapped.items() if blob.key_id in self._masters}

    def _status(self, key_id: str) -> KeyStatus:
        self._answer()
        status = self._masters.get(key_id)
        if status is None:
            raise KmsKeyGone
        return status
