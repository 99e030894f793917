"""Wrapped keys: one or more for each account, one or more for each purpose of the system's own."""

from alembic import op

revision = "0001_first"
down_revision = None

STATEMENTS = r"""
CREATE TABLE account_keys (
    account_id uuid NOT NULL,
    version smallint NOT NULL,
    key_id uuid NOT NULL,
    master varchar(2048) NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    PRIMARY KEY (account_id, version),
    CONSTRAINT account_keys_version_is_positive CHECK (version > 0)
)

CREATE TABLE system_keys (
    purpose varchar(32) NOT NULL,
    version smallint NOT NULL,
    key_id uuid NOT NULL,
    master varchar(2048) NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    PRIMARY KEY (purpose, version),
    CONSTRAINT system_keys_version_is_positive CHECK (version > 0),
    CONSTRAINT system_keys_purpose_is_a_word CHECK (purpose ~ '^[a-z_]{1,32}$')
)
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
