"""Greetings that the person says on the telephone: the carrier's recording of each, until it is gone."""

from alembic import op

revision = "0040_spoken_greetings"
down_revision = "0039_webhook_tests"

STATEMENTS = """
ALTER TABLE greetings ADD ref varchar(64)

ALTER TYPE greeting_state ADD VALUE 'replaced'
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
