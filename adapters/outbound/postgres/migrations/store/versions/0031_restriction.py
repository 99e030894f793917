"""The freeze of an account."""

from alembic import op

revision = "0031_restriction"
down_revision = "0030_sealed_under"

STATEMENTS = """
CREATE TYPE inbound_choice AS ENUM ('accepted', 'refused')

ALTER TABLE accounts ADD restriction inbound_choice, ADD restricted_at timestamptz

ALTER TYPE line_state ADD VALUE 'restricted' BEFORE 'pending_release'

ALTER TYPE transcript_absence ADD VALUE 'restricted'

ALTER TYPE audit_kind ADD VALUE 'account_frozen'

ALTER TYPE audit_kind ADD VALUE 'account_freed'
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
