"""A key management service for one machine: the Sandbox's stand-in for AWS KMS, as strict about key states."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from os import urandom
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from typing_extensions import override

from adapters.outbound.local import files
from application.ports.kms import (
    LONGEST_WINDOW,
    PLAINTEXT,
    KeyState,
    KeyStatus,
    Kms,
    KmsBadCiphertext,
    KmsKeyGone,
    KmsUnavailable,
    WrappedKey,
)

NONCE = 12

T = TypeVar("T")


@dataclass(slots=True)
class _Masters:
    """All master keys, and the id of the newest one. That id stays when its key is deleted: none takes its place."""

    newest: str = ""
    statuses: dict[str, KeyStatus] = field(default_factory=dict)
    material: dict[str, bytes] = field(default_factory=dict)

    def create(self) -> str:
        self.newest = str(uuid4())
        self.statuses[self.newest] = KeyStatus()
        self.material[self.newest] = urandom(32)
        return self.newest

    def status(self, key_id: str) -> KeyStatus:
        status = self.statuses.get(key_id)
        if status is None:
            raise KmsKeyGone
        return status

    def cipher(self, key_id: str) -> AESGCM:
        self.status(key_id).require_usable()
        return AESGCM(self.material[key_id])

    def delete_due(self, now: datetime) -> None:
        for key_id in [key_id for key_id, status in self.statuses.items() if status.gone(now)]:
            del self.statuses[key_id], self.material[key_id]

    def any_due(self, now: datetime) -> bool:
        return any(status.gone(now) for status in self.statuses.values())

    @classmethod
    def parsed(cls, text: bytes) -> _Masters:
        held = json.loads(text)
        masters = cls(held["newest"])
        for key_id, key in held["keys"].items():
            due = key["due"]
            status = KeyStatus(KeyState(key["state"]), None if due is None else datetime.fromisoformat(due))
            masters.statuses[key_id], masters.material[key_id] = status, bytes.fromhex(key["material"])
        return masters

    def __bytes__(self) -> bytes:
        keys = {
            key_id: {
                "material": self.material[key_id].hex(),
                "state": status.state,
                "due": status.deleted_at and status.deleted_at.isoformat(),
            }
            for key_id, status in self.statuses.items()
        }
        return json.dumps({"newest": self.newest, "keys": keys}, indent=1).encode()


class LocalKms(Kms):
    """`Kms` with its master keys in one file, mode 0600, of a folder; several processes may share it.

    A blob is `nonce (96 random bits) | AES-256-GCM ciphertext and tag`, with the context as associated data.

    The first key is made at the first `wrap`. What only reads (wrap, unwrap, state) asks the file system whether the
    file is the one it knows, and takes lock and disk only when it is not; so another process's change holds at once. A
    key whose window has passed is written out of the file by the next call of any method, and one that is retired at
    once. The file that is replaced is written over before it goes; what a disk keeps of it all the same (a snapshot, a
    worn block) is beyond this stand-in, not beyond AWS KMS.
    """

    window = timedelta()

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        """`now` answers aware instants; nothing is read or written yet."""
        self._file = folder / "master-keys.json"
        self._now = now
        self._known: tuple[files.Version, _Masters] | None = None

    @override
    async def wrap(
        self, plaintext: bytes, context: Mapping[str, str], key_id: str | None = None
    ) -> WrappedKey:
        if len(plaintext) != PLAINTEXT:
            raise ValueError("Only keys of 32 bytes are wrapped.")

        def act(masters: _Masters) -> WrappedKey:
            under = key_id or masters.newest or masters.create()
            nonce, cipher = urandom(NONCE), masters.cipher(under)
            return WrappedKey(under, nonce + cipher.encrypt(nonce, plaintext, _bound(context)))

        return await self._read(act)

    @override
    async def unwrap(self, wrapped: WrappedKey, context: Mapping[str, str]) -> bytes:
        def act(masters: _Masters) -> bytes:
            cipher = masters.cipher(wrapped.key_id)
            nonce, sealed = wrapped.blob[:NONCE], wrapped.blob[NONCE:]
            try:
                return cipher.decrypt(nonce.ljust(NONCE), sealed, _bound(context))
            except InvalidTag:
                raise KmsBadCiphertext from None

        return await self._read(act)

    @override
    async def rewrap(self, wrapped: WrappedKey, context: Mapping[str, str], key_id: str) -> WrappedKey:
        return await self.wrap(await self.unwrap(wrapped, context), context, key_id)

    @override
    async def create_key(self) -> str:
        return await self._change(_Masters.create)

    @override
    async def state(self, key_id: str) -> KeyState:
        return await self._read(lambda masters: masters.status(key_id).state)

    @override
    async def enable(self, key_id: str) -> None:
        await self._move(key_id, KeyStatus.enabled)

    @override
    async def disable(self, key_id: str) -> None:
        await self._move(key_id, KeyStatus.disabled)

    @override
    async def schedule_deletion(self, key_id: str, window: timedelta = LONGEST_WINDOW) -> datetime:
        now = self._now()
        await self._move(key_id, lambda status: status.deletion_scheduled(now, window))
        return now + window

    @override
    async def retire(self, key_id: str) -> datetime:
        """Delete the key at once: what a Sandbox has erased shall be beyond reach while somebody watches."""
        now = self._now()

        def act(masters: _Masters) -> datetime:
            gone_at = masters.status(key_id).deleted_at or now
            masters.statuses[key_id] = KeyStatus(KeyState.PENDING_DELETION, gone_at)
            masters.delete_due(now)
            return gone_at

        return await self._change(act)

    @override
    async def cancel_deletion(self, key_id: str) -> None:
        await self._move(key_id, KeyStatus.deletion_cancelled)

    async def _move(self, key_id: str, to: Callable[[KeyStatus], KeyStatus]) -> None:
        def act(masters: _Masters) -> None:
            masters.statuses[key_id] = to(masters.status(key_id))

        await self._change(act)

    async def _read(self, act: Callable[[_Masters], T]) -> T:
        """Answer from memory while the file is the one that was read and no key in it is due for deletion."""
        if self._known is not None:
            version, masters = self._known
            if masters.newest and version == files.version(self._file) and not masters.any_due(self._now()):
                return act(masters)
        return await self._change(act)

    async def _change(self, act: Callable[[_Masters], T]) -> T:
        """Do one thing to the keys as they are in the file now, in a thread: it waits for a lock and for the disk."""
        try:
            return await asyncio.to_thread(self._change_file, act)
        except OSError:
            raise KmsUnavailable from None

    def _change_file(self, act: Callable[[_Masters], T]) -> T:
        self._known = None
        with files.locked(self._file.parent):
            before = files.read(self._file)
            masters = _Masters() if before is None else _parsed(before)
            masters.delete_due(self._now())
            try:
                return act(masters)
            finally:  # also when `act` refused: keys that were due are deleted all the same
                if masters.newest and bytes(masters) != before:
                    files.replace(self._file, bytes(masters), wipe=True)
                if (version := files.version(self._file)) is not None:
                    self._known = version, masters


def _parsed(text: bytes) -> _Masters:
    try:
        return _Masters.parsed(text)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise KmsUnavailable  # outside the handler: the error above quotes the file


def _bound(context: Mapping[str, str]) -> bytes:
    """Write the context in one way only, whatever the order of its pairs."""
    return json.dumps(sorted(context.items())).encode()
