"""A key management service for one machine: the Sandbox's stand-in for AWS KMS, as strict about key states."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from os import urandom
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.outbound.local import files
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

NONCE = 12

T = TypeVar("T")


@dataclass(slots=True)
class _Master:
    material: bytes
    state: KeyState = KeyState.ENABLED
    due: datetime | None = None

    @classmethod
    def parsed(cls, material: str, state: str, due: str | None) -> _Master:
        return cls(
            bytes.fromhex(material), KeyState(state), None if due is None else datetime.fromisoformat(due)
        )


@dataclass(slots=True)
class _Masters:
    """All master keys, and the id of the newest one. That id stays when its key is deleted: none takes its place."""

    newest: str
    keys: dict[str, _Master]

    def create(self) -> str:
        self.newest = str(uuid4())
        self.keys[self.newest] = _Master(urandom(32))
        return self.newest

    def key(self, key_id: str) -> _Master:
        master = self.keys.get(key_id)
        if master is None:
            raise KmsKeyGone
        return master

    def kept(self, key_id: str) -> _Master:
        master = self.key(key_id)
        if master.state is KeyState.PENDING_DELETION:
            raise KmsKeyPendingDeletion
        return master

    def usable(self, key_id: str) -> _Master:
        master = self.kept(key_id)
        if master.state is KeyState.DISABLED:
            raise KmsKeyDisabled
        return master

    def delete_due(self, now: datetime) -> None:
        self.keys = {name: key for name, key in self.keys.items() if key.due is None or key.due > now}

    @classmethod
    def parsed(cls, text: bytes) -> _Masters:
        held = json.loads(text)
        return cls(held["newest"], {name: _Master.parsed(**key) for name, key in held["keys"].items()})

    def __bytes__(self) -> bytes:
        keys = {
            key_id: {
                "material": key.material.hex(),
                "state": key.state,
                "due": key.due and key.due.isoformat(),
            }
            for key_id, key in self.keys.items()
        }
        return json.dumps({"newest": self.newest, "keys": keys}, indent=1).encode()


class LocalKms:
    """`Kms` with its master keys in one file, mode 0600, of a folder; several processes may share it.

    A blob is `nonce (96 random bits) | AES-256-GCM ciphertext and tag`, with the context as associated data.

    The first key is made at the first `wrap`. A key whose window has passed is written out of the file by the next
    call of any method; what the disk keeps in freed blocks is beyond this stand-in, not beyond AWS KMS.
    """

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        """`now` answers aware instants; nothing is read or written yet."""
        self._file = folder / "master-keys.json"
        self._now = now

    async def wrap(self, plaintext: bytes, context: Mapping[str, str]) -> WrappedKey:
        """See `Kms.wrap`."""
        if len(plaintext) != PLAINTEXT:
            raise ValueError("Only keys of 32 bytes are wrapped.")

        def act(masters: _Masters) -> WrappedKey:
            key_id = masters.newest or masters.create()
            nonce, aead = urandom(NONCE), AESGCM(masters.usable(key_id).material)
            return WrappedKey(key_id, nonce + aead.encrypt(nonce, plaintext, _bound(context)))

        return await self._change(act)

    async def unwrap(self, wrapped: WrappedKey, context: Mapping[str, str]) -> bytes:
        """See `Kms.unwrap`."""

        def act(masters: _Masters) -> bytes:
            aead = AESGCM(masters.usable(wrapped.key_id).material)
            nonce, sealed = wrapped.blob[:NONCE], wrapped.blob[NONCE:]
            try:
                return aead.decrypt(nonce.ljust(NONCE), sealed, _bound(context))
            except InvalidTag:
                raise KmsBadCiphertext from None

        return await self._change(act)

    async def create_key(self) -> str:
        """See `Kms.create_key`."""
        return await self._change(_Masters.create)

    async def state(self, key_id: str) -> KeyState:
        """See `Kms.state`."""
        return await self._change(lambda masters: masters.key(key_id).state)

    async def enable(self, key_id: str) -> None:
        """See `Kms.enable`."""
        await self._change(lambda masters: setattr(masters.kept(key_id), "state", KeyState.ENABLED))

    async def disable(self, key_id: str) -> None:
        """See `Kms.disable`."""
        await self._change(lambda masters: setattr(masters.kept(key_id), "state", KeyState.DISABLED))

    async def schedule_deletion(self, key_id: str, window: timedelta = LONGEST_WINDOW) -> datetime:
        """See `Kms.schedule_deletion`."""
        if not SHORTEST_WINDOW <= window <= LONGEST_WINDOW:
            raise KmsBadWindow
        due = self._now() + window

        def act(masters: _Masters) -> datetime:
            master = masters.kept(key_id)
            master.state, master.due = KeyState.PENDING_DELETION, due
            return due

        return await self._change(act)

    async def cancel_deletion(self, key_id: str) -> None:
        """See `Kms.cancel_deletion`."""

        def act(masters: _Masters) -> None:
            master = masters.key(key_id)
            if master.state is not KeyState.PENDING_DELETION:
                raise KmsWrongState
            master.state, master.due = KeyState.DISABLED, None

        await self._change(act)

    async def _change(self, act: Callable[[_Masters], T]) -> T:
        """Do one thing to the keys as they are in the file now, in a thread: it waits for a lock and for the disk."""
        try:
            return await asyncio.to_thread(self._change_file, act)
        except OSError:
            raise KmsUnavailable from None

    def _change_file(self, act: Callable[[_Masters], T]) -> T:
        with files.locked(self._file.parent):
            before = files.read(self._file)
            masters = _Masters("", {}) if before is None else _parsed(before)
            masters.delete_due(self._now())
            try:
                return act(masters)
            finally:  # also when `act` refused: keys that were due are deleted all the same
                if masters.newest and bytes(masters) != before:
                    files.replace(self._file, bytes(masters))


def _parsed(text: bytes) -> _Masters:
    try:
        return _Masters.parsed(text)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise KmsUnavailable  # outside the handler: the error above quotes the file


def _bound(context: Mapping[str, str]) -> bytes:
    """Write the context in one way only, whatever the order of its pairs."""
    return json.dumps(sorted(context.items())).encode()
