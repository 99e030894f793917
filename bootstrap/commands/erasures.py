"""What the commands about erasures and their receipts do."""

# ruff: noqa: PLC0415 - the heavy half is imported when a command needs it

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from adapters.inbound.cli.erasures import ErasureCommands
from adapters.inbound.cli.options import Options
from application.account_deletion import DeletionPreview
from application.erasure_view import ErasureUnderWay
from application.receipts import ShownReceipt
from bootstrap.operating import Access, with_product
from domain.audit import AuditKind
from domain.kernel import AccountId
from domain.receipts import PUBLIC, said

if TYPE_CHECKING:
    from bootstrap.process import Product


def erasures(options: Options) -> Sequence[ErasureUnderWay]:
    """List the erasures that are not finished. Raises as `with_product`."""

    async def act(product: Product) -> Sequence[ErasureUnderWay]:
        return await product.use_cases.list_erasures()

    return with_product(options, Access(AuditKind.OPERATOR_LISTED_ERASURES), act)


def erase(account_id: UUID, really: bool, options: Options) -> DeletionPreview:  # noqa: FBT001 - the answer passed on
    """Erase an account, if told `really`. Raises as `with_product`, KeyGone and NotFound."""

    async def act(product: Product) -> DeletionPreview:
        return await product.use_cases.erase_on_request(AccountId(account_id), really=really)

    return with_product(options, Access(AuditKind.OPERATOR_ACCESS, AccountId(account_id)), act)


def receipts(account_id: UUID, options: Options) -> ShownReceipt:
    """Show the receipts of an erasure. Raises as `with_product`, and NotFound."""

    async def act(product: Product) -> ShownReceipt:
        return await product.use_cases.show_receipt(AccountId(account_id))

    return with_product(options, Access(AuditKind.OPERATOR_READ_RECEIPT), act)


def verify_receipt(public_key: bytes, fingerprint: bytes, facts: Mapping[str, object]) -> bool:
    """Tell whether a receipt was signed with this key and is as it was then. Opens nothing."""
    from adapters.outbound.system.signing import signed_by

    try:
        signature = bytes.fromhex(str(facts.get(PUBLIC, "")))
    except ValueError:
        return False
    return signed_by(public_key, said(fingerprint, facts), signature)


ERASURE_COMMANDS = ErasureCommands(
    erasures=erasures, erase=erase, receipts=receipts, verify_receipt=verify_receipt
)
