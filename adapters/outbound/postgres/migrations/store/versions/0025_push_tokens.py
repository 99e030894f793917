"""Push tokens."""

from alembic import op

revision = "0025_push_tokens"
down_revision = "0024_ledger_place"

STATEMENTS = r"""
CREATE TYPE platform AS ENUM ('ios', 'android')

CREATE TABLE push_tokens (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    session_id uuid NOT NULL,
    platform platform NOT NULL,
    token bytea NOT NULL CONSTRAINT push_tokens_token_is_sealed CHECK (token < '\x02'),
    registered_at timestamptz NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
