"""The commands about erasures and their receipts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from adapters.inbound.cli.options import AsJson, Options, StateDir, said
from application.account_deletion import DeletionPreview
from application.erasure_view import ErasureUnderWay
from application.receipts import ShownReceipt

PUBLIC_KEY = 32
"""Bytes of an Ed25519 public key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureCommands:
    """What the commands do. Each opens the product beside whatever serves it, and closes it again."""

    erasures: Callable[[Options], Sequence[ErasureUnderWay]]
    erase: Callable[[UUID, bool, Options], DeletionPreview]
    """Answers what goes, or would go, with an account; it goes if the argument says so."""
    receipts: Callable[[UUID, Options], ShownReceipt]
    verify_receipt: Callable[[bytes, bytes, Mapping[str, object]], bool]
    """Takes a public key, a fingerprint and facts; opens nothing."""


def add_erasure_commands(app: typer.Typer, commands: ErasureCommands) -> None:
    """Add them to the program."""

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

    receipt = typer.Typer(no_args_is_help=True, help="Receipts of erasures.")
    app.add_typer(receipt, name="receipt")

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
