"""What the command does that compares numbers."""

# ruff: noqa: PLC0415 - the heavy half is imported when a command needs it

from __future__ import annotations

import structlog

from adapters.inbound.cli.options import Options
from application.number_reconciliation import Comparison
from bootstrap.operating import Access, product_at_hand
from domain.audit import AuditKind

log = structlog.get_logger()


def reconcile(really: bool, options: Options) -> Comparison:  # noqa: FBT001 - the one answer that the command line passes on
    """Compare the carrier's numbers with our lines, and give orphans back if told `really`.

    Raises as `serve`, and what the comparison raises.
    """
    from bootstrap.event_loop import run

    return run(_reconcile(options, really=really))


async def _reconcile(options: Options, *, really: bool) -> Comparison:
    access = Access(AuditKind.OPERATOR_COMPARED_NUMBERS)
    async with product_at_hand(options, access) as product:
        compared = await product.use_cases.reconcile_numbers(really=really)
    for each in compared.differences:
        if each.released:
            log.warning("orphan number released", ref=each.ref, line=str(each.line_id))
    return compared
