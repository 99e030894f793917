"""What the command does that looks whether the policy is kept."""

# ruff: noqa: PLC0415 - the heavy half is imported when a command needs it

from __future__ import annotations

from collections.abc import Sequence

from adapters.inbound.cli.doctor_report import Finding
from adapters.inbound.cli.options import Options


def examine(options: Options) -> Sequence[Finding]:
    """Look at the chosen world. Raises BadSettings, and PostgresUnavailable where no Sandbox runs."""
    from bootstrap.doctor.examination import of_chosen_world
    from bootstrap.event_loop import run

    return run(of_chosen_world(options))
