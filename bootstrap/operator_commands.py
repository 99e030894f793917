"""What the operators' commands do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from adapters.inbound.operators import OperatorCommands, Options
from application.audit_log import AuditReport, Point
from bootstrap.operating import with_product

if TYPE_CHECKING:
    from bootstrap.process import Product


def verify_audit_log(seen: Mapping[int, Point], options: Options) -> AuditReport:
    """Check the whole audit log. Raises as `with_product`."""

    async def act(product: Product) -> AuditReport:
        return await product.use_cases.verify_audit_log(seen)

    return with_product(options, act)


OPERATOR_COMMANDS = OperatorCommands(verify_audit_log=verify_audit_log)
