"""The epochs of a keyring in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from typing_extensions import override

from adapters.outbound.memory.keyring import MemoryKeyring
from application.ports.epochs import EpochInUse, Epochs, Rewrapped
from application.ports.keyring import KeysUnavailable
from application.ports.kms import SHORTEST_WINDOW
from domain.epochs import Epoch


class MemoryEpochs(Epochs):
    """`Epochs` without master keys: what belongs to which is kept by the keyring, whose outage is theirs."""

    window = SHORTEST_WINDOW

    def __init__(self, keyring: Callable[[], MemoryKeyring], now: Callable[[], datetime]) -> None:
        """`keyring` answers the keyring that there is by then."""
        self._keyring = keyring
        self._now = now
        self._epochs: list[Epoch] = []

    @override
    async def newest(self, now: datetime) -> Epoch:
        self._answer()
        if not self._epochs:
            self._epochs.append(Epoch(self._answer().epoch, now))
        return self._epochs[-1]

    @override
    async def all(self) -> Sequence[Epoch]:
        self._answer()
        return list(self._epochs)

    @override
    async def begin(self, after: Epoch, now: datetime) -> Epoch:
        keyring = self._answer()
        if after.number == keyring.epoch:
            keyring.epoch += 1
            self._epochs.append(Epoch(keyring.epoch, now))
        return self._epochs[-1]

    @override
    async def rewrap(self, limit: int, skip: int = 0) -> Rewrapped:
        return Rewrapped(self._answer().rewrap(limit), 0)

    @override
    async def retire(self, number: int, now: datetime) -> Epoch:
        if number in self._answer().wrapped_in.values():
            raise EpochInUse
        at = next(place for place, epoch in enumerate(self._epochs) if epoch.number == number)
        if self._epochs[at].gone_at is None:
            self._epochs[at] = replace(self._epochs[at], gone_at=now + self.window)
        return self._epochs[at]

    @override
    async def is_gone(self, number: int) -> bool:
        self._answer()
        return any(
            epoch.gone_at is not None and epoch.gone_at <= self._now()
            for epoch in self._epochs
            if epoch.number == number
        )

    def _answer(self) -> MemoryKeyring:
        keyring = self._keyring()
        if keyring.outage:
            raise KeysUnavailable
        return keyring
