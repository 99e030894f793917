"""When each status was first told of a message."""

from alembic import op

revision = "0021_receipts"
down_revision = "0020_scheduled_messages"

STATEMENT = """
ALTER TABLE messages
    ADD COLUMN sending_at timestamptz,
    ADD COLUMN sent_at timestamptz,
    ADD COLUMN unconfirmed_at timestamptz,
    ADD COLUMN delivered_at timestamptz,
    ADD COLUMN failed_at timestamptz
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(STATEMENT)
