"""The carrier of calls in memory, under its contract."""

from __future__ import annotations

import pytest

from adapters.outbound.memory.voice_carrier import MemoryVoiceCarrier
from domain.calls import CallOutcome
from domain.kernel import CarrierRef
from pico_testkit.contracts.voice import CLIENT, VoiceCarrierContract, VoiceWorld


class MemoryVoiceWorld(VoiceWorld):
    """The fake, with its knobs."""

    def __init__(self) -> None:
        super().__init__()
        self.voice = self.fake = MemoryVoiceCarrier(lambda: self.now)

    def outage(self, *, on: bool) -> None:
        self.fake.outage = on

    def lose_next_answer(self) -> None:
        self.fake.lose_answers = 1

    def lie(self) -> None:
        self.fake.lies = True

    def too_early(self) -> None:
        self.fake.too_early = 1

    async def talk(self, caller: str, number: str, seconds: int) -> CarrierRef:
        ref = await self.ring(caller, number)
        leg = self.fake.ring(caller, f"client:{CLIENT}", parent=ref)
        self.fake.end(leg, CallOutcome.ANSWERED, seconds)
        self.fake.end(ref, CallOutcome.ANSWERED, seconds + 5)
        return ref

    async def ring(self, caller: str, number: str) -> CarrierRef:
        return self.fake.ring(caller, number)


class TestMemoryVoice(VoiceCarrierContract):
    @pytest.fixture
    def world(self) -> MemoryVoiceWorld:
        return MemoryVoiceWorld()
