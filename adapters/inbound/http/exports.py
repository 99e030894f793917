"""Handlers of exports: everything held about a person, taken out once."""

from __future__ import annotations

from adapters.inbound.http.request import Download, Json, Request
from domain.exports import Export
from domain.kernel import ExportId


def export(of: Export) -> Json:
    """Show how far an export is."""
    return {
        "id": str(of.id),
        "state": str(of.state),
        "requested_at": of.requested_at,
        "rows_done": of.rows_done,
        "rows_total": of.rows_total,
        "expires_at": of.expires_at,
    }


async def start_export(request: Request[None]) -> Json:
    """Ask for everything held about oneself."""
    return export(await request.use_cases.start_export(request.account_id))


async def read_export(request: Request[None]) -> Json:
    """See how far an export is."""
    return export(await request.use_cases.read_export(request.account_id, ExportId(request.id)))


async def download_export(request: Request[None]) -> Download:
    """Take an export out, once. Needs the password again, in X-Reauthenticate: base64 of its UTF-8."""
    chunks = await request.use_cases.download_export(
        request.account_id, ExportId(request.id), request.password
    )
    return Download(chunks, "pico-export.json")
