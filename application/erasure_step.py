"""A step of the hard-delete saga."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

from application.hold import Hold
from domain.erasure import Erasure


class ErasureStep(Protocol):
    """One step, for one store or provider. It counts what it deleted and believes no answer that it has not read back.

    `needs_keys`: it reads the account's sealed values, so it stands before the step that destroys the keys.
    """

    name: ClassVar[str]
    needs_keys: ClassVar[bool]

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        """Take the step; return what was deleted, by the words of the receipt. Repeating is harmless.

        `hold` is asked right before every write to a provider.

        Raises NotYetGone while something is left, and whatever its store or provider raises: it is tried again.
        """
        ...
