"""Which versions of the documents were accepted."""

from alembic import op

revision = "0012_acceptances"
down_revision = "0011_spend"

STATEMENTS = r"""
ALTER TABLE accounts ADD terms_version integer NOT NULL DEFAULT 1, ADD privacy_version integer NOT NULL DEFAULT 2

ALTER TABLE accounts ALTER terms_version DROP DEFAULT, ALTER privacy_version DROP DEFAULT

ALTER TYPE audit_kind ADD VALUE 'terms_accepted'

ALTER TYPE audit_kind ADD VALUE 'privacy_accepted'
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
