"""What the command does that counts accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from adapters.inbound.cli.options import Options
from bootstrap.operating import Access, with_product
from domain.accounts import AccountState
from domain.audit import AuditKind

if TYPE_CHECKING:
    from bootstrap.process import Product


def count(options: Options) -> Mapping[AccountState, int]:
    """Count the accounts in each state. Raises as `with_product`."""

    async def act(product: Product) -> Mapping[AccountState, int]:
        return await product.use_cases.count_accounts()

    return with_product(options, Access(AuditKind.OPERATOR_COUNTED_ACCOUNTS), act)
