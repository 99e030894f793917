"""How far catching up with each carrier has come, and whose turn it is."""

from alembic import op

revision = "0027_catch_ups"
down_revision = "0026_operator_access"

STATEMENTS = r"""
CREATE TABLE catch_ups (
    carrier varchar(32) NOT NULL CONSTRAINT catch_ups_carrier_is_enum CHECK (carrier ~ '^[a-z_.]+$'),
    number integer NOT NULL,
    until timestamptz NOT NULL,
    caught_up_to timestamptz,
    PRIMARY KEY (carrier)
)
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
