"""What anybody can check for themselves."""

from __future__ import annotations

from dataclasses import dataclass

from pico_client.calls import Calls
from pico_client.results import Result


@dataclass(frozen=True, slots=True, repr=False)
class PublicKey(Result):
    """A key to check signatures with: 32 bytes in hexadecimal."""

    algorithm: str
    public_key: str


@dataclass(frozen=True, slots=True, repr=False)
class PublicKeys(Result):
    """The keys of an installation."""

    keys: list[PublicKey]


class Legal(Calls):
    """What one asks before one believes."""

    def read_public_keys(self) -> PublicKeys:
        """Read the keys that receipts of erasures, and the ends of the audit log's chains, are signed under."""
        return self._ask(PublicKeys, "GET", "/legal/keys")
