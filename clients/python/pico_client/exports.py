"""Everything held about a person, in one file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from pico_client.calls import Calls, part
from pico_client.results import Result


@dataclass(frozen=True, slots=True, repr=False)
class Export(Result):
    """How far an export is. One whose state is `ready` can be downloaded until `expires_at`."""

    id: str
    state: str
    requested_at: datetime
    rows_done: int
    rows_total: int
    expires_at: datetime | None
    partial: bool


class Exports(Calls):
    """What one does with exports."""

    def start_export(self) -> Export:
        """Ask for everything held about oneself."""
        return self._ask(Export, "POST", "/v1/account/exports")

    def read_export(self, export_id: str) -> Export:
        """See how far an export is."""
        return self._ask(Export, "GET", f"/v1/account/exports/{part(export_id)}")

    def list_exports(self) -> Iterator[Export]:
        """List the exports that were asked for, newest first."""
        return self._list(Export, "/v1/account/exports")

    def download_export(self, export_id: str, password: str, into: IO[bytes]) -> None:
        """Write an export, which is a zip, into a file, piece by piece. What breaks off goes on where it did."""
        for piece in self._pieces(f"/v1/account/exports/{part(export_id)}/download", {"password": password}):
            into.write(piece)
