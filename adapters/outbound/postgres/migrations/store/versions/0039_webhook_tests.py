"""Webhook endpoints that are tried."""

from alembic import op

revision = "0039_webhook_tests"
down_revision = "0038_buyers"


def upgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TYPE live_kind ADD VALUE 'webhook.test'")
