"""The step of an erasure that believes no provider at its first word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from application.erasure_step import ErasureStep
from application.hold import Hold
from application.line_release import ReleaseNumbers
from application.mail import EraseMailAddress
from application.ports.clock import Clock
from domain.erasure import Erasure, NotYetGone


@dataclass(frozen=True, slots=True)
class AskProvidersAgain(ErasureStep):
    """Erasure: after a pause, what only a number or an address can ask for is asked for once more.

    A list may lag behind, and an answer may be wrong. What references can ask for is asked for at the end.
    """

    name: ClassVar[str] = "asked_again"
    needs_keys: ClassVar[bool] = True

    release_numbers: ReleaseNumbers
    erase_mail_address: EraseMailAddress
    clock: Clock
    pause: timedelta

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        """Take both steps again. Raises NotYetGone until the pause is over, and what they raise. Repeatable."""
        missing = (erasure.done_at or erasure.began_at) + self.pause - await self.clock.agreed()
        if missing > timedelta():
            raise NotYetGone(within=missing)
        again = (self.release_numbers, self.erase_mail_address)
        return {name: count for step in again for name, count in (await step.run(erasure, hold)).items()}
