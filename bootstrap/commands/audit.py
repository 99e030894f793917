"""What the commands about the audit log do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from adapters.inbound.cli.audit import AuditCommands
from adapters.inbound.cli.options import Options
from application.audit_log import AuditReport, Point
from bootstrap.operating import Access, with_product
from domain.audit import AuditEntry, AuditKind

if TYPE_CHECKING:
    from bootstrap.process import Product


def verify(seen: Mapping[int, Point], options: Options) -> AuditReport:
    """Check the whole audit log. Raises as `with_product`."""

    async def act(product: Product) -> AuditReport:
        return await product.use_cases.verify_audit_log(seen)

    return with_product(options, Access(AuditKind.OPERATOR_READ_AUDIT_LOG), act)


def operators_acts(options: Options) -> Sequence[AuditEntry]:
    """List what operators did that is about no account, the newest first. Raises as `with_product`."""

    async def act(product: Product) -> Sequence[AuditEntry]:
        return (await product.use_cases.list_operator_access()).items

    return with_product(options, Access(AuditKind.OPERATOR_READ_AUDIT_LOG), act)


AUDIT_COMMANDS = AuditCommands(verify=verify, operators_acts=operators_acts)
