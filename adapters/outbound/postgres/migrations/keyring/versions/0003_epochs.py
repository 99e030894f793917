"""Master-key epochs: which master keys there were, and which of them are no more."""

from alembic import op

revision = "0003_epochs"
down_revision = "0002_endings"

STATEMENTS = r"""
CREATE TABLE epochs (
    number integer NOT NULL,
    master varchar(2048) NOT NULL,
    began_at timestamptz NOT NULL,
    closed_at timestamptz,
    gone_at timestamptz,
    PRIMARY KEY (number),
    CONSTRAINT epochs_master_key UNIQUE (master),
    CONSTRAINT epochs_number_is_positive CHECK (number > 0)
)

CREATE INDEX ix_account_keys_master ON account_keys (master)
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
