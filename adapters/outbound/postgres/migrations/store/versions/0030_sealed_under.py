"""Under which of its keys an account's values are sealed, and an audit entry for a new one."""

from alembic import op

revision = "0030_sealed_under"
down_revision = "0029_subscriptions"


def upgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TYPE audit_kind ADD VALUE 'account_key_rotated'")
    op.get_bind().exec_driver_sql("ALTER TABLE accounts ADD sealed_under integer NOT NULL DEFAULT 1")
