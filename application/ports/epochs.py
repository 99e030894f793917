"""The epochs of the keyring: which master key wraps its keys, and the end of those that did before.

A key that was destroyed leaves copies of its wrapped form: in dead tuples, in the write-ahead log, in backups. Such a
copy opens for as long as the master key exists under which it was wrapped, and that is what an epoch's end is for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domain.epochs import Epoch
from domain.kernel import ErrorKind, PicoError


class EpochInUse(PicoError):
    """Somebody's key, or one of the system's own, opens only with this epoch's master key: it is not retired."""

    kind = ErrorKind.BROKEN
    code = "epoch_in_use"


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """What one batch came to: keys that are wrapped under the newest master key now, and those that do not open."""

    done: int
    broken: int


class Epochs(Protocol):
    """Every method raises KeysUnavailable when the key service or the keyring's database does not answer."""

    @property
    def window(self) -> timedelta:
        """How long after it is retired a master key can still be brought back by an operator of the key service."""
        ...

    async def newest(self, now: datetime) -> Epoch:
        """Return the epoch under which keys are wrapped, noted as one that begins now if none was noted before.

        Repeating is harmless.
        """
        ...

    async def all(self) -> Sequence[Epoch]:
        """Return every epoch that was noted, the oldest first. Repeating is harmless."""
        ...

    async def begin(self, after: Epoch, now: datetime) -> Epoch:
        """Make a master key, under which every new key is wrapped from now on; return its epoch.

        Repeating is harmless: when `after` is not the newest any more, the newest is returned.
        """
        ...

    async def rewrap(self, limit: int, skip: int = 0) -> Rewrapped:
        """Wrap up to `limit` keys of earlier epochs under the newest master key, in order, without the first `skip`.

        A key that is destroyed meanwhile stays destroyed. Those that do not open stay as they are: a caller skips them.
        Repeating is harmless.
        """
        ...

    async def retire(self, number: int, now: datetime) -> Epoch:
        """Have an epoch's master key deleted; return the epoch with the instant from which the key is gone.

        From here on nothing is wrapped under it. Raises EpochInUse while a single key of the keyring is. Repeating is
        harmless: the first instant stands.
        """
        ...

    async def is_gone(self, number: int) -> bool:
        """Tell whether the key service itself says that there is no such master key. Repeating is harmless."""
        ...
