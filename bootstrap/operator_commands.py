"""What the operators' commands do."""

# ruff: noqa: PLC0415 - the heavy half is imported when a command needs it

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from adapters.inbound.doctor_report import Finding
from adapters.inbound.operators import OperatorCommands, Options
from application.account_deletion import DeletionPreview
from application.audit_log import AuditReport, Point
from application.erasure_view import ErasureUnderWay
from application.export_check import problems_of
from application.receipts import ShownReceipt
from bootstrap.operating import Access, with_product
from domain.accounts import AccountState
from domain.audit import AuditEntry, AuditKind
from domain.kernel import AccountId
from domain.receipts import PUBLIC, said

if TYPE_CHECKING:
    from bootstrap.process import Product


def verify_audit_log(seen: Mapping[int, Point], options: Options) -> AuditReport:
    """Check the whole audit log. Raises as `with_product`."""

    async def act(product: Product) -> AuditReport:
        return await product.use_cases.verify_audit_log(seen)

    return with_product(options, Access(AuditKind.OPERATOR_READ_AUDIT_LOG), act)


def operators_acts(options: Options) -> Sequence[AuditEntry]:
    """List what operators did that is about no account, the newest first. Raises as `with_product`."""

    async def act(product: Product) -> Sequence[AuditEntry]:
        return (await product.use_cases.list_operator_access()).items

    return with_product(options, Access(AuditKind.OPERATOR_READ_AUDIT_LOG), act)


def accounts(options: Options) -> Mapping[AccountState, int]:
    """Count the accounts in each state. Raises as `with_product`."""

    async def act(product: Product) -> Mapping[AccountState, int]:
        return await product.use_cases.count_accounts()

    return with_product(options, Access(AuditKind.OPERATOR_COUNTED_ACCOUNTS), act)


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


def examine(options: Options) -> Sequence[Finding]:
    """Look at the chosen world. Raises BadSettings, and PostgresUnavailable where no Sandbox runs."""
    from bootstrap.doctor.examination import of_chosen_world
    from bootstrap.event_loop import run

    return run(of_chosen_world(options))


OPERATOR_COMMANDS = OperatorCommands(
    verify_audit_log=verify_audit_log,
    operators_acts=operators_acts,
    accounts=accounts,
    erasures=erasures,
    erase=erase,
    receipts=receipts,
    verify_receipt=verify_receipt,
    verify_export=problems_of,
    examine=examine,
)
