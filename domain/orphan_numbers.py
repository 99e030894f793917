"""Numbers that a carrier bills us for and no line leases, and the one rule by which such a number is given back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.kernel import ErrorKind, PicoError


class OrphanNumbers(PicoError):
    """The carrier bills us for numbers of which no line knows: `pico reconcile` lists them, with what they cost."""

    kind = ErrorKind.BROKEN
    code = "orphan_numbers"


class TooManyStrangers(PicoError):
    """The carrier's numbers and ours differ so much that one of the two is not what it should be: nothing was done."""

    kind = ErrorKind.BROKEN
    code = "numbers_do_not_match"


@dataclass(frozen=True, slots=True)
class OrphanRule:
    """An orphan is given back once it has been held for `age`, and only if it was bought here, by its mark and webhook.

    None is, where there are more than `most`, and more than one in a hundred: then it is our store that lacks lines.
    """

    age: timedelta = timedelta(days=1)
    """An order younger than that may still be on its way to its line."""
    most: int = 20

    def allows(self, held_since: datetime, now: datetime) -> bool:
        """Tell whether an orphan is old enough to go."""
        return now >= held_since + self.age

    def must_be_few(self, different: int, of: int) -> None:
        """Raise TooManyStrangers where more differ than can be explained by a purchase or two gone wrong."""
        if different > max(self.most, of // 100):
            raise TooManyStrangers


RULE = OrphanRule()
"""The one in force."""
