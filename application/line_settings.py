"""The use case by which a person sets a line up as they like it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from application.ports.store import Store, Tx
from domain.kernel import AccountId, LineId
from domain.lines import PhoneLine
from domain.quiet_hours import QuietHours
from domain.values import Label


class Unsaid(Enum):
    """What stands for a setting that stays as it is; None takes it away."""

    UNSAID = "unsaid"


UNSAID: Final = Unsaid.UNSAID


@dataclass(frozen=True, slots=True)
class LineSettings:
    """What to change of a line."""

    label: Label | Unsaid | None = UNSAID
    do_not_disturb: QuietHours | Unsaid | None = UNSAID


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """Changes a line's settings: its label, and when it does not disturb."""

    store: Store

    async def __call__(
        self,
        account_id: AccountId,
        line_id: LineId,
        settings: LineSettings,
        versions: frozenset[int] | None = None,
    ) -> PhoneLine:
        """Return the line. Repeating is harmless.

        Raises NotFound; ChangedMeanwhile unless it is at one of `versions`, where some are named.
        """

        async def change(tx: Tx) -> PhoneLine:
            line = await tx.lines.get_even_broken(line_id)
            line.must_be_one_of(versions)
            if settings.label is not UNSAID:
                line.relabel(settings.label)
            if settings.do_not_disturb is not UNSAID:
                line.be_quiet_during(settings.do_not_disturb)
            tx.save(line)
            return line

        return await self.store.update(account_id, change)
