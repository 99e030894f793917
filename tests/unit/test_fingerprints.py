"""What the erasure ledger knows an account by: made under a key of its own, and the same for ever."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.system.fingerprints import AccountFingerprint
from domain.kernel import AccountId

ADA = AccountId(UUID(int=7))


async def test_it_is_made_under_the_key_for_erasures_alone() -> None:
    """Under another name, the ledger of yesterday would know none of today's accounts."""
    keyring = MemoryKeyring()
    made = await AccountFingerprint(keyring)(ADA)
    assert made == hmac.digest(await keyring.system("erasure"), ADA.bytes, hashlib.sha256)
    assert made == await AccountFingerprint(keyring)(ADA)
    assert made != await AccountFingerprint(MemoryKeyring())(ADA), "without the key nobody can make it"
