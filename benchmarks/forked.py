"""Processes that are forks of one in which Pico is imported: a start takes a sixth of the processor time.

Each is a process with a memory, an environment, handles and an end of its own, as if it had been started by
`python -m MODULE WORDS`; but what importing takes is taken once.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

from adapters.outbound.postgres import migrating  # noqa: F401 - what they are forks of: all that a Sandbox needs
from bootstrap import program  # noqa: F401
from bootstrap.worlds import sandbox  # noqa: F401

QUICK = {"PICO_PASSWORD_MEMORY_MIB": "19", "PICO_PASSWORD_PASSES": "2", "PICO_PASSWORD_LANES": "1"}
"""Passwords at the least cost that is served: a hash takes a tenth. For what is not about them."""
Ran = subprocess.CompletedProcess[str]
_CONTEXT = multiprocessing.get_context("forkserver")


class Forked:
    """Runs a module. Like `subprocess.Popen`, as far as it goes; `stdout` gives what it prints, line by line."""

    def __init__(self, *words: str, environment: Mapping[str, str], folder: Path, errors: int) -> None:
        """Start it in a folder; `errors` is the handle that takes its standard error."""
        _CONTEXT.set_forkserver_preload(
            [__name__]
        )  # until the first one starts; afterwards it changes nothing
        said, says = os.pipe()
        self.stdout = os.fdopen(said, encoding="utf-8")
        given = (words, dict(environment), str(folder))
        self._process = _CONTEXT.Process(
            target=_become, args=(*given, _Handle(says), _Handle(errors)), daemon=True
        )
        try:
            self._process.start()
        finally:
            os.close(says)

    @property
    def pid(self) -> int:
        """The id of the process."""
        return int(self._process.pid or 0)

    @property
    def returncode(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Return its exit code if it has ended."""
        return self.returncode

    def kill(self) -> None:
        """End it by `kill -9`."""
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, and return its exit code. Raises TimeoutExpired."""
        self._process.join(timeout)
        if (code := self.returncode) is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return code


def run(*words: str, environment: Mapping[str, str], folder: Path, timeout: float) -> Ran:
    """Run a module to its end, like `subprocess.run`. It is killed after `timeout` seconds."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        forked = Forked(*words, environment=environment, folder=folder, errors=errors.fileno())
        too_long = threading.Timer(timeout, forked.kill)
        too_long.start()
        with forked.stdout:
            said = forked.stdout.read()
        code = forked.wait()
        too_long.cancel()
        errors.seek(0)
        return subprocess.CompletedProcess(words, code, said, errors.read())


class _Handle:
    """A handle that a process is given."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (DupFd(self.number),)


def _received(handle: Any) -> int:  # noqa: ANN401 - of the standard library's own
    return int(handle.detach())


def _become(words: tuple[str, ...], environment: dict[str, str], folder: str, says: int, errors: int) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for given, standard in ((says, 1), (errors, 2)):
        os.dup2(given, standard)
        os.close(given)
    sys.argv = list(words)
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)
