"""A Sandbox's own small memory, between one run and the next."""

from __future__ import annotations

import json
import os
import secrets
from datetime import timedelta
from pathlib import Path


class SandboxState:
    """What a Sandbox remembers between two runs: how far its clock was moved, its carrier's token, its address."""

    def __init__(self, file: Path) -> None:
        self._file = file
        held = json.loads(file.read_text()) if file.exists() else {}
        self.offset = timedelta(seconds=held.get("clock_offset_seconds", 0))
        self.token: str = held.get("carrier_token") or secrets.token_hex(16)
        self.url: str = held.get("url", "")
        self.save()

    def save(self) -> None:
        """Put it on disk, whole or not at all."""
        fresh = self._file.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            offset = self.offset.total_seconds()
            json.dump({"clock_offset_seconds": offset, "carrier_token": self.token, "url": self.url}, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._file)
