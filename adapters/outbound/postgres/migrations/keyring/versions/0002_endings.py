"""What is over, remembered beside the keys: see ADR 11."""

from alembic import op

revision = "0002_endings"
down_revision = "0001_first"

STATEMENTS = r"""
CREATE TABLE endings (
    account_id uuid NOT NULL,
    mark bytea NOT NULL,
    until timestamptz,
    PRIMARY KEY (account_id, mark),
    CONSTRAINT endings_mark_is_a_block CHECK (length(mark) = 16)
)

CREATE INDEX ix_endings_until ON endings (until)
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
