"""What the commands about keys do."""

# ruff: noqa: PLC0415 - the heavy half is imported when a command needs it

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from adapters.inbound.cli.keys import KeyCommands
from adapters.inbound.cli.options import Options
from bootstrap.operating import Access, product_at_hand, with_product
from domain.audit import AuditKind
from domain.kernel import AccountId, NotFound

if TYPE_CHECKING:
    from application.key_rotation import RotateAccountKey, Rotated
    from bootstrap.process import Product


def rotate_master(options: Options, told: Callable[[int, int], None]) -> Sequence[str]:
    """Turn to the next master key; say what becomes of those before. Raises as `serve`, and EpochInUse."""
    return asyncio.run(_rotate_master(options, told))


async def _rotate_master(options: Options, told: Callable[[int, int], None]) -> Sequence[str]:
    async with product_at_hand(options, Access(AuditKind.OPERATOR_ROTATED_KEYS)) as product:
        retired = await product.use_cases.rotate_master_key(told)
    return [
        f"Master key {epoch.number} is gone for good from {epoch.gone_at:%Y-%m-%d %H:%M:%S} UTC."
        for epoch in retired
    ]


def rotate_accounts(
    account_id: UUID | None, older_than: int | None, options: Options, told: Callable[[str], None]
) -> Sequence[str]:
    """Give one account another key, or all whose key is older than so many days; say what came of it.

    Raises as `with_product`, and NotFound or KeyGone when there is no such account.
    """
    kind = AuditKind.OPERATOR_ROTATED_KEYS if account_id is None else AuditKind.OPERATOR_ACCESS
    access = Access(kind, None if account_id is None else AccountId(account_id))

    async def act(product: Product) -> Sequence[str]:
        rotate = product.use_cases.rotate_account_key
        if account_id is not None:
            begun = [AccountId(account_id)]
            await rotate.begin(begun[0])
        else:
            than = await product.outside.clock.agreed() - timedelta(days=older_than or 0)
            begun = await rotate.begin_all(than)
        rows = objects = broken = 0
        for number, each in enumerate(begun):
            told(f"{number} of {len(begun)} accounts")
            if (rotated := await _finished(rotate, each, told)) is not None:
                rows, objects = rows + rotated.rows, objects + rotated.objects
                broken += rotated.broken
        said = f"{len(begun)} accounts, {rows} rows and {objects} objects are under new keys."
        return [said, *([f"{broken} rows or objects do not open, and stay as they are."] if broken else [])]

    return with_product(options, access, act)


async def _finished(
    rotate: RotateAccountKey, account_id: AccountId, told: Callable[[str], None]
) -> Rotated | None:
    """Finish one, once every process knows of its key; None for an account that is erased meanwhile."""
    from application.key_rotation import NotHeardYet
    from application.ports.keyring import KeyGone

    while True:
        try:
            return await rotate.finish(account_id)
        except NotHeardYet as early:
            seconds = early.retry_after.total_seconds()
            told(f"waiting {seconds:.0f} s, until every process knows of the new keys")
            await asyncio.sleep(seconds)
        except (KeyGone, NotFound):
            return None


KEY_COMMANDS = KeyCommands(rotate_master=rotate_master, rotate_accounts=rotate_accounts)
