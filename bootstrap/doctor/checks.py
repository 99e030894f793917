"""What a check is: a name, the clauses it speaks for, a sentence that holds, and what is wrong when it does not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from bootstrap.doctor.examined import Examined

F = TypeVar("F")


class CannotTell(Exception):
    """Something could not be read. The message is a sentence, or a vendor's code, and quotes no value."""


@dataclass(frozen=True, slots=True)
class Check(Generic[F]):
    """One question to the facts of a part."""

    name: str
    clauses: tuple[str, ...]
    holds: str
    """The sentence that is true when nothing is wrong."""
    wrong: Callable[[F], str | None]
    """Says what is wrong, None when nothing is. Raises CannotTell."""
    in_sandbox: bool = True
    """Whether a Sandbox that has the part can be asked this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Generic[F]):
    """A part of what stands, read once, and the checks of it."""

    name: str
    read: Callable[[Examined], Awaitable[F]]
    """Reads the facts, and changes nothing. Raises CannotTell, or what the part's client raises."""
    checks: tuple[Check[F], ...]
    in_sandbox: bool = False
    """Whether a Sandbox has this part, too."""
    configured: Callable[[Examined], bool] = lambda _: True
    """Whether there is such a part at all."""


def unless(wanted: bool, problem: str) -> str | None:  # noqa: FBT001 - what is wanted, and what is said without
    """Return the problem unless what is wanted is so."""
    return None if wanted else problem
