"""What a person calls a device that is signed in."""

from alembic import op

revision = "0014_session_label"
down_revision = "0013_email_changes"

STATEMENT = r"""
ALTER TABLE sessions
    ADD COLUMN label bytea CONSTRAINT sessions_label_is_sealed CHECK (label < '\x02')
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(STATEMENT)
