"""The audit log: what was done to one's account."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic.json_schema import Examples
from typing_extensions import TypedDict

import domain.audit
from adapters.inbound.http.input import Paged
from adapters.inbound.http.json_format import id_cursor
from adapters.inbound.http.params import MaybeAuditEntry
from adapters.inbound.http.reply import Id, SpelledOut
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import Route
from domain.audit import AuditKind


class AuditPage(Paged):
    """A page of the audit log."""

    cursor: MaybeAuditEntry = None


class AuditEntry(TypedDict):
    """Something that was done to the account, and to what of it. Null where it was damaged and cannot be read."""

    id: Id
    occurred_at: datetime | None
    act: Annotated[str, SpelledOut(AuditKind), Examples(["session_opened"])] | None
    subject_id: Id | None


class AuditLog(TypedDict):
    """A page of the audit log; `next_cursor` leads to the rest, null at the end."""

    items: list[AuditEntry]
    next_cursor: str | None


def entry(of: domain.audit.AuditEntry) -> AuditEntry:
    """Show an entry, as far as it opens."""
    unreadable = of.unreadable
    return {
        "id": str(of.id),
        "occurred_at": None if "at" in unreadable else of.at,
        "act": None if "kind" in unreadable else str(of.kind),
        "subject_id": None if "subject" in unreadable else str(of.subject),
    }


async def list_audit_log(request: Request[AuditPage]) -> AuditLog:
    """List what was done to the account, newest first: what, when, and to which session, line or export."""
    wanted = request.input
    page = await request.use_cases.list_audit_log(request.account_id, wanted.cursor, wanted.limit)
    return {
        "items": [entry(one) for one in page.items],
        "next_cursor": id_cursor(page.next) if page.next else None,
    }


ROUTES = (Route("GET", "/v1/account/audit-log", list_audit_log, 200, query=AuditPage),)
