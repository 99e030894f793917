"""Accounts that nobody uses: since when, and when their person was warned."""

from alembic import op

revision = "0037_unused_accounts"
down_revision = "0036_port_requests"

STATEMENTS = """
ALTER TABLE accounts ADD unused_since timestamptz, ADD warned_at timestamptz, ADD warned_again_at timestamptz

CREATE INDEX accounts_by_unused_since ON accounts (unused_since) WHERE unused_since IS NOT NULL AND warned_at IS NULL

CREATE INDEX accounts_by_warned_at ON accounts (warned_at) WHERE warned_at IS NOT NULL AND warned_again_at IS NULL

CREATE INDEX accounts_by_warned_again_at ON accounts (warned_again_at) WHERE warned_again_at IS NOT NULL

ALTER TYPE audit_kind ADD VALUE 'account_warned'
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
