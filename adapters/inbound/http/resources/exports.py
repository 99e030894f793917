"""Exports: everything held about a person, downloaded."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic.json_schema import Examples
from typing_extensions import TypedDict

import domain.exports
from adapters.inbound.http.input import Input, Paged
from adapters.inbound.http.json_format import id_cursor
from adapters.inbound.http.params import KnownPassword, MaybeExport
from adapters.inbound.http.reply import Download, Id, Media, SpelledOut
from adapters.inbound.http.request import Request
from adapters.inbound.http.resources.sessions import PASSWORD
from adapters.inbound.http.route import Route
from domain.accounts import PasswordUnreadable
from domain.exports import ExportNotReady, ExportState
from domain.kernel import ExportId
from domain.requests import Pace


class Confirmation(Input):
    """The password, typed once more before everything is handed over."""

    password: KnownPassword


class ExportPage(Paged):
    """A page of exports."""

    cursor: MaybeExport = None


class Export(TypedDict):
    """How far an export is. One that is ready can be downloaded until `expires_at`; then it is gone.

    `partial`: some of what we hold was damaged and cannot be read; the export names it.
    """

    id: Id
    state: Annotated[str, SpelledOut(ExportState), Examples(["ready"])]
    requested_at: datetime
    rows_done: int
    rows_total: int
    expires_at: datetime | None
    partial: bool


class Exports(TypedDict):
    """A page of exports; `next_cursor` leads to the rest, null at the end."""

    items: list[Export]
    next_cursor: str | None


EVERYTHING = Media("application/zip", filename="pico-export.zip", ranges=True)


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


async def list_exports(request: Request[ExportPage]) -> Exports:
    """List the exports that were asked for, newest first."""
    wanted = request.input
    page = await request.use_cases.list_exports(request.account_id, wanted.cursor, wanted.limit)
    return {
        "items": [export(one) for one in page.items],
        "next_cursor": id_cursor(page.next) if page.next else None,
    }


async def download_export(
    request: Request[Confirmation], export_id: ExportId
) -> Annotated[Download, EVERYTHING]:
    """Download an export: a zip. It can be repeated until `expires_at`, which then is ten minutes away at most.

    In it are export.json with every record and schema.json that describes it, a table of each kind for people, the
    pictures and the voicemail, and manifest.json with the size and the SHA-256 of each file.

    Its bytes stay the same: who was cut off asks with `Range` for the rest.
    """
    use_cases, account_id = request.use_cases, request.account_id
    chunks = await use_cases.download_export(account_id, export_id, request.input.password)
    if "Range" not in request.headers:
        return Download(chunks, EVERYTHING)
    size = await use_cases.measure_export(account_id, export_id)
    part = request.byte_range(size)
    return Download(part.of(chunks), EVERYTHING, size, part)


DOWNLOADING = (*PASSWORD, PasswordUnreadable, ExportNotReady)

# ruff: noqa: E501 - a route is a line, however long
# fmt: off
ROUTES = (
    Route("POST", "/v1/account/exports", start_export, 202, location="/v1/account/exports/{id}", pace=Pace.HEAVY),
    Route("GET", "/v1/account/exports/{export_id:uuid}", read_export, 200),
    Route("GET", "/v1/account/exports", list_exports, 200, query=ExportPage),
    Route("POST", "/v1/account/exports/{export_id:uuid}/download", download_export, 200, body=Confirmation, raises=DOWNLOADING, pace=Pace.HEAVY),
)
# fmt: on
