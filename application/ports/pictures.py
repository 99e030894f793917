"""Cleaning of pictures: what a camera wrote into one besides the picture goes, before anything of it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain.kernel import PicoError
from domain.media import MediaType


class NotAPicture(PicoError):
    """This is no picture of a kind that can be cleaned, or a damaged one."""

    code = "not_a_picture"


@dataclass(frozen=True, slots=True)
class CleanPicture:
    """A picture of which nothing but what it shows is left, and which way is up. `pieces` follow each other."""

    type: MediaType
    pieces: Sequence[bytes | memoryview] = field(repr=False)


class Pictures(Protocol):
    """Cleans pictures by what they are, whatever anybody calls them."""

    def clean(self, content: bytes | bytearray) -> CleanPicture:
        """Return the picture without place, time, camera, comments, thumbnails and whatever else may be in its file.

        What it shows stays as it is, pixel by pixel. Raises NotAPicture. Cleaning what is clean changes nothing.
        """
        ...
