"""Limits: one instant for each keyed fingerprint."""

from alembic import op

revision = "0004_limits"
down_revision = "0003_contacts"

STATEMENTS = r"""
CREATE TABLE limits (
    key bytea NOT NULL,
    full_at timestamptz NOT NULL,
    PRIMARY KEY (key)
)

CREATE INDEX limits_by_full_at ON limits (full_at)
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
