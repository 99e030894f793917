"""A key management service in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from application.ports.kms import (
    LONGEST_WINDOW,
    PLAINTEXT,
    SHORTEST_WINDOW,
    KeyState,
    KmsBadCiphertext,
    KmsBadWindow,
    KmsKeyDisabled,
    KmsKeyGone,
    KmsKeyPendingDeletion,
    KmsUnavailable,
    KmsWrongState,
    WrappedKey,
)


@dataclass(slots=True)
class _Master:
    state: KeyState = KeyState.ENABLED
    due: datetime | None = None


class MemoryKms:
    """`Kms` without cryptography: a blob is a random name for what it wraps, so only this object can unwrap it.

    Set `outage` to have every method raise KmsUnavailable. `calls` counts wraps and unwraps, `contexts` keeps the
    encryption contexts they came with, as a provider's log would.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Begin with one enabled master key."""
        self.outage = False
        self.calls: Counter[str] = Counter()
        self.contexts: list[dict[str, str]] = []
        self._now = now
        self._masters: dict[str, _Master] = {}
        self._wrapped: dict[WrappedKey, tuple[bytes, dict[str, str]]] = {}
        self._newest = self._create()

    async def wrap(self, plaintext: bytes, context: Mapping[str, str]) -> WrappedKey:
        """See `Kms.wrap`."""
        if len(plaintext) != PLAINTEXT:
            raise ValueError("Only keys of 32 bytes are wrapped.")
        self._note("wrap", context)
        self._usable(self._newest)
        wrapped = WrappedKey(self._newest, b"wrapped " + uuid4().bytes)
        self._wrapped[wrapped] = plaintext, dict(context)
        return wrapped

    async def unwrap(self, wrapped: WrappedKey, context: Mapping[str, str]) -> bytes:
        """See `Kms.unwrap`."""
        self._note("unwrap", context)
        self._usable(wrapped.key_id)
        plaintext, bound = self._wrapped.get(wrapped, (b"", None))
        if bound != dict(context):
            raise KmsBadCiphertext
        return plaintext

    async def create_key(self) -> str:
        """See `Kms.create_key`."""
        self._answer()
        self._newest = self._create()
        return self._newest

    async def state(self, key_id: str) -> KeyState:
        """See `Kms.state`."""
        return self._key(key_id).state

    async def enable(self, key_id: str) -> None:
        """See `Kms.enable`."""
        self._kept(key_id).state = KeyState.ENABLED

    async def disable(self, key_id: str) -> None:
        """See `Kms.disable`."""
        self._kept(key_id).state = KeyState.DISABLED

    async def schedule_deletion(self, key_id: str, window: timedelta = LONGEST_WINDOW) -> datetime:
        """See `Kms.schedule_deletion`."""
        if not SHORTEST_WINDOW <= window <= LONGEST_WINDOW:
            raise KmsBadWindow
        master = self._kept(key_id)
        master.state, master.due = KeyState.PENDING_DELETION, self._now() + window
        return master.due

    async def cancel_deletion(self, key_id: str) -> None:
        """See `Kms.cancel_deletion`."""
        master = self._key(key_id)
        if master.state is not KeyState.PENDING_DELETION:
            raise KmsWrongState
        master.state, master.due = KeyState.DISABLED, None

    def _note(self, call: str, context: Mapping[str, str]) -> None:
        self.calls[call] += 1
        self.contexts.append(dict(context))

    def _create(self) -> str:
        key_id = str(uuid4())
        self._masters[key_id] = _Master()
        return key_id

    def _answer(self) -> None:
        """Fail during an outage; otherwise delete what is due, with everything that was wrapped under it."""
        if self.outage:
            raise KmsUnavailable
        now = self._now()
        self._masters = {name: key for name, key in self._masters.items() if key.due is None or key.due > now}
        self._wrapped = {blob: kept for blob, kept in self._wrapped.items() if blob.key_id in self._masters}

    def _key(self, key_id: str) -> _Master:
        self._answer()
        master = self._masters.get(key_id)
        if master is None:
            raise KmsKeyGone
        return master

    def _kept(self, key_id: str) -> _Master:
        master = self._key(key_id)
        if master.state is KeyState.PENDING_DELETION:
            raise KmsKeyPendingDeletion
        return master

    def _usable(self, key_id: str) -> None:
        if self._kept(key_id).state is KeyState.DISABLED:
            raise KmsKeyDisabled
