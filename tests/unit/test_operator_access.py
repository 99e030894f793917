"""Whatever an operator's command reads or changes of the product is in the audit log before it is read or changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from adapters.inbound.cli import command_line
from bootstrap.commands import COMMANDS, databases
from bootstrap.worlds import InMemory
from bootstrap.worlds.sandbox import Sandbox
from domain.accounts import AccountState
from domain.audit import HOUSE, AuditEntry, AuditKind
from domain.kernel import AccountId
from tests.support.actors import PASSWORD, Person, sign_up

APP = command_line(COMMANDS)
UNAUDITED = {
    "serve": "it is the product",
    "work": "it is the product",
    "tour": "it plays in a Sandbox of its own, which it throws away",
    "reset": "it deletes a Sandbox, with its log",
    "migrate": "it changes tables, and reads no row",
    "policy": "it reads the source",
    "doctor": "it looks at what stands, and at nobody's account",
    "top": "it counts what is still to be done, and names nobody",
    "export": "it reads a file that somebody has, and opens nothing",
    "receipt verify": "it reads a file that somebody has, and opens nothing",
}
"""Commands that leave no entry, and why."""


@dataclass
class Operated:
    """The product that commands open, and somebody whom some of them are about."""

    world: InMemory
    ada: Person

    def log_of(self, owner: AccountId) -> list[AuditEntry]:
        found = self.world.store.rows(owner)[AuditEntry].values()
        return sorted((one for one in found if isinstance(one, AuditEntry)), key=lambda one: one.id)


@pytest.fixture
def operated(monkeypatch: pytest.MonkeyPatch) -> Operated:
    world = InMemory()
    ada = asyncio.run(sign_up(world))

    @asynccontextmanager
    async def opened(*_: object) -> AsyncIterator[Any]:
        yield SimpleNamespace(use_cases=world.use_cases, outside=world.outside())

    async def nothing(*_: object, **__: object) -> list[str]:
        return []

    monkeypatch.setattr(Sandbox, "opened", opened)
    monkeypatch.setattr(databases, "_back_up", nothing)
    monkeypatch.setattr(databases, "_restore", nothing)
    return Operated(world, ada)


AUDITED: dict[str, tuple[tuple[str, ...], AuditKind, bool]] = {
    "accounts": ((), AuditKind.OPERATOR_COUNTED_ACCOUNTS, False),
    "erasures": ((), AuditKind.OPERATOR_LISTED_ERASURES, False),
    "erase": (("{ada}",), AuditKind.OPERATOR_ACCESS, True),
    "receipt show": (("{ada}",), AuditKind.OPERATOR_READ_RECEIPT, False),
    "audit verify": ((), AuditKind.OPERATOR_READ_AUDIT_LOG, False),
    "audit operators": ((), AuditKind.OPERATOR_READ_AUDIT_LOG, False),
    "dsr open": (("access",), AuditKind.OPERATOR_HANDLED_REQUESTS, False),
    "dsr list": ((), AuditKind.OPERATOR_HANDLED_REQUESTS, False),
    "dsr fulfil": (("{ada}",), AuditKind.OPERATOR_HANDLED_REQUESTS, False),
    "dsr close": (("{ada}", "--as", "refused"), AuditKind.OPERATOR_HANDLED_REQUESTS, False),
    "keys rotate-master": ((), AuditKind.OPERATOR_ROTATED_KEYS, False),
    "keys rotate-account": (("{ada}",), AuditKind.OPERATOR_ACCESS, True),
    "reconcile": ((), AuditKind.OPERATOR_COMPARED_NUMBERS, False),
    "backup": ((), AuditKind.OPERATOR_BACKED_UP, False),
    "restore": (("--really",), AuditKind.OPERATOR_RESTORED, False),
}
"""Of each other command: what is said after it, the entry that it leaves, and whether on the account's own log."""


def leaves(command: Any, said: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the words of every command there is."""
    if hasattr(command, "commands"):
        for name, one in command.commands.items():
            yield from leaves(one, (*said, name))
    else:
        yield " ".join(said)


def test_every_command_is_audited_or_says_why_not() -> None:
    assert set(leaves(typer.main.get_command(APP))) == AUDITED.keys() | UNAUDITED.keys()


@pytest.mark.parametrize("command", AUDITED)
def test_a_command_leaves_its_entry(operated: Operated, command: str) -> None:
    words, kind, of_the_account = AUDITED[command]
    owner, other = (operated.ada.id, HOUSE) if of_the_account else (HOUSE, operated.ada.id)
    before, untouched = operated.log_of(owner), operated.log_of(other)
    CliRunner().invoke(APP, [*command.split(), *(word.format(ada=operated.ada.id) for word in words)])
    entry, *_ = operated.log_of(owner)[len(before) :]
    assert (entry.kind, entry.subject) == (kind, owner)
    assert operated.log_of(other) == untouched
    assert entry.commitment in operated.world.store.audit_log.commitments


def test_all_accounts_get_other_keys_at_once(operated: Operated) -> None:
    ran = CliRunner().invoke(APP, ["keys", "rotate-account", "--all-older-than", "0"])
    assert ran.exit_code == 0, ran.output
    assert "accounts" in ran.output
    assert asyncio.run(operated.world.keyring.open(operated.ada.id)).version == 2
    assert operated.log_of(HOUSE)[0].kind is AuditKind.OPERATOR_ROTATED_KEYS
    for words in ((), (str(operated.ada.id), "--all-older-than", "1")):
        assert CliRunner().invoke(APP, ["keys", "rotate-account", *words]).exit_code == 2


def test_an_account_that_there_is_not_is_not_read(operated: Operated) -> None:
    ran = CliRunner().invoke(APP, ["erase", "0192d8e0-1f6e-7c3a-9d51-2f6f6b0f3a10", "--really"])
    assert ran.exception is not None
    assert operated.log_of(HOUSE) == []


def test_what_operators_did_is_shown_without_anybodys_id(operated: Operated) -> None:
    for words in (["erase", str(operated.ada.id)], ["receipt", "show", str(operated.ada.id)], ["accounts"]):
        CliRunner().invoke(APP, words)
    shown = CliRunner().invoke(APP, ["audit", "operators", "--json"]).output
    assert "operator_read_receipt" in shown
    assert "operator_counted_accounts" in shown
    assert str(operated.ada.id) not in shown


def test_accounts_are_counted_by_state_without_nobodys(operated: Operated) -> None:
    asyncio.run(operated.world.use_cases.ask_password_reset(operated.ada.email))
    asyncio.run(operated.world.use_cases.delete_account(operated.ada.id, PASSWORD))
    ran = CliRunner().invoke(APP, ["accounts", "--json"])
    counts = asyncio.run(operated.world.use_cases.count_accounts())
    assert counts == dict.fromkeys(AccountState, 0) | {AccountState.PENDING_DELETION: 1}
    assert '"pending_deletion": 1' in ran.output
    assert '"erasing": 0' in ran.output
