"""What the floor's sealed cells are bound to: the values beside them that decide something, and the row's version.

Written out table by table. A part stands behind its length; `MISSING` stands for a value that is not there.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
FROM_2000 = 946_684_800_000_000
"""Microseconds from 1970, where Pico counts from, to 2000, where PostgreSQL does."""
MISSING = b"\xff\xff\xff\xff"
EIGHT, SIXTEEN = (8).to_bytes(4), (16).to_bytes(4)


def prefixed(part: bytes) -> bytes:
    return len(part).to_bytes(4) + part


def words(*values: str) -> bytes:
    return b"".join([prefixed(value.encode()) for value in values])


def identity(raw: bytes) -> bytes:
    return SIXTEEN + raw


def instant(at: datetime | None) -> bytes:
    return MISSING if at is None else EIGHT + ((at - EPOCH) // MICROSECOND).to_bytes(8, signed=True)


def sent_instant(raw: bytes | None) -> bytes:
    """Bind an instant as `timestamptz_send` gives it: half the work of a datetime."""
    return (
        MISSING
        if raw is None
        else EIGHT + (int.from_bytes(raw, signed=True) + FROM_2000).to_bytes(8, signed=True)
    )


ENDS = {
    (direction, status): words(direction, status)
    for direction in ("inbound", "outbound")
    for status in ("queued", "sending", "sent", "unconfirmed", "delivered", "failed", "received")
}
ONE = (1).to_bytes(8)
NONE_ATTACHED = EIGHT + bytes(8)
QUEUED = ENDS["outbound", "queued"] + NONE_ATTACHED + MISSING * 4
"""How the bound values of a message to be sent end: no reference, never attempted, no copy deleted, not deleted."""


def received(attachments: int, ref: str) -> bytes:
    """Return how the bound values of a message that comes in end."""
    return (
        ENDS["inbound", "received"] + EIGHT + attachments.to_bytes(8) + prefixed(ref.encode()) + MISSING * 3
    )


def conversation_data(line: bytes, opted_out_at: datetime | None, version: int) -> bytes:
    """Return what the peer of a conversation that is not deleted is bound to. `line` is its bound id."""
    return version.to_bytes(8) + line + instant(opted_out_at) + MISSING


def session_data(created_at: datetime, ends_at: datetime, version: int) -> bytes:
    """Return what the fingerprint of a session that is not revoked is bound to."""
    return version.to_bytes(8) + instant(created_at) + instant(ends_at) + MISSING


def line_data(state: str, ref: str | None, times: tuple[datetime | None, ...], version: int) -> bytes:
    """Return what the number of a line is bound to. `times`: when it was created, was released and is to be."""
    carrier_ref = MISSING if ref is None else prefixed(ref.encode())
    return version.to_bytes(8) + words(state) + carrier_ref + b"".join(map(instant, times))


def record_data(made: bytes | None, expires_at: datetime | None, version: int) -> bytes:
    """Return what the seal of an idempotency record is bound to."""
    return version.to_bytes(8) + (MISSING if made is None else identity(made)) + instant(expires_at)


ONCE_FOR_ALL = ONE + MISSING * 2
"""What the seal of a record is bound to that something was done, and that is all."""
