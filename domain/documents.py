"""The documents that a person accepts, in the versions that hold now."""

from __future__ import annotations

from dataclasses import dataclass

from domain.kernel import PicoError


class OtherVersion(PicoError):
    """Another version of the document holds now: read that one, and accept it."""

    code = "other_version"


@dataclass(frozen=True, slots=True)
class Documents:
    """Which version of each document holds now. A new one is one more, and is asked about again (clause A2)."""

    terms: int = 1
    privacy: int = 3
    """As clause A2 of PRIVACY.md says."""
