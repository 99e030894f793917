"""The commands of those who answer letters: which requests there are, and by when each is to be answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from adapters.inbound.cli.options import AsJson, Options, StateDir, said
from domain.data_requests import DataRequest, DataRequestKind, DataRequestOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRequestCommands:
    """What the commands do. Each opens the product beside whatever serves it, and closes it again."""

    open: Callable[[DataRequestKind, UUID | None, datetime | None, Options], DataRequest]
    all: Callable[[Options], tuple[Sequence[DataRequest], datetime]]
    """Answers everything that is kept, and what time it is."""
    close: Callable[[UUID, UUID | None, DataRequestOutcome, Options], DataRequest]


Account = Annotated[
    UUID | None,
    typer.Option("--account", help="The account it is about. Leave it out where it is about none."),
]
Request = Annotated[UUID, typer.Argument(help="The request, as `pico dsr list` names it.")]


def add_data_request_commands(app: typer.Typer, commands: DataRequestCommands) -> None:
    """Add them to the program."""
    desk = typer.Typer(no_args_is_help=True, help="The desk for requests about data that arrive by letter.")
    app.add_typer(desk, name="dsr")

    @desk.command(name="open")
    def note(
        kind: Annotated[DataRequestKind, typer.Argument(help="What is asked for.")],
        *,
        account: Account = None,
        received: Annotated[
            datetime | None,
            typer.Option(
                formats=["%Y-%m-%d"], metavar="<day>", help="The day it came, if that was not today."
            ),
        ] = None,
        as_json: AsJson = False,
        state_dir: StateDir = None,
    ) -> None:
        """Note that a request came. Nothing of what it says is kept, nor who wrote it; answer it by its due day."""
        at = None if received is None else received.replace(tzinfo=UTC)
        _tell(commands.open(kind, account, at, said(state_dir=state_dir)), as_json=as_json)

    @desk.command(name="list")
    def show(
        *,
        closed: Annotated[bool, typer.Option("--closed", help="Those that were closed, too.")] = False,
        as_json: AsJson = False,
        state_dir: StateDir = None,
    ) -> None:
        """Show what there is to answer, the one due next first; exit code 1 when one waits since 20 days or more."""
        found, now = commands.all(said(state_dir=state_dir))
        listed = [one for one in found if closed or one.is_open]
        if as_json:
            typer.echo(json.dumps([_shown(one, now) for one in listed], indent=2))
        else:
            for one in listed:
                typer.echo(_line(one, now))
            typer.echo(f"{sum(one.is_open for one in found)} to answer.")
        raise typer.Exit(1 if any(one.is_urgent(now) for one in found) else 0)

    @desk.command()
    def fulfil(
        request: Request, *, account: Account = None, as_json: AsJson = False, state_dir: StateDir = None
    ) -> None:
        """Note that what was asked for is done: with `pico erase`, or in the account itself."""
        _close(commands, request, account, DataRequestOutcome.FULFILLED, state_dir, as_json=as_json)

    @desk.command()
    def close(
        request: Request,
        *,
        because: Annotated[
            DataRequestOutcome,
            typer.Option("--as", metavar="<outcome>", help="fulfilled, withdrawn, refused or unidentified."),
        ],
        account: Account = None,
        as_json: AsJson = False,
        state_dir: StateDir = None,
    ) -> None:
        """Note that a request ended, in whichever way."""
        _close(commands, request, account, because, state_dir, as_json=as_json)


def _close(
    commands: DataRequestCommands, request: UUID, account: UUID | None, outcome: DataRequestOutcome,
    state_dir: str | None, *, as_json: bool,
) -> None:  # fmt: skip
    _tell(commands.close(request, account, outcome, said(state_dir=state_dir)), as_json=as_json)


def _tell(one: DataRequest, *, as_json: bool) -> None:
    typer.echo(json.dumps(_shown(one, None), indent=2) if as_json else _line(one, None))


def _line(one: DataRequest, now: datetime | None) -> str:
    told = f"{one.id}  {one.kind}  received {one.received_at:%Y-%m-%d}  "
    if one.closed_at is not None:
        return f"{told}{one.outcome} {one.closed_at:%Y-%m-%d}"
    mark = "" if now is None else "  LATE" if one.is_late(now) else "  urgent" if one.is_urgent(now) else ""
    return f"{told}due {one.due_on}{mark}"


def _shown(one: DataRequest, now: datetime | None) -> dict[str, object]:
    return {
        "id": str(one.id),
        "kind": one.kind.value,
        "received_at": one.received_at.isoformat(),
        "due_on": one.due_on.isoformat(),
        "closed_at": one.closed_at and one.closed_at.isoformat(),
        "outcome": one.outcome and one.outcome.value,
        **({} if now is None else {"urgent": one.is_urgent(now), "late": one.is_late(now)}),
    }
