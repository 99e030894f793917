"""The commands of those who run Pico: what each takes, what it prints, and what its exit code means."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console

from adapters.inbound.doctor_report import Finding, exit_code, shown, summary, table
from application.account_deletion import DeletionPreview
from application.audit_log import AuditReport, Point
from application.erasure_view import ErasureUnderWay
from application.receipts import ShownReceipt
from domain.accounts import AccountState
from domain.audit import AuditEntry

Options = Mapping[str, str]
"""What was said in the place of variables, by a setting's name."""

PUBLIC_KEY = 32
"""Bytes of an Ed25519 public key."""
AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]
StateDir = Annotated[
    str | None, typer.Option(help="Where the Sandbox keeps everything, instead of PICO_STATE_DIR.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorCommands:
    """What the commands do. Each opens the product beside whatever serves it, and closes it again."""

    verify_audit_log: Callable[[Mapping[int, Point], Options], AuditReport]
    """Checks every chain, and that each still passes the points of an earlier report."""
    operators_acts: Callable[[Options], Sequence[AuditEntry]]
    """Answers what operators did that is about no account, the newest first."""
    accounts: Callable[[Options], Mapping[AccountState, int]]
    """Answers how many accounts there are in each state."""
    erasures: Callable[[Options], Sequence[ErasureUnderWay]]
    erase: Callable[[UUID, bool, Options], DeletionPreview]
    """Answers what goes, or would go, with an account; it goes if the argument says so."""
    receipts: Callable[[UUID, Options], ShownReceipt]
    verify_export: Callable[[Path], Sequence[str]]
    """Answers what is wrong with an export that somebody has; opens nothing."""
    verify_receipt: Callable[[bytes, bytes, Mapping[str, object]], bool]
    """Takes a public key, a fingerprint and facts; opens nothing."""
    examine: Callable[[Options], Sequence[Finding]]
    """Answers what every check came to; changes nothing."""


def add_operator_commands(app: typer.Typer, commands: OperatorCommands) -> None:
    """Add them to the program."""
    app.add_typer(_audit(commands), name="audit")
    app.add_typer(_receipt(commands), name="receipt")
    _add_accounts(app, commands)
    _add_erasures(app, commands)
    _add_export(app, commands)
    _add_doctor(app, commands)


def said(**options: str | None) -> Options:
    """Return the options that were said."""
    return {name: value for name, value in options.items() if value is not None}


def _audit(commands: OperatorCommands) -> typer.Typer:
    audit = typer.Typer(no_args_is_help=True, help="The audit log.")

    @audit.callback()
    def of_the_log() -> None:
        """Say that there is more than one thing to be done with it."""

    @audit.command()
    def verify(
        *,
        as_json: AsJson = False,
        against: Annotated[
            Path | None,
            typer.Option(help="What --json printed earlier: a log that was cut back since is found, too."),
        ] = None,
        state_dir: StateDir = None,
    ) -> None:
        """Check every entry, every hash and every signature; exit code 1 when something is wrong.

        One entry that was changed, dropped, swapped, added or cut off is found. Keep what --json prints outside of the
        database: it is what tells when somebody cuts off entries together with their signatures.
        """
        report = commands.verify_audit_log(_points(against), said(state_dir=state_dir))
        if as_json:
            typer.echo(json.dumps(_report(report), indent=2))
        else:
            typer.echo(
                f"{report.entries} entries in {len(report.heads)} chains, {report.unchained} to be chained."
            )
            for finding in report.findings:
                typer.echo(f"chain {finding.chain}, place {finding.position}: {finding.flaw}")
            typer.echo(
                "Something is wrong with the audit log." if report.findings else "Nothing is wrong with it."
            )
        raise typer.Exit(1 if report.findings else 0)

    @audit.command()
    def operators(*, as_json: AsJson = False, state_dir: StateDir = None) -> None:
        """Show what operators did last that is about no account. What they did to one, that account's log shows."""
        acts = commands.operators_acts(said(state_dir=state_dir))
        if as_json:
            shown = [{"occurred_at": one.at.isoformat(), "act": str(one.kind)} for one in acts]
            typer.echo(json.dumps(shown, indent=2))
        else:
            for one in acts:
                typer.echo(f"{one.at:%Y-%m-%d %H:%M:%S}  {one.kind}")

    return audit


def _report(report: AuditReport) -> dict[str, object]:
    return {
        "sound": not report.findings,
        "entries": report.entries,
        "unchained": report.unchained,
        "heads": {str(chain): {"length": n, "hash": end.hex()} for chain, (n, end) in report.heads.items()},
        "findings": [
            {"chain": one.chain, "position": one.position, "flaw": str(one.flaw)} for one in report.findings
        ],
    }


def _points(file: Path | None) -> dict[int, Point]:
    """Read the heads of an earlier report. Raises BadParameter for a file that is none."""
    if file is None:
        return {}
    try:
        heads = json.loads(file.read_bytes())["heads"]
        return {int(chain): (int(at["length"]), bytes.fromhex(at["hash"])) for chain, at in heads.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        problem = f"{file} is no report of `pico audit verify --json`."
    raise typer.BadParameter(problem)


def _add_export(app: typer.Typer, commands: OperatorCommands) -> None:
    @app.command()
    def export(
        *,
        verify: Annotated[Path, typer.Option(help="The zip that somebody downloaded.")],
        as_json: AsJson = False,
    ) -> None:
        """Check an export on any machine, without an account and without us; exit code 1 when something is wrong.

        Every file is compared with the manifest, and every record with the schema.
        """
        try:
            problems = commands.verify_export(verify)
        except OSError:
            raise typer.BadParameter(f"{verify} cannot be read.") from None
        if as_json:
            typer.echo(json.dumps({"whole": not problems, "problems": list(problems)}, indent=2))
        else:
            typer.echo("\n".join(problems) or "It is whole.")
        raise typer.Exit(1 if problems else 0)


def _add_accounts(app: typer.Typer, commands: OperatorCommands) -> None:
    @app.command()
    def accounts(*, as_json: AsJson = False, state_dir: StateDir = None) -> None:
        """Show how many accounts there are in each state: counts, and nothing of anybody."""
        counts = {str(state): count for state, count in commands.accounts(said(state_dir=state_dir)).items()}
        if as_json:
            typer.echo(json.dumps(counts, indent=2))
        else:
            for state, count in counts.items():
                typer.echo(f"{count:>10}  {state}")


def _add_erasures(app: typer.Typer, commands: OperatorCommands) -> None:
    @app.command()
    def erasures(*, as_json: AsJson = False, state_dir: StateDir = None) -> None:
        """Show every erasure that is not finished: its state, the step that is next, its age, the last error's code.

        Exit code 1 when one was set aside or lost its job: somebody has to look.
        """
        found = commands.erasures(said(state_dir=state_dir))
        if as_json:
            typer.echo(json.dumps([_erasure(one) for one in found], indent=2))
        else:
            for one in found:
                told = f"{one.fingerprint.hex()[:12]}  {one.state}  next: {one.step}  age: {one.age}"
                typer.echo(f"{told}  attempts: {one.attempts}  {one.failure or ''}".rstrip())
            typer.echo(f"{len(found)} not finished.")
        raise typer.Exit(1 if any(one.state in {"dead", "lost"} for one in found) else 0)

    @app.command()
    def erase(
        account_id: Annotated[UUID, typer.Argument(help="The account of somebody who asked for it.")],
        *,
        really: Annotated[
            bool, typer.Option("--really", help="Erase it: without this, it is only shown.")
        ] = False,
        state_dir: StateDir = None,
    ) -> None:
        """Erase the account of a person who asked by letter, without the thirty days. They must have waived them."""
        goes = commands.erase(account_id, really, said(state_dir=state_dir))
        typer.echo(f"{goes.lines} lines, {goes.conversations} conversations, {goes.messages} messages")
        typer.echo(
            "It is being erased." if really else f"Nothing is erased yet: ./pico erase {account_id} --really"
        )


def _add_doctor(app: typer.Typer, commands: OperatorCommands) -> None:
    @app.command()
    def doctor(*, as_json: AsJson = False, state_dir: StateDir = None) -> None:
        """Look at everything that stands, and say clause by clause whether it keeps the policy. It changes nothing.

        Exit code 1 when something is broken, 2 when something could not be told. In the Sandbox it says what holds
        there, and what only Production can show.
        """
        findings = commands.examine(said(state_dir=state_dir))
        if as_json:
            typer.echo(json.dumps(shown(findings), indent=2))
        else:
            Console().print(table(findings))
            typer.echo(summary(findings))
        raise typer.Exit(exit_code(findings))


def _erasure(one: ErasureUnderWay) -> dict[str, object]:
    return {
        "fingerprint": one.fingerprint.hex(),
        "state": one.state,
        "step": one.step,
        "age_seconds": int(one.age.total_seconds()),
        "attempts": one.attempts,
        "failure": one.failure,
        "due_at": one.due_at and one.due_at.isoformat(),
    }


def _receipt(commands: OperatorCommands) -> typer.Typer:
    receipt = typer.Typer(no_args_is_help=True, help="Receipts of erasures.")

    @receipt.command()
    def show(
        account_id: Annotated[UUID, typer.Argument(help="The account that was erased.")],
        *,
        state_dir: StateDir = None,
    ) -> None:
        """Print the receipts of an erasure as JSON, with the key to check them: they name nobody."""
        shown = commands.receipts(account_id, said(state_dir=state_dir))
        each = [{"fingerprint": one.fingerprint.hex(), "facts": dict(one.facts)} for one in shown.receipts]
        typer.echo(json.dumps({"public_key": shown.public_key.hex(), "receipts": each}, indent=2))

    @receipt.command()
    def verify(
        file: Annotated[Path, typer.Argument(help="What `pico receipt show` printed.")],
        *,
        key: Annotated[
            str | None, typer.Option(help="The public key of /legal/keys: without it, the one in the file.")
        ] = None,
    ) -> None:
        """Check the signatures of receipts, on any machine and without us; exit code 1 when one is not right."""
        public_key, receipts = _signed(file, key)
        if key is None:
            typer.echo("The key comes from the file itself: compare it with /legal/keys.")
        for fingerprint, facts in receipts:
            if not commands.verify_receipt(public_key, fingerprint, facts):
                typer.echo("Not signed with this key, or altered since.")
                raise typer.Exit(1)
        typer.echo(f"{len(receipts)} signed with this key.")

    return receipt


def _signed(file: Path, key: str | None) -> tuple[bytes, list[tuple[bytes, dict[str, Any]]]]:
    """Read what `pico receipt show` printed. Raises BadParameter for anything else."""
    try:
        shown = json.loads(file.read_bytes())
        public_key = bytes.fromhex(key or shown["public_key"])
        receipts = [(bytes.fromhex(one["fingerprint"]), dict(one["facts"])) for one in shown["receipts"]]
    except (OSError, ValueError, KeyError, TypeError):
        public_key, receipts = b"", []
    if not receipts or len(public_key) != PUBLIC_KEY:
        raise typer.BadParameter(f"{file} holds no receipts, or the key is none.")
    return public_key, receipts
