"""What only one row may have at a time."""

from __future__ import annotations

from domain.accounts import Account
from domain.billing import Subscription
from domain.blocked_numbers import BlockedNumber
from domain.contacts import ContactNumber
from domain.exports import Export, ExportPart
from domain.idempotency import IdempotencyRecord
from domain.kernel import Aggregate
from domain.lines import PhoneLine
from domain.messages import Conversation, Message
from domain.opt_outs import LastingOptOut
from domain.push import PushToken
from domain.sessions import Session

Claim = tuple[object, ...]


def claims(row: Aggregate) -> list[Claim]:
    """Return what this row claims for itself alone."""
    return [claimed for claimed in (*_listed(row), _within_account(row)) if claimed is not None]


def _listed(row: Aggregate) -> list[Claim | None]:
    """Return what leads to this row in the directory."""
    if isinstance(row, Subscription):
        return [(name, getattr(row, name)) for name in ("payer", "buyer") if row.is_listed_by(name)]
    claimed: Claim | None = None
    match row:
        case Account() if row.is_listed_by("email"):
            claimed = "address", row.email.canonical
        case Account() if row.is_listed_by("place") and row.place is not None:
            claimed = "place", row.place
        case Session() if row.is_listed_by("token"):
            claimed = "token", row.token
        case PhoneLine() if row.is_listed_by("number"):
            claimed = "number", row.number
        case PushToken():
            claimed = "push token", row.token
    return [claimed]


def _within_account(row: Aggregate) -> Claim | None:
    """Return what one row of an account may have."""
    claimed: Claim | None = None
    match row:
        case Conversation(deleted_at=None):
            claimed = "peer", row.line_id, row.peer
        case Message() if row.ref is not None:
            claimed = "ref", row.account_id, row.ref
        case LastingOptOut():
            claimed = "opt-out", row.line_id, row.peer
        case BlockedNumber():
            claimed = "blocked", row.account_id, row.number
        case ContactNumber() if row.number is not None:
            claimed = "place", row.account_id, row.number.canonical, row.place
        case IdempotencyRecord():
            claimed = "operation", row.account_id, row.key
        case Export(is_building=True):
            claimed = "export", row.account_id
        case ExportPart():
            claimed = "part", row.export_id, row.position
    return claimed
