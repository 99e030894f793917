"""Exports: everything held about a person, downloaded once."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated

from typing_extensions import TypedDict

import domain.exports
from adapters.inbound.http.guards import Bearer, Reauthenticated
from adapters.inbound.http.reply import JSON_TYPE, Download, Id, Media, SpelledOut
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import Route
from application.ports.passwords import Overloaded
from application.sessions import WrongCredentials
from domain.exports import ExportNotReady, ExportState
from domain.kernel import ExportId


class Export(TypedDict):
    """How far an export is; ready ones can be downloaded once, until `expires_at`.

    `partial`: some of what we hold was damaged and cannot be read; the export names it.
    """

    id: Id
    state: Annotated[str, SpelledOut(ExportState)]
    requested_at: datetime
    rows_done: int
    rows_total: int
    expires_at: datetime | None
    partial: bool


EVERYTHING = Media(
    JSON_TYPE, filename="pico-export.json", schema={"type": "object", "description": "Everything held."}
)


def export(of: domain.exports.Export) -> Export:
    """Show how far an export is."""
    return {
        "id": str(of.id),
        "state": str(of.state),
        "requested_at": of.requested_at,
        "rows_done": of.rows_done,
        "rows_total": of.rows_total,
        "expires_at": of.expires_at,
        "partial": of.is_partial,
    }


async def start_export(request: Request[None]) -> Export:
    """Ask for everything held about oneself. One being built is answered again, one ready to be fetched is replaced."""
    return export(await request.use_cases.start_export(request.account_id))


async def read_export(request: Request[None], export_id: ExportId) -> Export:
    """See how far an export is."""
    return export(await request.use_cases.read_export(request.account_id, export_id))


async def download_export(request: Request[None], export_id: ExportId) -> Annotated[Download, EVERYTHING]:
    """Download an export, once. Needs the password again, in X-Reauthenticate: base64 of its UTF-8."""
    asked = request.account_id, export_id, request.password
    if request.method == "HEAD":  # It changes nothing: the file stays to be fetched.
        await request.use_cases.download_export.look(*asked)
        return Download(nothing(), EVERYTHING)
    return Download(await request.use_cases.download_export(*asked), EVERYTHING)


async def nothing() -> AsyncGenerator[bytes, None]:
    """Give no bytes."""
    none: tuple[bytes, ...] = ()
    for chunk in none:
        yield chunk


PASSWORD_AGAIN = (Bearer(), Reauthenticated())
DOWNLOADING = (WrongCredentials, Overloaded, ExportNotReady)

# ruff: noqa: E501 - a route is a line, however long
# fmt: off
ROUTES = (
    Route("POST", "/v1/account/exports", start_export, 202, location="/v1/account/exports/{id}"),
    Route("GET", "/v1/account/exports/{export_id:uuid}", read_export, 200),
    Route("GET", "/v1/account/exports/{export_id:uuid}/download", download_export, 200, guards=PASSWORD_AGAIN, raises=DOWNLOADING),
)
# fmt: on
