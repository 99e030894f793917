"""The command line: what each command is called, what it takes, what it prints. A file here holds those of a theme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import typer

from adapters.inbound.cli.accounts import CountAccounts, add_accounts_command
from adapters.inbound.cli.audit import AuditCommands, add_audit_commands
from adapters.inbound.cli.data_requests import DataRequestCommands, add_data_request_commands
from adapters.inbound.cli.databases import DatabaseCommands, add_database_commands
from adapters.inbound.cli.doctor import Examine, add_doctor_command
from adapters.inbound.cli.erasures import ErasureCommands, add_erasure_commands
from adapters.inbound.cli.exports import VerifyExport, add_export_command
from adapters.inbound.cli.keys import KeyCommands, add_key_commands
from adapters.inbound.cli.numbers import Reconcile, add_reconcile_command
from adapters.inbound.cli.policy import PolicyCommands, add_policy_command
from adapters.inbound.cli.running import RunningCommands, add_running_commands
from adapters.inbound.cli.top import Watch, add_top_command


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """What the commands do, by theme."""

    running: RunningCommands
    databases: DatabaseCommands
    keys: KeyCommands
    reconcile: Reconcile
    policy: PolicyCommands
    audit: AuditCommands
    accounts: CountAccounts
    erasures: ErasureCommands
    verify_export: VerifyExport
    data_requests: DataRequestCommands
    examine: Examine
    watch: Watch
    variables: Mapping[str, str]
    """What can be set in the environment, and what each is for."""


def command_line(commands: Commands) -> typer.Typer:
    """Return the program. Its commands raise what their functions raise."""
    app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
    environment = "\n\n".join(
        ["Variables:", *(f"{name}: {says}" for name, says in commands.variables.items())]
    )
    add_running_commands(app, commands.running, environment)
    add_database_commands(app, commands.databases)
    add_key_commands(app, commands.keys)
    add_reconcile_command(app, commands.reconcile, environment)
    add_policy_command(app, commands.policy)
    add_audit_commands(app, commands.audit)
    add_accounts_command(app, commands.accounts)
    add_erasure_commands(app, commands.erasures)
    add_export_command(app, commands.verify_export)
    add_data_request_commands(app, commands.data_requests)
    add_doctor_command(app, commands.examine)
    add_top_command(app, commands.watch)
    return app
