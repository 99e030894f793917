"""What the commands of the desk for requests do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from adapters.inbound.cli.data_requests import DataRequestCommands
from adapters.inbound.cli.options import Options
from bootstrap.operating import Access, with_product
from domain.audit import AuditKind
from domain.data_requests import DataRequest, DataRequestId, DataRequestKind, DataRequestOutcome
from domain.kernel import AccountId

if TYPE_CHECKING:
    from bootstrap.process import Product


DESK = Access(AuditKind.OPERATOR_HANDLED_REQUESTS)
"""What is audited of every command: an account's own log has it from the use case."""


def note(
    kind: DataRequestKind, account: UUID | None, received_at: datetime | None, options: Options
) -> DataRequest:
    """Note a request. Raises as `with_product`, and as the use case."""

    async def act(product: Product) -> DataRequest:
        about = None if account is None else AccountId(account)
        return await product.use_cases.open_data_request(kind, about, received_at)

    return with_product(options, DESK, act)


def every(options: Options) -> tuple[Sequence[DataRequest], datetime]:
    """List the requests, and say what time it is. Raises as `with_product`."""

    async def act(product: Product) -> tuple[Sequence[DataRequest], datetime]:
        return await product.use_cases.list_data_requests(), product.outside.clock.now()

    return with_product(options, DESK, act)


def close(request: UUID, account: UUID | None, outcome: DataRequestOutcome, options: Options) -> DataRequest:
    """Close a request. Raises as `with_product`, and as the use case."""

    async def act(product: Product) -> DataRequest:
        about = None if account is None else AccountId(account)
        return await product.use_cases.close_data_request(DataRequestId(request), about, outcome)

    return with_product(options, DESK, act)


DATA_REQUEST_COMMANDS = DataRequestCommands(open=note, all=every, close=close)
