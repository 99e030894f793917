"""That mail does not reach an account's address."""

from alembic import op

revision = "0032_unreachable"
down_revision = "0031_restriction"

STATEMENTS = """
CREATE TYPE unreachable AS ENUM ('returned', 'invalid', 'unwanted')

ALTER TABLE accounts ADD unreachable unreachable, ADD unreachable_since timestamptz
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
