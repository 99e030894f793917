"""What is audited about passwords."""

from alembic import op

revision = "0010_passwords"
down_revision = "0009_search_segments"

STATEMENTS = r"""
ALTER TYPE audit_kind ADD VALUE 'password_changed'

ALTER TYPE audit_kind ADD VALUE 'password_reset'
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
