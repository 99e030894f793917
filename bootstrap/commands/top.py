"""Looking, every few seconds, at what is still to be done."""

# ruff: noqa: PLC0415 - the heavy half is imported when the command needs it

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from adapters.inbound.cli.options import Options
from adapters.inbound.cli.top import Told
from bootstrap.operating import Access, with_product
from domain.audit import AuditKind
from domain.kernel import PicoError

if TYPE_CHECKING:
    from bootstrap.process import Product


def watch(options: Options, every: float | None, told: Told) -> None:
    """Tell what is still to be done, once or every so many seconds until the process is told to end.

    What cannot be read is told as its code, and looked for again. Raises as `with_product`.
    """
    from bootstrap.process import ending

    async def act(product: Product) -> None:
        over = ending()
        while True:
            try:
                told(await product.use_cases.read_backlog())
            except PicoError as error:
                if every is None:
                    raise
                told(error.code)
            if every is None or over.is_set():
                return
            try:
                async with asyncio.timeout(every):
                    await over.wait()
                    return
            except TimeoutError:
                continue

    with_product(options, Access(AuditKind.OPERATOR_LISTED_ERASURES), act)
