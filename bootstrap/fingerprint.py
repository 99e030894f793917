"""What the erasure ledger knows an account by."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from application.ports.keyring import Keyring
from domain.kernel import AccountId


@dataclass(frozen=True, slots=True)
class AccountFingerprint:
    """An HMAC under a system key, so that the ledger names nobody."""

    keyring: Keyring

    async def __call__(self, account_id: AccountId) -> bytes:
        """See `application.ports.system.Fingerprint`."""
        return hmac.digest(await self.keyring.system("erasure"), account_id.bytes, hashlib.sha256)
