"""Receipts of erasures that anybody can check: a signature that needs no secret of ours, and what shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from application.ports.ledger import ErasureLedger, Fingerprint
from application.ports.signing import Signing
from domain.kernel import AccountId, NotFound
from domain.receipts import PUBLIC, Receipt, said


async def publicly_signed(
    signing: Signing, fingerprint: bytes, facts: Mapping[str, object]
) -> dict[str, object]:
    """Return the facts of a receipt with their public signature. Raises KeysUnavailable."""
    return {**facts, PUBLIC: (await signing.sign(said(fingerprint, facts))).hex()}


@dataclass(frozen=True, slots=True)
class ShownReceipt:
    """The receipts there are of one erasure, and the key to check them with."""

    receipts: tuple[Receipt, ...]
    """The interim one, the receipt, and the line that says that the erasure is final: those that there are."""
    public_key: bytes


@dataclass(frozen=True, slots=True)
class ShowReceipt:
    """Shows the receipts of one erasure: for an operator to hand to whoever was erased."""

    ledger: ErasureLedger
    fingerprint: Fingerprint
    signing: Signing

    async def __call__(self, account_id: AccountId) -> ShownReceipt:
        """Return them. Raises NotFound where nothing of this account was erased. Repeating is harmless."""
        name = await self.fingerprint(account_id)
        found = (
            await self.ledger.interim(name), await self.ledger.receipt(name), await self.ledger.confirmation(name)
        )  # fmt: skip
        receipts = tuple([receipt for receipt in found if receipt is not None])
        if not receipts:
            raise NotFound
        return ShownReceipt(receipts, await self.signing.public_key())


@dataclass(frozen=True, slots=True)
class ReadPublicKey:
    """Publishes the key that receipts, and the ends of the audit log's chains, are signed under."""

    signing: Signing

    async def __call__(self) -> bytes:
        """Return the Ed25519 public key, 32 bytes. Raises KeysUnavailable. Repeating is harmless."""
        return await self.signing.public_key()
