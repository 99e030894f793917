"""Numbers that were given up are kept for a while, to be taken back."""

from alembic import op

revision = "0005_pending_release"
down_revision = "0004_limits"

STATEMENTS = r"""
ALTER TYPE line_state ADD VALUE 'pending_release' BEFORE 'releasing'

ALTER TYPE audit_kind ADD VALUE 'line_release_cancelled' BEFORE 'line_released'

ALTER TABLE phone_lines ADD COLUMN release_at timestamptz
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
