"""What an operator reads of a comparison of numbers: references only, never a number."""

from __future__ import annotations

from typing import Any

from application.number_reconciliation import Comparison, Difference, Mismatch
from domain.money import Money

SAYS = {
    Mismatch.ORPHAN: "billed, and leased by no line",
    Mismatch.MISSING: "leased by a line, and not held by the carrier",
    Mismatch.MISDIRECTED: "what comes in for it is sent elsewhere",
    Mismatch.SUSPENDED: "the carrier has put it out of use",
    Mismatch.UNKNOWN: "not bought here: left alone",
}


def told(compared: Comparison) -> str:
    """Return a comparison as text: a line for each difference, then what it comes to."""
    lines = [_line(each) for each in compared.differences]
    lines.append(f"{compared.held} numbers at the carrier, {compared.leased} leased by lines.")
    if orphans := compared.orphans:
        cost = " and ".join(map(amount, compared.wasted)) or "an amount that is not known"
        lines.append(
            f"{len(orphans)} orphans cost {cost} a month. To give them back: ./pico reconcile --really"
        )
    return "\n".join(lines)


def shown(compared: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON."""
    return {
        "held": compared.held,
        "leased": compared.leased,
        "agrees": compared.agrees,
        "wasted_per_month": [cost._asdict() for cost in compared.wasted],
        "differences": [
            {
                "kind": str(each.kind),
                "ref": each.ref,
                "line_id": None if each.line_id is None else str(each.line_id),
                "price_per_month": None if each.price is None else each.price._asdict(),
                "released": each.released,
            }
            for each in compared.differences
        ],
    }


def amount(of: Money) -> str:
    """Write an amount as it is kept, in the smallest unit: how many of them make a whole differs by currency."""
    return f"{of.amount} of {of.currency}'s smallest unit"


def _line(of: Difference) -> str:
    names = {"ref": of.ref, "line": of.line_id}
    where = " ".join(f"{name} {value}" for name, value in names.items() if value is not None)
    cost = "" if of.price is None else f", {amount(of.price)} a month"
    return f"{'released' if of.released else of.kind}  {where}: {SAYS[of.kind]}{cost}"
