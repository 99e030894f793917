"""Messages that wait for their time, and may be taken back until then."""

from alembic import op

revision = "0020_scheduled_messages"
down_revision = "0019_audit_chains"

STATEMENTS = """
ALTER TABLE messages ADD COLUMN send_at timestamptz

ALTER TYPE status ADD VALUE 'scheduled' BEFORE 'queued'

ALTER TYPE status ADD VALUE 'canceled' BEFORE 'received'

ALTER TYPE failure_reason ADD VALUE 'limited' BEFORE 'carrier_outage'
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
