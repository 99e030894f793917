"""What the commands of the command line do, a file for each theme.

What is heavy is imported by the command that needs it: `pico policy` must not load a web server, nor `pico --help` a
database driver.
"""

from __future__ import annotations

from adapters.inbound.cli import Commands
from application.export_check import problems_of
from bootstrap.commands.accounts import count
from bootstrap.commands.audit import AUDIT_COMMANDS
from bootstrap.commands.data_requests import DATA_REQUEST_COMMANDS
from bootstrap.commands.databases import DATABASE_COMMANDS
from bootstrap.commands.doctor import examine
from bootstrap.commands.erasures import ERASURE_COMMANDS
from bootstrap.commands.keys import KEY_COMMANDS
from bootstrap.commands.numbers import reconcile
from bootstrap.commands.policy import POLICY_COMMANDS
from bootstrap.commands.running import RUNNING_COMMANDS
from bootstrap.commands.top import watch
from bootstrap.settings import variables

COMMANDS = Commands(
    running=RUNNING_COMMANDS,
    databases=DATABASE_COMMANDS,
    keys=KEY_COMMANDS,
    reconcile=reconcile,
    policy=POLICY_COMMANDS,
    audit=AUDIT_COMMANDS,
    accounts=count,
    erasures=ERASURE_COMMANDS,
    verify_export=problems_of,
    data_requests=DATA_REQUEST_COMMANDS,
    examine=examine,
    watch=watch,
    variables=variables(),
)
