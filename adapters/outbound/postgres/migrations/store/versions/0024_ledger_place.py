"""How far the erasure ledger had come: what tells a restored database that it is behind."""

from alembic import op

revision = "0024_ledger_place"
down_revision = "0023_greetings"

STATEMENTS = r"""
CREATE TABLE ledger_place (
    ledger integer NOT NULL,
    number integer NOT NULL,
    head bytea NOT NULL,
    PRIMARY KEY (ledger)
)
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
