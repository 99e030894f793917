"""Live events, and the streams in which they stand."""

from alembic import op

revision = "0022_live_events"
down_revision = "0021_receipts"

STATEMENTS = r"""
CREATE TYPE live_kind AS ENUM (
    'message.received', 'message.queued', 'message.status', 'message.media', 'message.deleted',
    'conversation.changed', 'conversation.deleted', 'call.changed', 'call.deleted', 'voicemail.received',
    'voicemail.changed', 'voicemail.deleted', 'line.changed', 'session.opened', 'session.revoked', 'account.changed',
    'export.ready'
)

CREATE TABLE live_streams (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    last uuid NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE TABLE live_events (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    kind live_kind NOT NULL,
    subject uuid NOT NULL,
    at timestamptz NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE INDEX live_events_by_at ON live_events (at)
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
