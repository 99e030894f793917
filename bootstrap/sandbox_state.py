"""A Sandbox's own small memory, between one run and the next, and between its processes."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from pathlib import Path

from typing_extensions import override

from adapters.outbound.local import files
from adapters.outbound.system.clock import SystemClock


class SandboxState:
    """How far the clock was moved, the carrier's token, and the addresses of what runs or ran last.

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
