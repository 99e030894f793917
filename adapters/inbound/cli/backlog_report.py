"""What an operator sees of what is still to be done: counts, ages and codes, and never of whom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from application.backlog import Overview

LATE = timedelta(minutes=5)
OVERDUE = timedelta(hours=1)
"""From when on a deletion that is due, or a copy at a carrier, is somebody's business."""
EPOCH = timedelta(days=8)


def shown(overview: Overview) -> dict[str, Any]:
    """Return it as JSON. Ages are in seconds."""
    return {
        "queue": [
            {"job": one.job, "due": one.due, "later": one.later, "late_seconds": one.late.total_seconds()}
            for one in overview.work
        ],
        "failing": dict(overview.failing),
        "erasures": {
            step: {"count": at.count, "oldest_seconds": at.oldest.total_seconds()}
            for step, at in overview.erasures.items()
        },
        "oldest_due_deletion_seconds": overview.oldest_due_deletion.total_seconds(),
        "oldest_carrier_copy_seconds": overview.oldest_carrier_copy.total_seconds(),
        "held_by_providers": {holding.value: count for holding, count in overview.held.items()},
        "key_epoch": {"number": overview.epoch, "age_seconds": overview.epoch_age.total_seconds()},
        "ledger": {"records": overview.ledger_records, "noted": overview.records_noted},
    }


def overdue(overview: Overview) -> bool:
    """Tell whether something that was promised is late: a deletion, or records that the database does not know."""
    return overview.oldest_due_deletion > OVERDUE or overview.records_noted < overview.ledger_records


def screen(overview: Overview) -> RenderableType:
    """Return it as a screen: what was promised, the queue, erasures by step, and providers."""
    promises = _table("promise", "now")
    for name, age, limit in (
        ("oldest due deletion", overview.oldest_due_deletion, OVERDUE),
        ("oldest carrier copy", overview.oldest_carrier_copy, OVERDUE),
        ("age of the key epoch", overview.epoch_age, EPOCH),
    ):
        promises.add_row(name, _age(age, limit))
    unknown = overview.ledger_records - overview.records_noted
    promises.add_row("records the database does not know", _count(unknown))
    queue = _table("queue", "due", "later", "late")
    for one in sorted(overview.work, key=lambda one: (-one.late, one.job)):
        queue.add_row(one.job, str(one.due), str(one.later), _age(one.late, LATE))
    erasures = _table("erasures, by the next step", "under way", "oldest")
    for step, at in overview.erasures.items():
        if at.count:
            erasures.add_row(step, str(at.count), _age(at.oldest, OVERDUE))
    providers = _table("providers", "count")
    for holding, count in overview.held.items():
        if count:
            providers.add_row(f"held of erasures: {holding.value}", str(count))
    for code, count in sorted(overview.failing.items()):
        providers.add_row(f"jobs that failed of {code}", _count(count))
    return Group(promises, queue, erasures, providers)


def _table(*columns: str) -> Table:
    """Return an empty table that takes little room: a terminal has 24 lines."""
    return Table(*columns, box=box.SIMPLE_HEAD, expand=True, padding=(0, 1), pad_edge=False, show_edge=False)


def _age(age: timedelta, limit: timedelta) -> Text:
    """Write an age as a person reads it, in red from its limit on."""
    seconds = int(age.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return Text(f"{seconds // size} {unit}", style="bold red" if age > limit else "")
    return Text(f"{seconds} s" if seconds else "-", style="bold red" if age > limit else "")


def _count(count: int) -> Text:
    return Text(str(count), style="bold red" if count else "")
