"""Blocked numbers."""

from alembic import op

revision = "0008_blocked_numbers"
down_revision = "0007_media"

STATEMENTS = r"""
CREATE TABLE blocked_numbers (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    number bytea NOT NULL CONSTRAINT blocked_numbers_number_is_sealed CHECK (number < '\x02'),
    number_index bytea NOT NULL,
    blocked_at timestamptz NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE UNIQUE INDEX blocked_numbers_by_account_number_index ON blocked_numbers (account_id, number_index)
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
