"""The data map of PRIVACY.md: the inventory of every record and field, as a Markdown table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from adapters.outbound.postgres.tables import SEAL, sealing_field
from application.inventory import Stored
from bootstrap.policy import DATA_MAP, END, PolicyError
from domain.classification import IndexScope, StorageKind, StoragePolicy


def data_map(inventory: Iterable[Stored]) -> str:
    """Write the inventory as a Markdown table. A field that can be looked up has a second row: its blind index."""
    rows = [
        "| record | field | held as | allowed by | in the export | at hard deletion |",
        "|---|---|---|---|---|---|",
    ]
    for record in inventory:
        for column in record.columns:
            policy = column.policy
            rows.append(_row(record.name, column.name, policy))
            if policy.kind is StorageKind.SEALED and policy.index:
                found = replace(policy, kind=StorageKind.INDEX, exported=False)
                rows.append(_row(record.name, f"{column.name}, to find it", found))
        if sealing_field(record) == SEAL:  # it holds nothing, and proves what stands beside it
            rows.append(_row(record.name, SEAL, StoragePolicy(StorageKind.SEALED, "H40", exported=False)))
    return "\n".join(rows)


def _row(record: str, field: str, policy: StoragePolicy) -> str:
    """Whatever hangs on the account's key is beyond reading before its row is deleted."""
    under_key = policy.kind is StorageKind.SEALED or policy.index is IndexScope.ACCOUNT
    end = "key destroyed, row deleted" if under_key else "row deleted"
    exported = "yes" if policy.exported else "no"
    return f"| {record} | {field} | {policy.kind} | {policy.clause} | {exported} | {end} |"


def with_data_map(markdown: str, inventory: Iterable[Stored]) -> str:
    """Return the policy with its data map written anew. Raises PolicyError when it has no place for one."""
    before, opened, rest = markdown.partition(DATA_MAP)
    _, closed, after = rest.partition(END)
    if not opened or not closed:
        raise PolicyError(f"the policy has no {DATA_MAP} … {END}")
    return f"{before}{DATA_MAP}\n{data_map(inventory)}\n{END}{after}"
