"""Exports: everything held about a person, in one JSON document, downloaded within ten minutes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from domain.classification import held
from domain.kernel import (
    AccountId,
    Aggregate,
    ErrorKind,
    Event,
    ExportId,
    PartId,
    PicoError,
)

AGAIN_FOR = timedelta(minutes=10)
"""How long a download may be repeated: a connection that breaks off loses nothing."""


class ExportState(StrEnum):
    """Where an export stands."""

    BUILDING = "building"
    READY = "ready"
    DOWNLOADED = "downloaded"
    EXPIRED = "expired"


class ExportNotReady(PicoError):
    """The export is still being built, or it is gone."""

    kind = ErrorKind.CONFLICT
    code = "export_not_ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequested(Event):
    """The person asked for their data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReady(Event):
    """The data waits to be fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportDownloaded(Event):
    """The person took their data."""


@dataclass(slots=True, kw_only=True)
class Export(Aggregate):
    """One request for everything. `rows_done` of `rows_total` rows are in its parts so far.

    `rows_unreadable` of them are broken: the export names them, and shows what of them can be read.
    """

    stored_as: ClassVar[str] = "exports"
    clause: ClassVar[str] = "R1"

    account_id: AccountId
    id: ExportId
    state: Annotated[ExportState, held(bound=True)] = ExportState.BUILDING
    requested_at: Annotated[datetime, held(bound=True)]
    rows_done: Annotated[int, held(bound=True)] = 0
    rows_total: Annotated[int, held(bound=True)] = 0
    rows_unreadable: Annotated[int, held(bound=True)] = 0
    expires_at: Annotated[datetime | None, held(bound=True)] = None

    @classmethod
    def request(
        cls, account_id: AccountId, export_id: ExportId, rows_total: int, at: datetime, expires_at: datetime
    ) -> Self:
        """Ask for everything. What is not built by `expires_at` is dropped."""
        export = cls(
            account_id=account_id, id=export_id, requested_at=at, rows_total=rows_total, expires_at=expires_at
        )
        export.record(ExportRequested(account_id=account_id, subject=export_id, at=at))
        return export

    @property
    def is_building(self) -> bool:
        """Whether its parts are still being written: not once it was altered, for then it only expires."""
        return self.state is ExportState.BUILDING and not self.altered

    @property
    def is_partial(self) -> bool:
        """Whether something that is held could not be read."""
        return self.rows_unreadable > 0

    @property
    def is_ready(self) -> bool:
        """Whether it waits to be fetched."""
        return self.state is ExportState.READY

    def must_be_building(self) -> None:
        """Raise ExportNotReady once it is ready, downloaded or expired."""
        if not self.is_building:
            raise ExportNotReady

    def restart(self) -> None:
        """Forget what an interrupted attempt had done."""
        self.must_be_building()
        self.rows_done = self.rows_unreadable = 0

    def progress(self, rows: int, unreadable: int) -> None:
        """Note that `rows` more records are in its parts, so many of them unreadable. Raises ExportNotReady."""
        self.must_be_building()
        self.rows_done += rows
        self.rows_unreadable += unreadable

    def ready(self, at: datetime, expires_at: datetime) -> None:
        """Note that every part is in place, to be fetched until `expires_at`. Raises ExportNotReady."""
        self.must_be_building()
        self.state, self.rows_total, self.expires_at = ExportState.READY, self.rows_done, expires_at
        self.record(ExportReady(account_id=self.account_id, subject=self.id, at=at))

    def download(self, at: datetime) -> None:
        """Hand it over. From the first time on it can be repeated for AGAIN_FOR. Raises ExportNotReady."""
        if self.state not in {ExportState.READY, ExportState.DOWNLOADED}:
            raise ExportNotReady
        if self.expires_at is None or at >= self.expires_at:
            raise ExportNotReady
        if self.is_ready:
            self.state, self.expires_at = ExportState.DOWNLOADED, min(self.expires_at, at + AGAIN_FOR)
            self.record(ExportDownloaded(account_id=self.account_id, subject=self.id, at=at))

    def expire(self) -> None:
        """Nobody came for it in time, or a newer one takes its place. Repeating is harmless."""
        if self.state in {ExportState.READY, ExportState.BUILDING}:
            self.state = ExportState.EXPIRED


@dataclass(slots=True, kw_only=True)
class ExportPart(Aggregate):
    """A slice of an export's JSON text, sealed like everything else; gone once expired."""

    stored_as: ClassVar[str] = "export_parts"
    clause: ClassVar[str] = "R1"

    account_id: AccountId
    id: Annotated[PartId, held(exported=False)]
    export_id: Annotated[ExportId, held(exported=False, bound=True)]
    position: Annotated[int, held(exported=False, bound=True)]
    content: Annotated[bytes, held(exported=False)] = field(repr=False)
