"""What an app calls a message that it sent."""

from alembic import op

revision = "0018_client_reference"
down_revision = "0017_voicemail"

STATEMENT = r"""
ALTER TABLE messages
    ADD COLUMN client_reference bytea CONSTRAINT messages_client_reference_is_sealed CHECK (client_reference < '\x02')
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(STATEMENT)
