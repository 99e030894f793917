"""A Sandbox's own small memory, between one run and the next, and between its processes."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from typing_extensions import override

from adapters.outbound.local import files
from adapters.outbound.system.clock import SystemClock
from bootstrap.settings import BadSettings

STATE = "sandbox.json"
"""The file of a state folder that says that a Sandbox lives there."""


@contextmanager
def in_use(state: Path, *, alone: bool = False) -> Iterator[Path]:
    """Hold a state folder, made if need be: as one of the processes on it, or `alone`. The lock dies with the process.

    Raises BadSettings: it cannot be written to, or others are on it.
    """
    try:
        state.mkdir(parents=True, exist_ok=True)
        lock = os.open(state / "sandbox.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        raise BadSettings(
            "PICO_STATE_DIR is no folder that can be written to: set it to another one."
        ) from None
    try:
        fcntl.flock(lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        others = (
            "A Pico runs on PICO_STATE_DIR: stop it first."
            if alone
            else "`pico reset` is at work on PICO_STATE_DIR."
        )
        raise BadSettings(others) from None
    try:
        yield state
    finally:
        os.close(lock)


class SandboxState:
    """How far the clock was moved, the providers' tokens, and the addresses of what runs or ran last.

    It lies in one file, mode 0600, that only the serving process writes.
    """

    def __init__(self, file: Path) -> None:
        """Read the file, or begin one."""
        self._file = file
        self.reload()
        if not file.exists():
            self.save()

    def reload(self) -> None:
        """Read the file anew."""
        self._version = files.version(self._file)
        held = json.loads(self._file.read_bytes()) if self._file.exists() else {}
        self.offset = timedelta(seconds=held.get("clock_offset_seconds", 0))
        self.token: str = held.get("carrier_token") or secrets.token_hex(16)
        self.url: str = held.get("url", "")
        self.carrier_url: str = held.get("carrier_url", "")
        self.second_token: str = held.get("second_token") or secrets.token_hex(32)
        """Of a second carrier; its webhooks are signed with the same bytes, which nobody else has."""
        self.second_url: str = held.get("second_url", "")
        self.mail_url: str = held.get("mail_url", "")
        self.payments_url: str = held.get("payments_url", "")
        self.push_keys: tuple[str, ...] = tuple(held.get("push_keys", ()))
        """In PEM, by which we are known to the simulated push services: to Google's, then to Apple's."""
        self.push_urls: tuple[str, ...] = tuple(held.get("push_urls", ()))
        self.server_urls: tuple[str, ...] = tuple(held.get("server_urls", ()))
        """Database and keyring on a PostgreSQL of our own; they hold no password. Empty with an operator's."""

    def changed(self) -> bool:
        """Tell whether the file may have changed since it was read."""
        return self._version is None or self._version != files.version(self._file)

    def save(self) -> None:
        """Put it on disk, durably: whole or not at all."""
        held = {
            "clock_offset_seconds": self.offset.total_seconds(),
            "carrier_token": self.token,
            "url": self.url,
            "carrier_url": self.carrier_url,
            "second_token": self.second_token,
            "second_url": self.second_url,
            "mail_url": self.mail_url,
            "payments_url": self.payments_url,
            "push_keys": self.push_keys,
            "push_urls": self.push_urls,
            "server_urls": self.server_urls,
        }
        with files.locked(self._file.parent):
            files.replace(self._file, json.dumps(held).encode())


class FollowedClock(SystemClock):
    """The clock of a Sandbox that another process serves, and moves."""

    def __init__(self, state: SandboxState) -> None:
        """Be as far ahead of the machine as the file of `state` says."""
        super().__init__()
        self._state = state

    @override
    def ahead(self) -> timedelta:
        if self._state.changed():
            self._state.reload()
        return self._state.offset
