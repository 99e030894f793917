"""What the erasure ledger knows an account by."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from typing_extensions import override

from application.ports.keyring import Keyring
from application.ports.ledger import Fingerprint
from domain.kernel import AccountId


@dataclass(frozen=True, slots=True)
class AccountFingerprint(Fingerprint):
    """HMAC-SHA-256 under the keyring's "erasure" key, so that the ledger names nobody."""

    keyring: Keyring

    @override
    async def __call__(self, account_id: AccountId) -> bytes:
        return hmac.digest(await self.keyring.system("erasure"), account_id.bytes, hashlib.sha256)
